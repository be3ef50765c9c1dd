import keras
import numpy as np
import pytest

from keras_prune.layers import ParameterFreeShortcut

pytestmark = pytest.mark.all_backends
X = np.arange(2 * 5 * 4 * 3, dtype="float32").reshape(2, 5, 4, 3)


@pytest.mark.parametrize("filters", [1, 3, 5])
@pytest.mark.parametrize("strides", [1, 2, 3])
def test_positions_and_channels(filters, strides):
    layer = ParameterFreeShortcut(filters, strides)
    expected = np.zeros((*X[:, ::strides, ::strides].shape[:3], filters), "float32")
    kept = min(filters, 3)
    expected[..., :kept] = X[:, ::strides, ::strides, :kept]
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(X)), expected)
    assert layer.compute_output_shape(X.shape) == expected.shape
    same = keras.layers.Conv2D(filters, 3, strides, padding="same")
    assert same.compute_output_shape(X.shape) == expected.shape
    assert layer.count_params() == 0


def test_it_is_saved_with_the_model(tmp_path):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, ParameterFreeShortcut(5, 2)(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(m(X)) for m in (model, loaded)))
    assert model.output_shape == (None, None, None, 5)


@pytest.mark.parametrize("arguments", [{"filters": 0}, {"filters": 2, "strides": 1.5}])
def test_bad_sizes_get_a_sentence(arguments):
    with pytest.raises(ValueError, match=r"must be an int >= 1. Received: "):
        ParameterFreeShortcut(**arguments)
    with pytest.raises(ValueError, match=r"known number of channels. Received: "):
        ParameterFreeShortcut(3)(np.ones((2, 3), "float32"))
