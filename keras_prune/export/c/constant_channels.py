"""Output channels without weights: the bias and the scale of what they always give.

Pruning may leave nothing of a channel, and its weights then have a scale of about 1e-20. It gives
one number whatever the input, but so small a factor keeps kernels from what they do for all
channels alike: one shift, or a multiplication of 31 bits. With the scale of its neighbours and
another bias the channel gives the same number.
"""

import dataclasses

import numpy as np

from keras_prune.export.c.quantization import channel_multipliers, exact_multipliers, multiply

_CHANNEL_AXIS = {"CONV_2D": 0, "FULLY_CONNECTED": 0, "DEPTHWISE_CONV_2D": 3}
_TYPES = ("INT8", "INT8", "INT32")


def rescale_constant_channels(node):
    """Give the channels of an int8 layer that have no weights the largest scale of the others.

    Args:
        node: `Node`.

    Returns:
        A `Node`, the same one where nothing is to be done.
    """
    axis = _CHANNEL_AXIS.get(node.kind)
    if axis is None or not _is_known(node, axis):
        return node
    source, weights, bias = node.inputs[0], node.inputs[1], node.input(2)
    others = tuple(each for each in range(weights.data.ndim) if each != axis)
    empty = ~weights.data.any(axis=others)
    if not empty.any() or empty.all():
        return node
    scales = np.where(empty, weights.scales[~empty].max(), weights.scales)
    inputs = [source, dataclasses.replace(weights, scales=scales)]
    if bias is not None:
        ends = source.scale, node.outputs[0].scale
        values = bias.data.reshape(-1).astype(np.int64)
        for channel in np.flatnonzero(empty):
            pair = weights.scales[channel], scales[channel]
            found = _same_value(node.kind, ends, pair, int(values[channel]))
            if found is None:
                return node
            values[channel] = found
        data = values.astype(np.int32).reshape(bias.data.shape)
        inputs.append(dataclasses.replace(bias, data=data))
    return dataclasses.replace(node, inputs=inputs)


def _is_known(node, axis):
    # Whether it is an int8 layer with constant weights, a scale a channel, and sane ends; what is
    # not is left to whoever lowers it.
    if len(node.inputs) not in (2, 3) or len(node.outputs) != 1 or None in node.inputs[:2]:
        return False
    given = [each for each in node.inputs if each is not None]
    if any(each.type != kind for each, kind in zip(given, _TYPES, strict=False)):
        return False
    source, weights, *rest = given
    output = node.outputs[0]
    if any(each.data is None for each in given[1:]) or weights.data.ndim <= axis:
        return False
    channels = weights.data.shape[axis]
    if len(weights.scales) != channels or weights.axis != axis or channels == 1:
        return False
    if rest and rest[0].data.size != channels:
        return False
    if output.type != "INT8" or len(source.scales) != 1 or len(output.scales) != 1:
        return False
    scales = np.concatenate([weights.scales, source.scales, output.scales])
    return bool(np.all(np.isfinite(scales) & (scales > 0)))


def _same_value(kind, ends, pair, bias):
    # The bias that gives with the second scale of a pair what `bias` gives with the first, or None.
    try:
        value = min(max(_scaled(kind, ends, pair[0], bias), -255), 255)  # any more saturates
        factor = float(ends[0]) * float(pair[1]) / float(ends[1])
        found = round(value / factor)
        same = abs(found) < 1 << 30 and _scaled(kind, ends, pair[1], found) == value
    except ValueError:  # fixed point does not hold it
        return None
    return found if same else None


def _scaled(kind, ends, scale, total):
    # What a sum becomes before the output offset is added.
    if kind != "FULLY_CONNECTED":
        (multiplier,), (shift,) = channel_multipliers(ends[0], [scale], ends[1], 1)
        if shift > 0:
            raise ValueError(f"a sum of {total} may leave int32")
        return int(multiply(total, int(multiplier), int(shift)))
    (multiplier,), (low,), (shift,) = exact_multipliers(ends[0], [scale], ends[1])
    product = abs(total) * int(multiplier) + (abs(total) * int(low) >> 32)
    right = 31 - int(shift)
    return ((product + (1 << right >> 1)) >> right) * (1 if total >= 0 else -1)
