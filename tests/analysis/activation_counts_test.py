"""Densities on data: counted by hand on small networks, and by their identities on others."""

import keras
import numpy as np
import pytest

from keras_prune.model_cost import cost
from keras_prune.one_shot import prune
from tests.small_models import mlp, toy_data

layers = keras.layers
pytestmark = pytest.mark.all_backends


def by_hand():
    """Two inputs, three hidden units, one output, with weights that can be counted."""
    model = keras.Sequential(
        [keras.Input((2,)), layers.Dense(3, activation="relu"), layers.Dense(1)]
    )
    first = np.array([[1, 0, -1], [0, 1, 0]], "float32")
    second = np.array([[1], [0], [1]], "float32")
    model.set_weights([first, np.zeros(3), second, np.zeros(1)])
    return model


def test_every_count_of_a_small_network():
    x = np.array([[1, 0], [0, 2], [0, 0]], "float32")
    report = cost(by_hand(), data=x)
    hidden, output = report.layers
    # Hidden activations: [1, 0, 0], [0, 2, 0], [0, 0, 0].
    assert (hidden.inputs, hidden.nonzero_inputs) == (6, 2)
    assert (hidden.activations, hidden.nonzero_activations) == (9, 2)
    assert (output.inputs, output.nonzero_inputs) == (9, 2)
    assert (output.activations, output.nonzero_activations) == (3, 3)  # logits count as dense
    assert (hidden.pairs, output.pairs) == (2 + 1, 1)
    assert report.activation_density == 5 / 12
    assert report.mac_density("exact") == 4 / (3 * 9)
    product = (6 * 3 / 6 * 2 / 6 + 3 * 2 / 3 * 2 / 9) / 9
    assert report.mac_density() == pytest.approx(product)


def test_the_two_rules_differ_where_the_weights_left_sit_on_busy_inputs():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, use_bias=False)])
    model.set_weights([np.array([[1, 1], [0, 0], [0, 0], [0, 0]], "float32")])
    report = cost(model, data=np.eye(4, dtype="float32")[[0] * 4])
    assert report.mac_density("product") == 1 / 16
    assert report.mac_density("exact") == 1 / 4


def test_the_batches_do_not_matter():
    x, y = toy_data(rows=21)
    model = mlp()
    prune(model, 0.7)
    whole = cost(model, data=(x, y), batch_size=21)
    assert whole == cost(model, data=x, batch_size=4)
    assert whole == cost(model, data=[(x[:20], y[:20]), (x[20:], y[20:])])
    assert whole.examples == 21
    assert "exact MACs" in str(whole)


def test_activations_stand_behind_the_non_linearity_and_before_pooling():
    inputs = keras.Input((6, 6, 1))
    y = layers.Conv2D(2, 3, padding="same", name="first")(inputs)
    y = layers.BatchNormalization()(y)
    y = layers.Dropout(0.5)(layers.ReLU()(y))
    shortcut = layers.MaxPooling2D()(y)
    y = layers.Conv2D(2, 3, padding="same", name="second")(shortcut)
    y = layers.Activation("relu")(layers.Add()([y, shortcut]))
    y = layers.Flatten()(y)
    model = keras.Model(inputs, layers.Softmax()(layers.Dense(3, name="logits")(y)))
    x = np.random.default_rng(0).normal(size=(5, 6, 6, 1)).astype("float32")
    report = cost(model, data=x)
    relu = [layer for layer in model.layers if isinstance(layer, (layers.ReLU, layers.Activation))]
    outputs = keras.Model(inputs, [layer.output for layer in relu])(x)
    nonzero = [np.count_nonzero(keras.ops.convert_to_numpy(array)) for array in outputs]
    first, second, logits = report.layers
    assert (first.activations, first.nonzero_activations) == (5 * 72, nonzero[0])
    assert (second.activations, second.nonzero_activations) == (5 * 18, nonzero[1])
    assert 0 < nonzero[0] < 5 * 72
    assert logits.activation_density == 1.0
    assert second.input_density > first.activation_density  # pooling takes the larger one


def test_a_tensor_that_two_layers_share_counts_once():
    inputs = keras.Input((4,))
    branches = [layers.Dense(3)(inputs), layers.Dense(3)(inputs)]
    hidden = layers.ReLU()(layers.Add()(branches))
    model = keras.Model(inputs, layers.Dense(2)(hidden))
    report = cost(model, data=np.ones((2, 4), "float32"))
    assert report.layers[0].activations == report.layers[1].activations == 6
    assert report.activations == 6 + 4


def test_operations_that_are_no_layers_are_followed():
    inputs = keras.Input((4,))
    hidden = keras.ops.relu(layers.Dense(3)(inputs) + 1.0)
    model = keras.Model(inputs, layers.Dense(2)(hidden))
    x = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
    values = keras.ops.convert_to_numpy(keras.Model(inputs, hidden)(x))
    assert cost(model, data=x).layers[0].nonzero_activations == np.count_nonzero(values) < 60


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense, self.relu, self.logits = layers.Dense(4), layers.ReLU(), layers.Dense(2)

    def call(self, inputs):
        return self.logits(self.relu(self.dense(self.relu(self.dense(inputs)))))


