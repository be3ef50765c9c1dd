import keras
import ml_dtypes
import numpy as np
import pytest

from keras_prune.float_bits import choose, count_nonzero, nonzero

TYPES = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
VALUES = [0.0, -0.0, 1.5, -2.0, np.inf, -np.inf, np.nan, 6e-8, -6e-8]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("fill", [0.0, -np.inf, np.inf, -1.5])
def test_what_is_not_kept_is_the_filling_and_nothing_else(dtype, fill):
    array = np.array([*VALUES, *VALUES], dtype).reshape(3, 6).T
    keep = np.arange(18).reshape(6, 3) % 2 == 0
    chosen = choose(array, keep, fill)
    pattern = f"u{array.itemsize}"
    expected = np.where(keep, array, np.array(fill, dtype))
    np.testing.assert_array_equal(chosen.view(pattern), expected.view(pattern))
    assert chosen.dtype == array.dtype
    assert not np.shares_memory(chosen, array)


@pytest.mark.parametrize("dtype", TYPES)
def test_minus_zero_is_zero_and_the_smallest_number_is_not(dtype):
    array = np.array([0.0, -0.0, 6e-8, -6e-8, np.nan, np.inf], dtype)
    assert nonzero(array).tolist() == [False, False, True, True, True, True]


def test_quantized_kernels_have_zeros_too():
    assert nonzero(np.array([0, -128, 1], np.int8)).tolist() == [False, True, True]
    assert nonzero(np.array([0, -32768, 1], np.int16)).tolist() == [False, True, True]


@pytest.mark.all_backends
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_nonzero_entries_of_a_variable(dtype):
    assert count_nonzero(keras.Variable([[0.0, 1.0], [-0.0, -3.0]], dtype=dtype)) == 2
