import keras
import numpy as np
import pytest

from keras_prune.export.zeros import check_zeros
from tests.export.tflite_models import add_tensor, empty_model

KERNEL = np.array([[1, 0, 2], [0, 3, 0]], np.float32)  # 2 inputs, 3 units


def dense_model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="top")])
    model.layers[0].kernel.assign(KERNEL)
    return model


def parsed(*arrays):
    model = empty_model()
    for array in arrays:
        kind = {"float32": "FLOAT32", "int8": "INT8"}[array.dtype.name]
        add_tensor(model, array.shape, kind, np.ascontiguousarray(array))
    return model


def test_zeros_are_found_in_either_order():
    for stored in (KERNEL.T, KERNEL, KERNEL.T.astype(np.int8)):
        assert check_zeros(dense_model(), parsed(np.ones((3, 3), np.float32), stored)) == []


def test_the_file_may_have_more_zeros():
    assert check_zeros(dense_model(), parsed(np.zeros((3, 2), np.int8))) == []


def test_a_lost_zero_is_an_error():
    stored = KERNEL.T.copy()
    stored[0, 1] = 1e-9
    with pytest.raises(ValueError, match=r"weight='.*top/kernel', sparsity=0\.500"):
        check_zeros(dense_model(), parsed(stored))


def test_convolution_kernels():
    model = keras.Sequential([keras.Input((5, 5, 2)), keras.layers.Conv2D(4, 3, name="c")])
    kernel = np.random.default_rng(0).integers(0, 2, (3, 3, 2, 4)).astype(np.float32)
    model.layers[0].kernel.assign(kernel)
    assert check_zeros(model, parsed(kernel.transpose(3, 0, 1, 2))) == []
    with pytest.raises(ValueError, match="c/kernel"):
        check_zeros(model, parsed(kernel.transpose(3, 1, 0, 2)))


def test_other_layers_get_a_note():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Embedding(4, 2, name="words")])
    model.layers[0].embeddings.assign(np.zeros((4, 2)))
    notes = check_zeros(model, parsed(np.ones((4, 2), np.float32)))
    assert len(notes) == 1
    assert notes[0].endswith("words/embeddings could not be traced in the file")