def test_subclassed_models_and_layers_that_are_called_twice():
    model = Subclassed()
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    first = keras.ops.convert_to_numpy(model.relu(model.dense(x))) if model(x) is not None else 0
    second = keras.ops.convert_to_numpy(model.relu(model.dense(first)))
    dense, logits = cost(model, data=x).layers
    assert dense.activations == 40
    assert dense.nonzero_activations == np.count_nonzero(first) + np.count_nonzero(second)
    assert logits.nonzero_inputs == np.count_nonzero(second)
    assert logits.activation_density == 1.0


@pytest.mark.parametrize("make", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_recurrent_layers_are_counted_step_by_step(make):
    model = keras.Sequential([keras.Input((3, 2)), make(4, return_sequences=True), layers.Dense(1)])
    before = model.layers[0].unroll
    x = np.random.default_rng(0).normal(size=(2, 3, 2)).astype("float32")
    cell, dense = cost(model, data=x).layers
    gates = cell.params // (6 * 4)
    # The state is zero at the first step only.
    assert (cell.inputs, cell.nonzero_inputs) == (2 * 3 * (2 + 4), 2 * 3 * 2 + 2 * 2 * 4)
    assert cell.pairs == 2 * gates * 4 * (3 * 2 + 2 * 4)
    assert (cell.activations, dense.inputs) == (2 * 3 * 4, 2 * 3 * 4)
    assert model.layers[0].unroll == before


def test_mixed_precision_does_not_lose_the_thread():
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, dtype="mixed_float16", name="half"),
            layers.ReLU(dtype="float32", name="full"),
            layers.Dense(2, dtype="float32"),
        ]
    )
    x = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
    dense, logits = cost(model, data=x).layers
    assert dense.nonzero_activations == logits.nonzero_inputs < 160


def test_unknown_computations_are_named_and_left_out():
    class Bilinear(layers.Layer):
        def build(self, shape):
            self.kernel = self.add_weight(shape=(shape[-1], shape[-1]), name="kernel")

        def call(self, inputs):
            return inputs @ self.kernel

    model = keras.Sequential([keras.Input((3,)), Bilinear(name="bilinear"), layers.Dense(2)])
    report = cost(model, data=np.ones((2, 3), "float32"))
    assert [path.split("/")[-1] for path in report.not_counted] == ["bilinear"]
    assert report.mac_density("exact") == 1.0
    assert "?" in str(report)


def test_attention_is_counted_inside():
    inputs = keras.Input((5, 6))
    model = keras.Model(inputs, layers.MultiHeadAttention(2, 4)(inputs, inputs))
    report = cost(model, data=np.ones((2, 5, 6), "float32"))
    assert report.not_counted == ()
    assert report.mac_density("exact") == pytest.approx(1.0)
    assert report.macs == 4 * 5 * 6 * 8


def test_compression_with_and_without_biases():
    report = cost(by_hand())
    assert (report.params, report.nonzero_params, report.biases) == (9, 5, 4)
    assert report.compression() == 9 / 5
    assert report.compression(biases=True) == 13 / 5
    assert report.memory_footprint() == report.memory_footprint(biases=True) == 20


def test_frozen_attention_has_its_multiplications_too():
    inputs = keras.Input((5, 6))
    model = keras.Model(inputs, layers.MultiHeadAttention(2, 4)(inputs, inputs))
    model.trainable = False
    assert cost(model).macs == 4 * 5 * 6 * 8


def test_open_sizes_follow_from_the_data():
    model = keras.Sequential([keras.Input((None, None, 1)), layers.Conv2D(2, 3, padding="same")])
    assert cost(model, data=np.ones((2, 4, 4, 1), "float32")).macs == 16 * 18


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"data": 3}, "must be a tuple of arrays"),
        ({"data": []}, "holds no example"),
        ({"data": np.ones((2, 2)), "input_shape": (3,)}, "leave it out"),
    ],
)
def test_bad_data_gets_a_sentence(arguments, message):
    with pytest.raises(ValueError, match=f"(?s){message}.*Received: "):
        cost(by_hand(), **arguments)


def test_examples_of_several_shapes_are_refused():
    model = keras.Sequential([keras.Input((None, 1)), layers.Conv1D(2, 1)])
    data = [(np.ones((1, n, 1), "float32"), np.ones(1)) for n in (3, 4)]
    with pytest.raises(ValueError, match=r"of one shape.*Received: shapes \[\(3, 1\)\]"):
        cost(model, data=data)


def test_densities_need_data_and_a_known_mode():
    report = cost(by_hand())
    with pytest.raises(ValueError, match=r"Received: no data"):
        report.mac_density()
    with pytest.raises(ValueError, match=r"Received: no data"):
        report.activation_density  # noqa: B018
    with pytest.raises(ValueError, match=r"Received: mode='both'"):
        report.mac_density("both")
    assert report.layers[0].input_density is None
