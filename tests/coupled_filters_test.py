"""Filters that can only be cut together go together, and emit nothing."""

import keras
import numpy as np
import pytest

import keras_prune as kp
from tests.surgery.graphs import disturb, smaller

pytestmark = pytest.mark.all_backends
layers = keras.layers


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def residual():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, padding="same", use_bias=False, name="stem")(inputs)
    x = layers.ReLU()(layers.BatchNormalization(name="stem_bn")(x))
    y = layers.Conv2D(16, 3, padding="same", name="wide")(x)
    y = layers.ReLU(6.0)(layers.BatchNormalization(name="wide_bn")(y))
    y = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(y)
    y = layers.ReLU()(layers.BatchNormalization(name="depthwise_bn")(y))
    y = layers.Conv2D(8, 1, use_bias=False, name="narrow")(y)
    x = layers.Add()([x, layers.BatchNormalization(name="narrow_bn")(y)])
    x = layers.GlobalAveragePooling2D()(x)
    return disturb(keras.Model(inputs, layers.Dense(3, name="logits")(x)))


def dead(model, name, kernel="kernel"):
    values = keras.ops.convert_to_numpy(getattr(model.get_layer(name), kernel))
    return ~values.reshape(-1, values.shape[-1]).any(axis=0)


@pytest.mark.parametrize("allocation", ["uniform", "global"])
def test_filters_that_meet_in_a_sum_go_together(allocation):
    model = residual()
    kp.prune(model, 0.5, granularity="filter", allocation=allocation, filters="stem|narrow")
    assert dead(model, "stem").any()
    np.testing.assert_array_equal(dead(model, "stem"), dead(model, "narrow"))


def test_the_score_of_coupled_filters_is_their_mean_in_relation_to_their_layers():
    model = residual()
    stem, narrow = (
        abs(keras.ops.convert_to_numpy(model.get_layer(name).kernel)).reshape(-1, 8).mean(axis=0)
        for name in ("stem", "narrow")
    )
    order = np.argsort(stem / stem.mean() + narrow / narrow.mean())
    kp.prune(model, 0.5, granularity="filter")
    assert set(np.flatnonzero(dead(model, "stem"))) == set(order[:4])


def test_a_pruned_filter_emits_nothing_and_shrinks_behind_borders():
    model = residual()
    kp.prune(model, 0.5, granularity="filter")
    gone = dead(model, "wide")
    for name in ("wide_bn", "depthwise_bn"):
        layer = model.get_layer(name)
        for variable in (layer.gamma, layer.beta):
            np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable) == 0.0, gone)
    assert (keras.ops.convert_to_numpy(model.get_layer("wide").bias)[gone] == 0.0).all()
    small = smaller(model, normal(2, 8, 8, 3))
    assert [small.get_layer(name).filters for name in ("stem", "wide", "narrow")] == [4, 8, 4]


def test_uncoupled_filters_decide_alone_and_keep_their_biases():
    model = residual()
    beta = keras.ops.convert_to_numpy(model.get_layer("wide_bn").beta).copy()
    kp.prune(model, 0.5, granularity=kp.Filter(coupled=False))
    assert (dead(model, "stem") != dead(model, "narrow")).any()
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(model.get_layer("wide_bn").beta), beta)


@pytest.mark.parametrize("use_ema", [False, True])
def test_silence_holds_through_a_training(use_ema):
    model = residual()
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9, use_ema=use_ema)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = len(optimizer.variables)
    callback = kp.PruneCallback(0.5, granularity="filter", schedule=kp.OneShot(0))
    y = np.arange(32) % 3
    model.fit(normal(32, 8, 8, 3), y, batch_size=8, epochs=2, verbose=0, callbacks=[callback])
    gone = dead(model, "wide")
    assert gone.sum() == 8
    for name in ("wide_bn", "depthwise_bn"):
        beta = keras.ops.convert_to_numpy(model.get_layer(name).beta)
        assert (beta[gone] == 0.0).all() and (beta[~gone] != 0.0).all()
    assert model.get_layer("wide_bn").beta.constraint is None
    assert len(model.optimizer.variables) >= before
    small = smaller(model, normal(2, 8, 8, 3))
    assert small.get_layer("wide").filters == 8


def test_the_units_of_a_recurrent_layer_go_with_all_their_gates():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((5, 4)), layers.LSTM(8, name="lstm"), layers.Dense(2)])
    kp.prune(model, 0.5, granularity="filter")
    small = smaller(model, normal(2, 5, 4))
    assert small.get_layer("lstm").units == 4


def test_frozen_layers_and_those_left_out_go_on_emitting():
    model = residual()
    model.get_layer("wide_bn").trainable = False
    beta = keras.ops.convert_to_numpy(model.get_layer("wide_bn").beta).copy()
    kp.prune(model, 0.5, granularity="filter", filters="wide|stem")
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(model.get_layer("wide_bn").beta), beta)
    stem = keras.ops.convert_to_numpy(model.get_layer("stem_bn").beta)
    assert (stem != 0.0).all()  # `narrow`, which adds to the same channels, is not pruned


def test_a_wrong_argument_gets_a_sentence():
    with pytest.raises(ValueError, match=r"must be `True` or `False`\. Received: coupled=1"):
        kp.Filter(coupled=1)
