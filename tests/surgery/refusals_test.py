"""Broken and unsupported models get one sentence, and stay as they are."""

import keras
import numpy as np
import pytest

import keras_prune as kp
from tests.surgery.graphs import disturb, smaller

pytestmark = pytest.mark.all_backends
layers = keras.layers


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


class Doubled(keras.layers.Dense):
    """A subclass may do anything."""

    def call(self, x, training=None):
        return 2.0 * super().call(x, training=training)


class Reversed(keras.layers.Layer):
    def call(self, x):
        return keras.ops.flip(x, axis=-1)


def around(*middle, first=None, shape=(8, 8, 3)):
    """A model with some layers between one that could be cut and its reader."""
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input(shape)
    x = (first or layers.Dense(8, name="cut"))(x)
    for layer in middle:
        x = layer(x)
    if len(x.shape) > 2:
        x = layers.Flatten()(x)
    return disturb(keras.Model(inputs, layers.Dense(2, name="logits")(x)))


# Layers that keep all units, and how their sentence ends.
KEEPING = [
    (lambda: layers.LayerNormalization(), "takes its statistics over all units"),
    (lambda: layers.RMSNormalization(), "takes its statistics over all units"),
    (lambda: layers.UnitNormalization(), "takes its statistics over all units"),
    (lambda: layers.Softmax(), "takes its statistics over all units"),
    (lambda: layers.Activation("softmax"), "mixes all units"),
    (
        lambda: layers.Lambda(lambda x: keras.ops.flip(x, -1), output_shape=(8, 8, 8)),
        "is not known to surgery",
    ),
    (lambda: Reversed(), "is not known to surgery"),
    (lambda: Doubled(8), "is not known to surgery"),
    (lambda: keras.ops.sort, "is not known to surgery"),
    (lambda: lambda x: keras.ops.max(x, axis=-1, keepdims=True), "works along the axis of the"),
    (lambda: lambda x: x + np.arange(8.0, dtype="float32"), "does not come out of a layer"),
    (lambda: layers.Reshape((8, 8, 4, 2)), "spreads the units over several axes"),
    (lambda: layers.Permute((3, 1, 2)), None),
    (lambda: layers.BatchNormalization(axis=1), "normalizes another axis"),
    (lambda: layers.GroupNormalization(4, axis=1), "normalizes another axis"),
    (lambda: layers.Rescaling([1.0] * 8), "has a scale for each unit"),
    (lambda: layers.TimeDistributed(layers.Dense(4)), "is not known to surgery"),
    (lambda: layers.EinsumDense("abcd,bde->abce", (8, 8, 4)), "which is no plain dense layer"),
    (lambda: lambda x: x[..., :4], "is not known to surgery"),
    (lambda: lambda x: keras.ops.reshape(x, (-1, 512)), None),
]


@pytest.mark.parametrize("make, text", KEEPING)
def test_units_stay_where_nobody_knows_better_and_the_reason_is_told(make, text):
    model = around(make())
    kp.prune(model, 0.5, granularity=kp.Filter(coupled=False), filters="cut")
    if text is None:
        assert smaller(model, normal(2, 8, 8, 3)).get_layer("cut").units == 4
        return
    assert smaller(model, normal(2, 8, 8, 3)).get_layer("cut").units == 8
    kept = kp.plan_shrink(model).kept["cut"]
    assert any(text in sentence for sentence in kept), kept


def test_quantized_layers_are_left_alone():
    model = around(layers.Dense(8, name="next"))
    kp.prune(model, 0.5, granularity="filter", filters="cut")
    model.get_layer("next").quantize("int8")
    kept = kp.plan_shrink(model).kept["cut"]
    assert any("is quantized or has LoRA weights" in sentence for sentence in kept)


def test_outputs_and_inputs_stay():
    model = around()
    model.get_layer("logits").kernel.assign(np.zeros((512, 2)))
    assert kp.plan_shrink(model).kept["logits"] == {"it makes the model's outputs": 2}
    assert smaller(model, normal(2, 8, 8, 3)).output_shape == (None, 2)


class Stubborn(keras.layers.Layer):
    """Its config does not say what it needs."""

    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = function

    def call(self, x):
        return self.function(x)


def test_a_layer_that_cannot_be_made_again_is_named():
    model = around(Stubborn(keras.ops.relu, name="stubborn"))
    with pytest.raises(ValueError, match="Layer `stubborn` cannot be made again from its"):
        kp.shrink(model)


class Untraceable(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(4)

    def call(self, x):
        if float(keras.ops.convert_to_numpy(x).sum()) > 0.0:  # a symbolic tensor has no values
            return self.dense(x)
        return -self.dense(x)


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda m: kp.shrink("model"), "Expected a `keras.Model`. Received: model=model"),
        (lambda m: kp.shrink(m, round_to=0), "at least 1. Received: round_to=0"),
        (lambda m: kp.shrink(m, round_to=2.0), "at least 1. Received: round_to=2.0"),
        (lambda m: kp.shrink(m, min_width=True), "at least 1. Received: min_width=True"),
        (lambda m: kp.shrink(keras.Sequential([layers.Dense(3)])), "has no weights yet"),
        (lambda m: kp.shrink(m, target="z80"), "Unknown target. Expected a name that begins"),
        (lambda m: kp.resize(m, {"cut": -1}), "must be an integer from 1 to 8"),
    ],
)
def test_wrong_arguments_get_a_sentence(call, text):
    model = around()
    before = model.get_weights()
    with pytest.raises(ValueError, match=text):
        call(model)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_model_that_cannot_be_followed_is_refused_and_left_alone():
    model = Untraceable()
    model(normal(2, 3))
    before = model.get_weights()
    with pytest.raises(ValueError, match="cannot be followed on symbolic tensors"):
        kp.shrink(model)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    assert not model.dense._inbound_nodes


def test_sizes_that_are_open_do_not_hinder():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 3))
    x = layers.Conv2D(8, 3, padding="same", name="cut")(inputs)
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(x))
    model = keras.Model(inputs, layers.Dense(2)(x))
    kp.prune(model, 0.5, granularity="filter")
    small = smaller(model, normal(2, 5, 7, 3))
    assert small.get_layer("cut").filters == 4 and small.input_shape == (None, None, None, 3)


def test_a_layer_that_is_called_on_its_own_output_keeps_what_both_calls_need():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6,))
    again = layers.Dense(6, "relu", name="again")
    x = layers.Dense(6, name="first")(inputs)
    model = disturb(keras.Model(inputs, layers.Dense(2)(again(again(x)))))
    kp.prune(model, 0.5, granularity="filter")
    small = smaller(model, normal(3, 6))
    assert small.get_layer("again").kernel.shape[0] == small.get_layer("again").kernel.shape[1]


def test_wrong_masks_are_cut_as_far_as_they_go():
    model = around()
    kernel = keras.ops.convert_to_numpy(model.get_layer("cut").kernel)
    kernel[0, :5] = 0.0  # no unit is dead
    model.get_layer("cut").kernel.assign(kernel)
    assert smaller(model, normal(2, 8, 8, 3)).count_params() == model.count_params()
    model.get_layer("cut").kernel.assign(np.full(kernel.shape, np.nan))
    assert kp.plan_shrink(model).widths["cut"] == (8, 8)
