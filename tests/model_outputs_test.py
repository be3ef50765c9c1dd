import keras
import pytest

from keras_prune.model_outputs import output_layers
from keras_prune.one_shot import prune

layers = keras.layers


def names(model):
    found = output_layers(model)
    return sorted(layer.name for layer in model._flatten_layers() if id(layer) in found)


def classifier():
    """Two convolutions, then logits behind a normalization and an activation."""
    stack = [layers.Conv2D(4, 3, name="one"), layers.Conv2D(4, 1, name="two"), layers.Flatten()]
    head = [layers.Dense(4, name="logits"), layers.BatchNormalization(), layers.Softmax()]
    return keras.Sequential([keras.Input((5, 5, 2)), *stack, *head])


def test_search_goes_back_through_layers_without_kernels():
    assert names(classifier()) == ["logits"]


def test_every_branch_and_every_output_counts():
    inputs = keras.Input((4,))
    hidden = layers.Dense(4, name="hidden")(inputs)
    total = layers.Dense(4, name="left")(hidden) + layers.Dense(4, name="right")(hidden) * 2.0
    model = keras.Model(inputs, [total, layers.Dense(2, name="other")(hidden)])
    assert names(model) == ["left", "other", "right"]


def test_nested_models_and_recurrent_layers():
    inner = keras.Sequential([keras.Input((5, 4)), layers.LSTM(3, name="lstm")], name="inner")
    inputs = keras.Input((5, 4))
    model = keras.Model(inputs, inner(layers.Dense(4, name="first")(inputs)))
    assert names(model) == ["lstm", "lstm_cell"]


def test_a_model_that_returns_its_inputs_and_a_subclassed_one():
    inputs = keras.Input((4,))
    assert names(keras.Model(inputs, inputs)) == []

    class Custom(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, inputs):
            return self.dense(inputs)

    model = Custom()
    model(keras.ops.ones((1, 2)))
    assert names(model) == []


@pytest.mark.all_backends
@pytest.mark.parametrize("granularity", ["filter", "column"])
def test_classes_are_not_pruned(granularity):
    model = classifier()
    model.get_layer("two").trainable = False
    if granularity == "column":
        model = keras.Sequential([keras.Input((5,)), layers.Dense(4, name="one"), layers.Dense(3)])
    report = prune(model, 0.5, granularity=granularity)
    assert report.weights[0].achieved == 0.5
    assert report.weights[-1].skip == "makes the model's outputs, which must all stay"
    assert report.reached


def test_classes_are_pruned_where_nothing_else_is():
    report = prune(classifier(), 0.5, granularity="filter", filters="logits")
    assert [weight.skip for weight in report.weights] == ["left out by `filters`"] * 2 + [None]
