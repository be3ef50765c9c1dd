"""Layers that move values without changing them."""

import keras
import numpy as np

from keras_prune.dependencies.rules.rule import rule
from keras_prune.dependencies.units import Signal

_layers = keras.layers


@rule(_layers.Flatten, _layers.Reshape, _layers.Permute, _layers.RepeatVector)
@rule("Reshape", "Transpose", "Squeeze", "ExpandDims")
def reshaping(call):
    """Carries units along, if they stay on one axis: found out by running it on their numbers."""
    signal, layer = call.signal, call.layer
    count = len(signal.ids)
    if any(size is None for size in (*signal.shape, *call.shapes[0])) and not isinstance(
        layer, _layers.Permute
    ):
        return call.closed("changes a shape that is not known")
    shape = tuple(size or 2 for size in signal.shape)
    along = [1] * len(shape)
    along[signal.axis] = count
    numbers = np.broadcast_to(np.arange(count, dtype="float32").reshape(along), shape)
    moved = keras.ops.convert_to_numpy(layer.call(keras.ops.convert_to_tensor(numbers[None])))
    moved = moved[0].astype(int)
    axis = _axis_of(moved, signal.axis)
    if axis is None:
        return call.closed("spreads the units over several axes")
    where = np.moveaxis(moved, axis, 0).reshape(moved.shape[axis], -1)[:, 0]
    ids = signal.ids[where]
    if isinstance(layer, _layers.Reshape):
        target = tuple(layer.target_shape)
        if target[axis] != -1:
            call.body.part(layer).sizes["target_shape"] = lambda keep: (
                *target[:axis],
                int(keep(ids).sum()),
                *target[axis + 1 :],
            )
    elif type(layer).__name__ == "Reshape":
        new = tuple(layer.newshape)
        if new[axis + 1] != -1:
            call.body.part(layer).sizes["newshape"] = lambda keep: (
                *new[: axis + 1],
                int(keep(ids).sum()),
                *new[axis + 2 :],
            )
    return Signal(call.shapes[0], axis, ids, signal.settled()[where], np.zeros(len(ids), bool))


def _axis_of(numbers, before):
    """The axis along which alone the numbers of channels change; `None` if there is none."""
    changing = [
        axis
        for axis in range(numbers.ndim)
        if numbers.shape[axis] > 1 and (np.diff(numbers, axis=axis) != 0).any()
    ]
    if not changing:  # a single channel
        return min(before, numbers.ndim - 1)
    return changing[0] if len(changing) == 1 else None
