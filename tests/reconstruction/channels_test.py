import keras
import numpy as np
import pytest

from keras_prune.reconstruction.channels import find_channels, hindrances
from keras_prune.weights import find_weights

layers = keras.layers
pytestmark = pytest.mark.all_backends


def convnet():
    inputs = keras.Input((4, 4, 3))
    x = layers.Conv2D(5, 3, padding="same", name="stem")(inputs)
    x = layers.Conv2D(6, 3, name="second")(x)
    x = layers.Flatten()(x)
    return keras.Model(inputs, layers.Dense(2, name="head")(x))


def residual():
    inputs = keras.Input((6, 6, 2))
    stream = layers.Conv2D(4, 1, name="stem")(inputs)
    branch = layers.Conv2D(5, 3, padding="same", name="first")(stream)
    branch = layers.Conv2D(4, 3, padding="same", name="second")(branch)
    x = layers.GlobalAveragePooling2D()(layers.Add()([stream, branch]))
    return keras.Model(inputs, layers.Dense(2, name="head")(x))


def silence(model, name, *channels):
    kernel = model.get_layer(name).kernel
    values = np.array(keras.ops.convert_to_numpy(kernel))
    values[..., list(channels), :] = 0.0
    kernel.assign(values)


def test_inputs_of_one_channel_go_together_behind_a_flatten():
    model = convnet()
    stem, second, head = find_channels(model, find_weights(model))
    assert stem.required.all()
    assert stem.reason == "it is an input of the model"
    np.testing.assert_array_equal(second.owners, np.arange(5))
    assert not second.required.any() and second.reason is None
    np.testing.assert_array_equal(head.owners, np.tile(np.arange(6), 4))  # 2 x 2 places
    np.testing.assert_array_equal(head.members(1).sum(axis=0), [4.0] * 6)
    np.testing.assert_array_equal(second.members(9).sum(axis=0), [9.0] * 5)
    np.testing.assert_array_equal(second.members(9)[5 + 3], np.arange(5) == 3)
    assert not find_channels(model, find_weights(model), cut_inputs=True)[0].required.any()


def test_channels_that_nobody_else_reads_can_be_cut():
    model = convnet()
    silence(model, "second", 1, 3)
    silence(model, "head", *range(2, 24, 6))
    assert hindrances(model, find_weights(model)) == [None, None, None]


def test_other_readers_of_a_residual_stream_are_named():
    model = residual()
    weights = find_weights(model)
    assert not find_channels(model, weights)[1].required.any()
    silence(model, "first", 0, 2, 3)
    silence(model, "second", 4)
    _, first, second, head = hindrances(model, weights)
    reader = "3 of 3: `head` (Dense) reads them too"
    assert first == f"zero channels that stay in the model: {reader}"
    assert second is None and head is None
    silence(model, "head", 0, 1)  # what both do not read can go
    _, first, _, head = hindrances(model, weights)
    assert first == "zero channels that stay in the model: 2 of 3: `head` (Dense) reads them too"
    assert head == "zero channels that stay in the model: 1 of 2: `first` (Conv2D) reads them too"


def test_where_units_stay_the_reason_is_told():
    inputs = keras.Input((4,))
    x = layers.LayerNormalization(name="norm")(layers.Dense(5)(inputs))
    model = keras.Model(inputs, layers.Dense(2, name="head")(layers.Concatenate()([x, inputs])))
    _, head = find_channels(model, find_weights(model))
    assert head.required.all() and head.reason == "it is an input of the model"
    silence(model, "head", 0, 8)
    text = hindrances(model, find_weights(model))[1]
    assert "1 of 2: " in text and "it is an input of the model" in text and "`norm`" in text


def test_a_layer_along_another_axis_has_channels_that_stay():
    inputs = keras.Input((3, 4))
    x = layers.Permute((2, 1))(layers.Dense(5)(inputs))
    model = keras.Model(inputs, layers.Dense(2)(x))
    _, head = find_channels(model, find_weights(model))
    assert head.required.all() and head.reason == "surgery does not know what it reads"


def test_a_model_that_cannot_be_followed_has_one_channel_for_each_input():
    class Odd(keras.Model):
        def __init__(self):
            super().__init__()
            self.one, self.two = layers.Dense(4), layers.Dense(2)

        def call(self, inputs):
            value = float(keras.ops.convert_to_numpy(keras.ops.sum(inputs)))  # not symbolic
            return self.two(self.one(inputs) * (value > 0.0))

    model = Odd()
    model(np.ones((1, 3), "float32"))
    one, two = find_channels(model, find_weights(model))
    assert len(one.required) == 3 and not two.required.any()
    texts = hindrances(model, find_weights(model))
    assert "cannot be followed" in texts[1]
