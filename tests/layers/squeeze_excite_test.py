"""Channels weighted by the whole map, against the formula."""

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.layers import SqueezeExcite

pytestmark = pytest.mark.all_backends
layers = keras.layers


def images(channels=8):
    return np.random.default_rng(0).normal(size=(3, 5, 4, channels)).astype("float32")


def outputs(layer, x):
    return keras.ops.convert_to_numpy(layer(keras.ops.convert_to_tensor(x)))


def test_it_is_the_formula():
    keras.utils.set_random_seed(0)
    layer, x = SqueezeExcite(ratio=4), images()
    found = outputs(layer, x)
    w1, b1, w2, b2 = (keras.ops.convert_to_numpy(weight) for weight in layer.weights)
    assert w1.shape == (8, 2)
    s = 1 / (1 + np.exp(-(np.maximum(x.mean((1, 2)) @ w1 + b1, 0) @ w2 + b2)))
    np.testing.assert_allclose(found, x * s[:, None, None, :], atol=1e-6)


def test_without_weights_all_is_halved():
    layer, x = SqueezeExcite(), images()
    layer.build(x.shape)
    layer.expand.kernel.assign(np.zeros((1, 8)))
    np.testing.assert_array_equal(outputs(layer, x), 0.5 * x)


def test_channels_may_change_places():
    keras.utils.set_random_seed(0)
    layer, x, order = SqueezeExcite(2), images(), np.random.default_rng(1).permutation(8)
    expected = outputs(layer, x)[..., order]
    w1, _, w2, _ = layer.weights
    w1.assign(keras.ops.convert_to_numpy(w1)[order])
    w2.assign(keras.ops.convert_to_numpy(w2)[:, order])
    np.testing.assert_allclose(outputs(layer, x[..., order]), expected, atol=1e-6)


def test_channels_that_come_first():
    keras.utils.set_random_seed(0)
    last, first, x = SqueezeExcite(2), SqueezeExcite(2, data_format="channels_first"), images()
    expected = outputs(last, x)
    first.build((None, 8, 5, 4))
    first.set_weights(last.get_weights())
    found = outputs(first, x.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_it_trains_saves_and_is_counted(tmp_path):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5, 4, 8))
    x = SqueezeExcite(2, name="se")(layers.Conv2D(8, 3, padding="same", activation="relu")(inputs))
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(images(), np.array([0, 1, 1]), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(outputs(again, images()), outputs(model, images()), atol=1e-6)
    paths = [layer.path for layer in kp.cost(model).layers]
    assert paths[1:3] == ["se/reduce", "se/expand"]


@pytest.mark.parametrize(
    "arguments, shape, sentence",
    [
        ({"ratio": 0}, (None, 4, 4, 8), r"`ratio`.*Received: ratio=0"),
        ({"data_format": "last"}, (None, 4, 4, 8), r"Received: data_format='last'"),
        ({}, (None, 8), r"needs inputs \(batch, ..., channels\)"),
        ({}, (None, 4, 4, None), r"known number of channels"),
    ],
)
def test_wrong_arguments(arguments, shape, sentence):
    with pytest.raises(ValueError, match=sentence):
        SqueezeExcite(**arguments).build(shape)
