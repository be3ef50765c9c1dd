import keras
import numpy as np
import pytest

from keras_prune.layers import ChannelScale

pytestmark = pytest.mark.all_backends


@pytest.mark.parametrize("axis", [-1, 1, 2])
def test_every_channel_has_its_factor(axis):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")
    layer = ChannelScale(axis, gamma_initializer=keras.initializers.RandomNormal(seed=0))
    y = keras.ops.convert_to_numpy(layer(x))
    gamma = keras.ops.convert_to_numpy(layer.gamma)
    assert gamma.shape == (x.shape[axis],)
    expected = np.moveaxis(np.moveaxis(x, axis, -1) * gamma, -1, axis)
    np.testing.assert_allclose(y, expected, rtol=1e-6)


def test_it_is_saved_trained_and_masked(tmp_path):
    regularizer = keras.regularizers.L1(0.25)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            ChannelScale(gamma_regularizer=regularizer, gamma_constraint="non_neg", name="scale"),
        ]
    )
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.get_layer("scale").gamma.assign([1.0, 0.5, 0.25, 0.125])
    model.fit(np.zeros((2, 4)), np.zeros((2, 4)), verbose=0)  # the penalty alone moves them
    gamma = keras.ops.convert_to_numpy(model.get_layer("scale").gamma)
    np.testing.assert_allclose(gamma, [0.75, 0.25, 0.0, 0.0])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.get_layer("scale").get_config() == model.get_layer("scale").get_config()
    np.testing.assert_array_equal(loaded.predict(np.ones((1, 4)), verbose=0), [gamma])
    assert model.get_layer("scale").supports_masking


def test_mixed_precision():
    layer = ChannelScale(dtype="mixed_bfloat16")
    y = layer(np.ones((2, 3), "float32"))
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
    assert layer.gamma.dtype == "float32"


def test_bad_axes_get_a_sentence():
    with pytest.raises(ValueError, match=r"not 0, the batch\. Received: axis=0"):
        ChannelScale(axis=0)
    with pytest.raises(ValueError, match=r"no axis 3 to scale\. Received: input_shape="):
        ChannelScale(axis=3).build((None, 4))
    with pytest.raises(ValueError, match=r"how many channels.*Received: input_shape="):
        ChannelScale().build((None, 4, None))
