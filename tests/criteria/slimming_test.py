import keras
import numpy as np
import pytest

from keras_prune.analysis.channel_scales import find_scales
from keras_prune.callbacks import PruneCallback
from keras_prune.criteria import BatchNormScale
from keras_prune.granularity import Filter
from keras_prune.layers import ChannelScale
from keras_prune.one_shot import prune
from keras_prune.pruner import Pruner
from keras_prune.weights import find_weights
from tests.small_models import kernels, mlp, toy_data

layers = keras.layers
pytestmark = pytest.mark.all_backends


def network(size=8):
    """Factors behind two convolutions and a dense layer, in three ways; logits without."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((size, size, 1)),
            layers.Conv2D(4, 3, name="first"),
            layers.BatchNormalization(name="first_norm"),
            layers.ReLU(),
            layers.Conv2D(6, 3, activation="relu", name="second"),
            layers.Dropout(0.5),
            layers.MaxPooling2D(2),
            layers.BatchNormalization(name="second_norm"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(5, name="third"),
            ChannelScale(name="third_scale"),
            layers.ReLU(),
            layers.Dense(2, name="logits"),
        ]
    )


def plant(model, **gammas):
    for name, values in gammas.items():
        model.get_layer(name).gamma.assign(values)


def zero_filters(model, name):
    kernel = keras.ops.convert_to_numpy(model.get_layer(name).kernel)
    return np.flatnonzero(~kernel.reshape(-1, kernel.shape[-1]).any(axis=0)).tolist()


def test_filters_with_small_factors_go_by_one_threshold_over_all_layers():
    model = network()
    plant(
        model,
        first_norm=[0.9, -0.1, 0.5, 0.2],
        second_norm=[0.05, 2.0, -3.0, 0.3, 1.0, 1.0],
        third_scale=[1.0, -0.01, 1.0, 1.0, 1.0],
    )
    scores = BatchNormScale().scores(find_weights(model)[:3], BatchNormScale().probe(model, None))
    for score, name in zip(scores, ("first_norm", "second_norm", "third_scale"), strict=True):
        gamma = keras.ops.convert_to_numpy(model.get_layer(name).gamma)
        np.testing.assert_array_equal(score, np.broadcast_to(np.abs(gamma), score.shape))
    # 36 + 216 + 30 weights in filters of 9, 36 and 6. Two of the smallest factors: 42 weights.
    report = prune(model, 42 / 282, "batch_norm_scale", "filter", "global")
    assert report.reached
    assert zero_filters(model, "third") == [1]
    assert zero_filters(model, "second") == [0]
    assert zero_filters(model, "first") == []
    (skipped,) = report.skipped
    assert skipped.path.endswith("logits/kernel")
    assert skipped.skip == "no BatchNormalization or ChannelScale follows it alone"


def test_a_planted_zero_factor_makes_pruning_change_nothing():
    model = network()
    plant(model, first_norm=[1.0, 0.0, 1.0, 1.0], second_norm=[1, 1, 0, 1, 1, 1])
    plant(model, third_scale=[1, 1, 1, 1, 0])
    model.get_layer("first_norm").beta.assign([0.3, 0.4, 0.5, 0.6])
    x = np.random.default_rng(0).normal(size=(5, 8, 8, 1)).astype("float32")
    before = model.predict(x, verbose=0)
    prune(model, (9 + 36 + 6) / 282, "batch_norm_scale", Filter(coupled=False), "global")
    assert [zero_filters(model, n) for n in ("first", "second", "third")] == [[1], [2], [4]]
    np.testing.assert_allclose(model.predict(x, verbose=0), before, rtol=1e-5, atol=1e-6)


def scales_of(model):
    weights = find_weights(model)
    found = find_scales(model, weights)
    return {weight.path.split("/")[-2]: found[id(weight.variable)] for weight in weights}


def test_what_has_no_factors_of_its_own_is_told():
    inputs = keras.Input((8, 8, 4))
    y = layers.Conv2D(4, 3, padding="same", name="summed")(inputs)
    y = layers.BatchNormalization(name="after_sum")(layers.Add()([y, inputs]))
    wide = layers.Conv2D(4, 3, padding="same", name="shared")(y)
    y = layers.Add()([layers.BatchNormalization()(wide), wide])
    y = layers.Conv2D(4, 3, padding="same", name="no_gamma")(y)
    y = layers.BatchNormalization(scale=False, name="plain")(y)
    y = layers.Conv2D(6, 3, padding="same", name="other_axis")(y)
    y = layers.BatchNormalization(axis=1, name="rows")(y)
    y = layers.Conv2D(6, 3, padding="same", groups=2, name="grouped")(y)
    y = layers.BatchNormalization(name="grouped_norm")(y)
    y = layers.Flatten()(y)
    twice, one, two = layers.Dense(3, name="twice"), ChannelScale(), ChannelScale()
    y = layers.Concatenate()([one(twice(y)), two(twice(y))])
    model = keras.Model(inputs, layers.Dense(2, name="logits")(y))
    found = scales_of(model)
    assert found["summed"] == found["shared"] == found["logits"]
    assert "follows it alone" in found["summed"]
    assert found["no_gamma"] == "plain behind it has no scaling factors: it needs `scale=True`"
    assert found["other_axis"] == "rows behind it has another axis than the layer's outputs"
    assert found["grouped"] is model.get_layer("grouped_norm").gamma
    assert "called several times" in found["twice"]
    report = prune(model, 0.5, "batch_norm_scale", "filter")
    assert [weight.path.split("/")[-2] for weight in report.pruned] == ["grouped"]


def test_open_sizes_and_nested_models_are_no_obstacle():
    inner = keras.Sequential([layers.Conv2D(3, 3, name="inside"), layers.BatchNormalization()])
    inputs = keras.Input((None, None, 2))
    y = layers.GlobalAveragePooling2D()(inner(inputs))
    model = keras.Model(inputs, layers.Dense(2, name="logits")(y))
    assert scales_of(model)["inside"] is inner.layers[1].gamma


def test_a_model_without_factors_is_refused():
    with pytest.raises(ValueError, match=r"(?s)no weight that can be pruned.*hidden.*follows it"):
        prune(mlp(), 0.5, "batch_norm_scale", "filter")
    model = mlp()
    criterion = BatchNormScale()
    with pytest.raises(ValueError, match=r"no scaling factors.*Received: .*hidden/kernel"):
        criterion.scores(find_weights(model), criterion.probe(model, None))


def test_a_model_that_does_not_know_its_inputs_is_refused():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.norm = layers.Dense(3), layers.BatchNormalization()

        def call(self, inputs):
            return self.norm(self.dense(inputs["x"]))

        def get_build_config(self):
            return None

    model = Own()
    model({"x": np.ones((2, 4), "float32")})
    with pytest.raises(ValueError, match=r"does not tell the shape of its inputs.*Received: "):
        Pruner(0.5, "batch_norm_scale", "filter").prune(model)


def test_in_training():
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(10, name="hidden"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dense(3),
        ]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    callback = PruneCallback(0.5, "batch_norm_scale", "filter")
    model.fit(*toy_data(), epochs=2, batch_size=8, verbose=0, callbacks=[callback])
    assert callback.report.reached
    assert (~kernels(model)[0].any(axis=0)).sum() == 5
