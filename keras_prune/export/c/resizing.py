"""RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR: where every output row and column reads."""

import numpy as np

from keras_prune.export.c.graph import ELEMENT_BYTES
from keras_prune.export.c.quantization import round_halves_away
from keras_prune.export.c.reductions import REFERENCE, one_to_one, same_scale
from keras_prune.export.c.steps import Step

_ONE = 1 << 10  # parts of a pixel


def resize(node, target):
    """Lower a resize of (batch, height, width, channels) over height and width."""
    source, output = one_to_one(node, inputs=2)
    same_scale(node, source, output)
    size = node.inputs[1]
    if node.options is None or len(source.shape) != 4 or len(output.shape) != 4:
        raise node.refuse(f"it needs its options and a 4-D input, not shape {source.shape}")
    batch, in_h, in_w, depth = source.shape
    out_h, out_w = output.shape[1:3]
    fits = size is not None and size.data is not None and size.data.reshape(-1).tolist()
    if fits != [out_h, out_w] or output.shape[::3] != (batch, depth):
        raise node.refuse(f"its size does not turn {source.shape} into {output.shape}")
    bilinear = node.kind == "RESIZE_BILINEAR"
    step = Step(node.index, node.kind, [source], output)
    fields = [("batch", batch), ("in_h", in_h), ("in_w", in_w), ("out_h", out_h), ("out_w", out_w)]
    fields.append(("pixel", depth * ELEMENT_BYTES[source.type]))
    for name, before, after in (("row", in_h, out_h), ("col", in_w, out_w)):
        arrays = (_bilinear if bilinear else _nearest)(node, before, after)
        names = (f"{name}s", f"{name}s2", f"{name}_parts")
        for array_name, values in zip(names, arrays, strict=False):
            fields.append((array_name, step.constant(array_name, "int32_t", values)))
    step.struct("spk_resize", "resize", fields)
    step.arguments += [source, output]
    if bilinear:
        step.kernel, step.sources = (
            "spk_resize_bilinear_s8__ref",
            (f"{REFERENCE}/resize_bilinear_s8.c",),
        )
        step.instructions = 30 * output.size
    else:
        step.kernel, step.sources = "spk_resize_nearest__c", ("kernels/portable/resize_nearest.c",)
        step.instructions = (30 + depth) * (output.size // depth)
    return step


def _nearest(node, before, after):
    align, centers = _flags(node)
    numbers = np.arange(after).astype(np.float32) + np.float32(0.5 if centers else 0.0)
    if align and after > 1:
        scale = np.float32(before - 1) / np.float32(after - 1)
    else:
        scale = np.float32(before) / np.float32(after)
    places = numbers * scale
    places = round_halves_away(places) if align else np.floor(places)
    return (np.clip(places, 0, before - 1).astype(np.int64),)


def _bilinear(node, before, after):
    # The lower neighbour, the upper one, and its weight in 1024 parts.
    align, centers = _flags(node)
    if align and after > 1:
        scale = (_ONE * (before - 1) + (after - 1) // 2) // (after - 1)
    else:
        scale = (_ONE * before + after // 2) // after
    places = np.arange(after) * scale
    if centers:
        places += scale // 2 - _ONE // 2
    low = np.maximum(places // _ONE, 0)
    high = np.minimum(-(-places // _ONE), before - 1)
    if low.max() >= before:
        raise node.refuse(f"its steps from {after} to {before} leave the input")
    return low, high, places - low * _ONE


def _flags(node):
    align, centers = bool(node.options.alignCorners), bool(node.options.halfPixelCenters)
    if align and centers:
        raise node.refuse("aligned corners and half pixel centers exclude each other")
    return align, centers
