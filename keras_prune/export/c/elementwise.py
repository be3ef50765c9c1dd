"""PAD, RESHAPE, and QUANTIZE and DEQUANTIZE at the ends of a model."""

import numpy as np

from keras_prune.export.c.graph import check_activation
from keras_prune.export.c.lookup import lookup
from keras_prune.export.c.reductions import REFERENCE, one_to_one, same_scale
from keras_prune.export.c.steps import Step


def pad(node, target):
    """Lower PAD and PADV2, up to four dimensions; PAD fills with the zero point."""
    count = 3 if node.kind == "PADV2" else 2
    source, output = one_to_one(node, inputs=count)
    same_scale(node, source, output)
    pairs = paddings_of(node, source, output)
    missing = 4 - len(source.shape)
    fields = [
        ("shape", [1] * missing + list(source.shape)),
        ("before", [0] * missing + pairs[:, 0].tolist()),
        ("after", [0] * missing + pairs[:, 1].tolist()),
        ("value", _pad_value(node, output)),
    ]
    step = Step(node.index, node.kind, [source], output, "spk_pad_s8__ref")
    step.sources = (f"{REFERENCE}/pad_s8.c",)
    step.struct("spk_pad", "pad", fields)
    step.arguments += [source, output]
    step.instructions = output.size
    return step


def paddings_of(node, source, output):
    """Return the (before, after) pairs of PAD, checked against the shapes of its ends."""
    paddings = node.inputs[1]
    if paddings is None or paddings.data is None or paddings.shape != (len(source.shape), 2):
        raise node.refuse(f"its paddings must be a constant ({len(source.shape)}, 2) array")
    pairs = paddings.data.astype(np.int64)
    if not 1 <= len(source.shape) <= 4:
        raise node.refuse(f"up to 4 dimensions are supported, not shape {source.shape}")
    if pairs.min() < 0 or output.shape != tuple(pairs.sum(axis=1) + source.shape):
        raise node.refuse(f"paddings {pairs.tolist()} do not give output {output.shape}")
    return pairs


def reshape(node, target):
    """Lower RESHAPE, SQUEEZE and EXPAND_DIMS: the output is the input's memory."""
    if not node.inputs or len(node.outputs) != 1:
        raise node.refuse("it needs an input and one output")
    source, output = node.inputs[0], node.outputs[0]
    for tensor in (source, output):
        check_activation(node, tensor, (node.outputs[0].type,))
    if source.data is not None:
        raise node.refuse("a constant input is not supported")
    if source.size != output.size:
        raise node.refuse(f"input {source.shape} and output {output.shape} differ in size")
    return Step(node.index, node.kind, [source], output)


def quantize(node, target):
    """Lower QUANTIZE, from float32 at the start of a model or from int8 to int8."""
    if node.inputs and node.inputs[0] is not None and node.inputs[0].type == "INT8":
        return lookup(node, target)
    return _convert(node, "FLOAT32", "INT8", "quantize_f32_s8")


def dequantize(node, target):
    """Lower DEQUANTIZE from int8 to float32, at the end of a model."""
    return _convert(node, "INT8", "FLOAT32", "dequantize_s8_f32")


def _convert(node, source_type, output_type, name):
    source, output = one_to_one(node, 1, (source_type,), (output_type,))
    if source.shape != output.shape:
        raise node.refuse(f"input {source.shape} and output {output.shape} disagree")
    scaled = source if source.type == "INT8" else output
    step = Step(node.index, node.kind, [source], output, f"spk_{name}__ref")
    step.sources = (f"{REFERENCE}/{name}.c",)
    # Hexadecimal keeps every bit of the float32.
    scale = f"{float(scaled.scale).hex()}f"
    step.arguments += [str(source.size), scale, str(scaled.zero_point), source, output]
    step.instructions = 30 * output.size
    return step


def _pad_value(node, output):
    if node.kind == "PAD":
        return output.zero_point
    value = node.inputs[2]
    if value is None or value.data is None or value.type != "INT8" or value.size != 1:
        raise node.refuse("its padding value must be one constant INT8 number")
    return int(value.data.reshape(-1)[0])
