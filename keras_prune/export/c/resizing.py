"""RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR: where every output row and column reads."""

import numpy as np

from keras_prune.export.c.graph import ELEMENT_BYTES
from keras_prune.export.c.quantization import round_halves_away
from keras_prune.export.c.reductions import REFERENCE, one_to_one, same_scale
from keras_prune.export.c.steps import Step, c_type
from keras_prune.export.c.weighted import PORTABLE

_ONE = 1 << 10  # parts of a pixel, for INT8
_TYPES = ("INT8", "FLOAT32")


def resize(node, target):
    """Lower a resize of (batch, height, width, channels) over height and width."""
    source, output = one_to_one(node, 2, _TYPES, _TYPES)
    if source.type != output.type:
        raise node.refuse(f"its input is {source.type}, its output {output.type}")
    if source.type == "INT8":
        same_scale(node, source, output)
    size = node.inputs[1]
    if node.options is None or len(source.shape) != 4 or len(output.shape) != 4:
        raise node.refuse(f"it needs its options and a 4-D input, not shape {source.shape}")
    batch, in_h, in_w, depth = source.shape
    out_h, out_w = output.shape[1:3]
    fits = size is not None and size.data is not None and size.data.reshape(-1).tolist()
    if fits != [out_h, out_w] or output.shape[::3] != (batch, depth):
        raise node.refuse(f"its size does not turn {source.shape} into {output.shape}")
    step = Step(node.index, node.kind, [source], output)
    fields = [("batch", batch), ("in_h", in_h), ("in_w", in_w), ("out_h", out_h), ("out_w", out_w)]
    if node.kind == "RESIZE_BILINEAR":
        name = "s8__ref" if source.type == "INT8" else "f32__c"
        step.kernel = f"spk_resize_bilinear_{name}"
        folder = REFERENCE if source.type == "INT8" else PORTABLE
        step.sources = (f"{folder}/resize_bilinear_{name.split('__')[0]}.c",)
        step.instructions = 30 * output.size
        arrays_of = _bilinear if source.type == "INT8" else _float_bilinear
        fields.append(("pixel", depth))
    else:
        step.kernel, step.sources = "spk_resize_nearest__c", (f"{PORTABLE}/resize_nearest.c",)
        step.instructions = (30 + depth) * (output.size // depth)
        arrays_of = _nearest
        fields.append(("pixel", depth * ELEMENT_BYTES[source.type]))
    for axis, before, after in (("row", in_h, out_h), ("col", in_w, out_w)):
        for name, values in arrays_of(node, before, after).items():
            values = values.astype(np.float32 if values.dtype == np.float32 else np.int32)
            fields.append((axis + name, step.constant(axis + name, c_type(values), values)))
    step.struct("spk_resize", "resize", fields)
    step.arguments += [source, output]
    return step


def _nearest(node, before, after):
    align, centers = _flags(node)
    numbers = np.arange(after).astype(np.float32) + np.float32(0.5 if centers else 0.0)
    places = numbers * _scale(align, before, after)
    places = round_halves_away(places) if align else np.floor(places)
    return {"s": np.clip(places, 0, before - 1).astype(np.int64)}


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
    return {"s": low, "s2": high, "_parts": places - low * _ONE}


def _float_bilinear(node, before, after):
    # The same, but the weight is a float32.
    align, centers = _flags(node)
    places = np.arange(after).astype(np.float32)
    scale = _scale(align, before, after)
    half = np.float32(0.5 if centers else 0.0)
    places = (places + half) * scale - half
    low = np.maximum(np.floor(places), 0)
    if low.max() >= before:
        raise node.refuse(f"its steps from {after} to {before} leave the input")
    high = np.minimum(np.ceil(places), before - 1)
    return {"s": low.astype(np.int64), "s2": high.astype(np.int64), "_shares": places - low}


def _scale(align, before, after):
    if align and after > 1:
        return np.float32(before - 1) / np.float32(after - 1)
    return np.float32(before) / np.float32(after)


def _flags(node):
    align, centers = bool(node.options.alignCorners), bool(node.options.halfPixelCenters)
    if align and centers:
        raise node.refuse("aligned corners and half pixel centers exclude each other")
    return align, centers
