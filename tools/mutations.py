"""Mutants of TensorFlow Lite files: bytes anywhere, and the objects that a parser makes of them."""

import functools
import pickle

import numpy as np

from keras_prune.export.flatbuffer import parse_model, serialize_model

_INTEGERS = (0, 1, -1, 2, 3, 7, 127, 128, -128, 255, 256, 32767, 65536, 1 << 20, 1 << 30)
_INTEGERS += ((1 << 31) - 1, -(1 << 31), (1 << 62) + 1)
_FLOATS = (0.0, -1.0, 1.0, float("nan"), float("inf"), 1e-45, 1e-30, 1e30, 3e38, 2.0**-8)


def mutant(data, rng):
    """Change a file in a few places.

    Args:
        data: Bytes of a valid file.
        rng: `numpy.random.Generator`. Decides all.

    Returns:
        Bytes.
    """
    if rng.random() < 0.3:
        return _mutate_bytes(data, rng)
    model = pickle.loads(_parsed(data))
    for _ in range(rng.integers(1, 4)):
        _mutate_object(model, rng)
    try:
        return serialize_model(model)
    except Exception:  # what no file can hold, such as a negative size of an unsigned field
        return _mutate_bytes(data, rng)


@functools.cache
def _parsed(data):
    # Unpickling is several times as fast as parsing, and gives objects that may be changed.
    return pickle.dumps(parse_model(data))


def _mutate_bytes(data, rng):
    changed = bytearray(data)
    for _ in range(rng.integers(1, 6)):
        # Tables lie at both ends of a file, weights between them.
        span = len(changed) if rng.random() < 0.5 else min(len(changed), 4096)
        at = int(rng.integers(span))
        at = len(changed) - 1 - at if rng.random() < 0.5 else at
        kind = rng.integers(5)
        if kind == 0:
            changed[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            changed[at] = int(rng.integers(256))
        elif kind == 2:
            word = int(rng.choice(_INTEGERS)) & 0xFFFFFFFF
            changed[at : at + 4] = word.to_bytes(4, "little")
        elif kind == 3 and rng.random() < 0.3:
            del changed[max(at, 8) :]
        else:
            source = int(rng.integers(len(changed)))
            changed[at : at + 8] = changed[source : source + 8]
    return bytes(changed)


def _mutate_object(model, rng):
    holder, name, value = _any_slot(model, rng)
    changed = _changed(value, rng)
    if isinstance(holder, list):
        holder[name] = changed
    else:
        setattr(holder, name, changed)


def _any_slot(model, rng):
    # A walk down the tree that stops more and more often, so that all depths are met.
    holder, name, value = model, "subgraphs", model.subgraphs
    while True:
        if isinstance(value, list) and value and rng.random() < 0.95:
            holder, name = value, int(rng.integers(len(value)))
            value = value[name]
        elif getattr(value, "__dict__", None) and rng.random() < 0.95:
            holder, name = value, str(rng.choice(sorted(vars(value))))
            value = getattr(value, name)
        elif holder is model and rng.random() < 0.5:
            name = str(rng.choice(sorted(vars(model))))
            value = getattr(model, name)
        else:
            return holder, name, value


def _changed(value, rng):
    if rng.random() < 0.05:
        return None
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        near = value + int(rng.integers(-2, 3))
        return near if rng.random() < 0.4 else int(rng.choice(_INTEGERS))
    if isinstance(value, float):
        return float(rng.choice(_FLOATS))
    if isinstance(value, bytes):
        return _mutate_bytes(value, rng) if value else b"\xff"
    if isinstance(value, np.ndarray):
        return _changed_array(value, rng)
    if isinstance(value, list):
        return _changed_list(value, rng)
    return value


def _changed_array(array, rng):
    kind = rng.integers(5)
    if kind == 0 or array.size == 0:
        return np.resize(array, int(rng.integers(0, 2 * array.size + 2))).astype(array.dtype)
    if kind == 1:
        return array[: int(rng.integers(array.size))]
    array = array.copy()
    at = int(rng.integers(array.size))
    if array.dtype.kind == "f":
        array.flat[at] = rng.choice(_FLOATS)
    elif kind == 2:
        array.flat[at] += np.array(rng.integers(1, 4)).astype(array.dtype)
    else:
        array.flat[at] = np.array(int(rng.choice(_INTEGERS)), np.int64).astype(array.dtype)
    return array


def _changed_list(values, rng):
    values, kind = list(values), rng.integers(4)
    if values and kind == 0:
        del values[int(rng.integers(len(values)))]
    elif values and kind == 1:
        values.append(values[int(rng.integers(len(values)))])
    elif len(values) > 1 and kind == 2:
        a, b = rng.integers(len(values), size=2)
        values[a], values[b] = values[b], values[a]
    else:
        values = []
    return values
