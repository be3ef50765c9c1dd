"""Floats as bit patterns: exact choices between values, for every float type and fast.

`np.where` branches on every weight and numpy has no fast loops for bfloat16 and float16; integer
arithmetic on the patterns has neither fault.
"""

import keras
import numpy as np


def values(variable):
    """The value of a variable as numpy array of its own dtype."""
    # Through a tensor: Keras copies a variable twice on TensorFlow and torch.
    tensor = keras.ops.cast(variable, keras.backend.standardize_dtype(variable.dtype))
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def nonzero(array):
    """True where an array is not zero; -0.0 is zero.

    Args:
        array: Array of floats of any kind, or of ints.

    Returns:
        Bool array of the same shape.
    """
    if array.itemsize == 2 and array.dtype.kind not in "iu":
        return (_bits(array) & np.uint16(0x7FFF)) != 0
    return array != 0


def count_nonzero(variable):
    """Int. How many entries of a variable are not zero."""
    return int(np.count_nonzero(nonzero(values(variable))))


def choose(array, keep, fill=0.0):
    """`array` where `keep`, else `fill`, bit for bit: what is not kept leaves no sign and no NaN.

    Args:
        array: Float array.
        keep: Bool array of that shape.
        fill: Float. Defaults to `0.0`.

    Returns:
        New array of the shape and dtype of `array`.
    """
    patterns = _bits(array)
    filling = _bits(np.full((), fill, array.dtype))
    if not filling:
        return np.multiply(patterns, keep).view(array.dtype)
    # (pattern - filling) * keep + filling, modulo two to the power of the width.
    chosen = np.subtract(patterns, filling)
    np.multiply(chosen, keep, out=chosen)
    np.add(chosen, filling, out=chosen)
    return chosen.view(array.dtype)


def _bits(array):
    return array.view(f"u{array.itemsize}")
