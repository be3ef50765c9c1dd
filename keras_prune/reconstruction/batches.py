"""Calibration data in the forms that `fit` takes, as a list of batches."""

import keras
import numpy as np
from keras import tree


def batches_of(data, batch_size):
    """Split calibration data into batches and hold them in memory.

    Args:
        data: What `fit` takes: an array (samples, ...), a dict of arrays, a tuple (x, y), or
            an iterable of batches (`tf.data.Dataset`, `keras.utils.PyDataset`, list).
        batch_size: Int. Samples in a batch, where `data` are arrays.

    Returns:
        List of pairs (x, y) of arrays or structures of them; y is `None` where there is none.

    Raises:
        ValueError: If there is no sample or `data` is of another kind.
    """
    if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size < 1:
        raise ValueError(
            f"Argument `batch_size` must be an int >= 1. Received: batch_size={batch_size}"
        )
    if _is_array(data) or isinstance(data, (dict, tuple)):
        batches = _split(data, batch_size)
    else:
        batches = [_pair(batch) for batch in _iterate(data)]
    if not batches:
        raise ValueError("Argument `data` holds no sample. Received: no batch")
    return batches


def _split(data, batch_size):
    data = _pair(data)
    sizes = {len(array) for array in tree.flatten(data) if array is not None}
    if len(sizes) != 1:
        raise ValueError(
            f"The arrays of `data` must be of one length. Received: lengths {sorted(sizes)}"
        )
    return [
        tree.map_structure(lambda a, i=i: None if a is None else a[i : i + batch_size], data)
        for i in range(0, sizes.pop(), batch_size)
    ]


def _iterate(data):
    if isinstance(data, keras.utils.PyDataset):
        return (data[index] for index in range(len(data)))
    try:
        if isinstance(data, (str, bytes)):
            raise TypeError
        return iter(data)
    except TypeError:
        raise ValueError(
            "Argument `data` must be an array, a tuple (x, y), or an iterable of batches. "
            f"Received: data of type {type(data).__name__}"
        ) from None


def _pair(batch):
    x, y = (*batch, None)[:2] if isinstance(batch, tuple) and batch else (batch, None)
    return tree.map_structure(_array, (x, y))


def _array(value):
    if value is None or isinstance(value, np.ndarray):
        return value
    if _is_array(value):
        return keras.ops.convert_to_numpy(value)
    raise ValueError(f"Expected `data` to hold arrays. Received: {type(value).__name__}")


def _is_array(value):
    return hasattr(value, "shape") and hasattr(value, "dtype") and len(value.shape) > 0
