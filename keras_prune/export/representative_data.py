"""Sample inputs for quantization, whatever form the user has them in."""

import itertools

import numpy as np

MAX_SAMPLES = 1000


def samples_of(data, inputs):
    """Split representative data into single samples.

    Args:
        data: Array (samples, ...); list or tuple of such arrays or dict of name to array for a
            model of several inputs; or an iterable of batches (`tf.data.Dataset`,
            `keras.utils.PyDataset`, generator) of these, also as `(x, y)` pairs. At most
            1000 samples are taken.
        inputs: List of `KerasTensor`. The model's inputs.

    Returns:
        List of samples, each a list of arrays (1, ...), one for each input.

    Raises:
        ValueError: If there is no sample, or if a sample does not fit the inputs.
    """
    if data is None or isinstance(data, (str, bytes)):
        raise ValueError(
            "Argument `representative_data` must be an array, or an iterable of batches. "
            f"Received: representative_data={data!r}"
        )
    batches = [data] if _is_batch(data, inputs) else _batches(data)
    singles = (single for batch in batches for single in _singles(batch, inputs))
    samples = list(itertools.islice(singles, MAX_SAMPLES))
    if not samples:
        raise ValueError("Argument `representative_data` holds no sample. Received: no batch")
    return samples


def _is_array(value):
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _is_batch(data, inputs):
    if _is_array(data) or isinstance(data, dict):
        return True
    several = isinstance(data, (list, tuple)) and len(data) == len(inputs) > 1
    return several and all(_is_array(value) for value in data)


def _batches(data):
    if hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        return (data[index] for index in range(len(data)))
    try:
        return iter(data)
    except TypeError:
        raise ValueError(
            "Argument `representative_data` must be an array, or an iterable of batches. "
            f"Received: representative_data of type {type(data).__name__}"
        ) from None


def _singles(batch, inputs):
    arrays = [np.asarray(value) for value in _arrays(batch, inputs)]
    for array, tensor in zip(arrays, inputs, strict=True):
        expected = tuple(tensor.shape[1:])
        fits = array.ndim == len(expected) + 1 and all(
            size in (None, have) for size, have in zip(expected, array.shape[1:], strict=True)
        )
        if not fits or array.dtype.kind not in "fiub":
            raise ValueError(
                "A batch of `representative_data` does not fit the model's input "
                f"{tensor.name!r} of shape {(None, *expected)}. "
                f"Received: shape={array.shape}, dtype={array.dtype}"
            )
    for index in range(min(len(array) for array in arrays)):
        yield [
            array[index : index + 1].astype(tensor.dtype)
            for array, tensor in zip(arrays, inputs, strict=True)
        ]


def _arrays(batch, inputs):
    names = [tensor.name for tensor in inputs]
    if isinstance(batch, dict) and set(names) <= set(batch):
        return [batch[name] for name in names]
    if isinstance(batch, dict):
        raise ValueError(
            "A batch of `representative_data` lacks an input of the model. "
            f"Expected the names {names}. Received: names={sorted(batch)}"
        )
    if not isinstance(batch, (list, tuple)):
        return [batch]
    if len(batch) == len(inputs):
        return list(batch)
    # What `fit()` takes, (x, y) or (x, y, sample_weight): the inputs come first.
    if batch:
        return _arrays(batch[0], inputs)
    return []
