"""Training data, whatever form the user has them in, as batches of arrays."""

import keras
import numpy as np


def check_data(data):
    """Refuse what cannot be read again and again as batches of (x, y).

    Args:
        data: What a user passed as `data`.

    Raises:
        ValueError: If it is no tuple of arrays and no iterable, can be read only once, or
            never ends.
    """
    if isinstance(data, tuple):
        if len(data) not in (2, 3):
            raise ValueError(_expected(f"a tuple of {len(data)}"))
        arrays = [array for array in keras.tree.flatten(data) if array is not None]
        if not arrays or not all(map(_is_array, arrays)):
            raise ValueError(_expected("a tuple of something else than arrays"))
        rows = {tuple(array.shape)[:1] for array in arrays}
        if len(rows) != 1 or rows & {(), (0,)}:
            raise ValueError(
                "The arrays in `data` must all have the same number of examples, at least one. "
                f"Received: {sorted(sum(rows, ()))} examples"
            )
    elif isinstance(data, (str, bytes, dict)) or _is_array(data) or not _is_iterable(data):
        raise ValueError(_expected(type(data).__name__))
    elif hasattr(data, "__next__"):
        raise ValueError(
            "`data` is read more than once, and an iterator ends with the first reading: pass a "
            f"list of its batches. Received: data={type(data).__name__}"
        )
    elif hasattr(data, "cardinality") and int(data.cardinality()) == -1:
        raise ValueError(
            "`data` has no end: `data.take(n)` makes n batches of it. "
            f"Received: data={type(data).__name__}"
        )


def labelled(data):
    """Arrays x alone, or a dict of them, as the tuple (x, y) that data come in."""
    alone = isinstance(data, dict) or _is_array(data)
    return (data, None) if alone else data


def inputs_of(data, batch_size):
    """Iterate over batches of inputs, at least one.

    Args:
        data: As for `batches_of`, or what `labelled` takes.
        batch_size: Int.

    Yields:
        Structures of numpy arrays.

    Raises:
        ValueError: If `data` holds no example.
    """
    empty = True
    for x, _, _ in batches_of(labelled(data), batch_size):
        empty = False
        yield x
    if empty:
        raise ValueError("Argument `data` holds no example. Received: no batch")


def batches_of(data, batch_size):
    """Iterate over batches.

    Args:
        data: Tuple of arrays (x, y) or (x, y, sample_weight), which is cut into batches; or
            an iterable of such tuples (a list, `tf.data.Dataset`, `keras.utils.PyDataset`),
            which are taken as they are. x and y may be nested, as for `fit()`.
        batch_size: Int. Examples a batch where `data` is a tuple of arrays.

    Yields:
        Tuples (x, y, sample_weight) of numpy arrays; floats are float32.
    """
    for batch in _cut(data, batch_size) if isinstance(data, tuple) else _stored(data):
        if not isinstance(batch, (tuple, list)) or len(batch) not in (2, 3):
            raise ValueError(_expected(f"a batch of type {type(batch).__name__}"))
        yield tuple(keras.tree.map_structure(_to_array, tuple(batch))) + (None,) * (3 - len(batch))


def draw_batch(data, batch_size, generator):
    """One batch, drawn by chance.

    Args:
        data: As for `batches_of`. Of an iterable without a length the first batch of a new
            reading is taken: let it shuffle.
        batch_size: Int. Examples in the batch, where `data` is a tuple of arrays.
        generator: `numpy.random.Generator`.

    Returns:
        Tuple (x, y, sample_weight), see `batches_of`.
    """
    if isinstance(data, tuple):
        count = rows_of(data)
        chosen = generator.choice(count, min(batch_size, count), replace=False)
        data = [_rows(keras.tree.map_structure(_indexable, data), chosen)]
    elif hasattr(data, "__getitem__") and hasattr(data, "__len__") and len(data):
        data = [data[int(generator.integers(len(data)))]]
    for batch in batches_of(data, batch_size):
        return batch
    raise ValueError("Argument `data` holds no example. Received: no batch")


def rows_of(batch):
    """Number of examples in a batch."""
    return len(keras.tree.flatten(batch)[0])


def examples_of(batch):
    """Iterate over the examples of a batch, each a batch of one."""
    for row in range(rows_of(batch)):
        yield _rows(batch, slice(row, row + 1))


def _cut(data, batch_size):
    for start in range(0, rows_of(data), batch_size):
        yield _rows(data, slice(start, start + batch_size))


def _rows(batch, chosen):
    return keras.tree.map_structure(lambda a: None if a is None else a[chosen], batch)


def _stored(data):
    if hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        return (data[index] for index in range(len(data)))  # a PyDataset knows no end otherwise
    return iter(data)


def _indexable(value):
    """An array that takes an array of indices, which tensors of TensorFlow do not."""
    is_plain = value is None or isinstance(value, np.ndarray)
    return value if is_plain else keras.ops.convert_to_numpy(value)


def _to_array(value):
    if value is None:
        return None
    array = np.asarray(keras.ops.convert_to_numpy(value))
    return array.astype("float32") if array.dtype == "float64" else array


def _is_array(value):
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _is_iterable(value):
    return hasattr(value, "__iter__") or hasattr(value, "__getitem__")


def _expected(received):
    return (
        "Argument `data` must be a tuple of arrays (x, y) or an iterable of batches (x, y), each "
        f"with sample weights too where there are some. Received: {received}"
    )
