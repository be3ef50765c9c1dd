"""ADD, PAD, RESHAPE, and QUANTIZE and DEQUANTIZE at the ends of a model."""

import numpy as np

from keras_prune.export.c.graph import check_activation
from keras_prune.export.c.quantization import activation_range, add_parameters
from keras_prune.export.c.reductions import REFERENCE, one_to_one, rescale, same_scale
from keras_prune.export.c.steps import Step
from keras_prune.export.c.windows import activation_name

_LEFT_SHIFT = 20


def add(node, target):
    """Lower ADD: equal shapes, or the smaller input repeats along leading dimensions."""
    if len(node.inputs) != 2 or len(node.outputs) != 1:
        raise node.refuse("it needs two inputs and one output")
    a, b, output = *node.inputs, node.outputs[0]
    for tensor in (a, b, output):
        check_activation(node, tensor)
    if a.size < b.size:
        a, b = b, a
    _check_broadcast(node, a, b, output)
    limits = activation_range(activation_name(node), output)
    if limits is None:
        raise node.refuse(f"activation {activation_name(node)} is not supported")
    pairs = _add_parameters(node, a, b, output)
    fields = [
        ("size", output.size), ("b_period", b.size),
        ("a_offset", -a.zero_point), ("b_offset", -b.zero_point),
        ("output_offset", output.zero_point),
        ("a_multiplier", pairs[0][0]), ("a_shift", pairs[0][1]),
        ("b_multiplier", pairs[1][0]), ("b_shift", pairs[1][1]),
        ("output_multiplier", pairs[2][0]), ("output_shift", pairs[2][1]),
        ("left_shift", _LEFT_SHIFT), ("act_min", limits[0]), ("act_max", limits[1]),
    ]  # fmt: skip
    inputs = [tensor for tensor in (a, b) if tensor.data is None]
    step = Step(node.index, node.kind, inputs, output, "spk_add_s8__ref")
    step.sources = (f"{REFERENCE}/add_s8.c",)
    step.struct("spk_add", "add", fields)
    for name, tensor in (("a", a), ("b", b)):
        constant = tensor.data is not None
        step.arguments.append(step.constant(name, "int8_t", tensor.data) if constant else tensor)
    step.arguments.append(output)
    step.instructions = 45 * output.size
    return step


def pad(node, target):
    """Lower PAD and PADV2, up to four dimensions; PAD fills with the zero point."""
    count = 3 if node.kind == "PADV2" else 2
    source, output = one_to_one(node, inputs=count)
    same_scale(node, source, output)
    paddings = node.inputs[1]
    if paddings is None or paddings.data is None or paddings.shape != (len(source.shape), 2):
        raise node.refuse(f"its paddings must be a constant ({len(source.shape)}, 2) array")
    pairs = paddings.data.astype(np.int64)
    if not 1 <= len(source.shape) <= 4:
        raise node.refuse(f"up to 4 dimensions are supported, not shape {source.shape}")
    if pairs.min() < 0 or output.shape != tuple(pairs.sum(axis=1) + source.shape):
        raise node.refuse(f"paddings {pairs.tolist()} do not give output {output.shape}")
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


def reshape(node, target):
    """Lower RESHAPE, SQUEEZE and EXPAND_DIMS: the output is the input's memory."""
    if not node.inputs or len(node.outputs) != 1:
        raise node.refuse("it needs an input and one output")
    source, output = node.inputs[0], node.outputs[0]
    check_activation(node, source)
    check_activation(node, output)
    if source.data is not None:
        raise node.refuse("a constant input is not supported")
    if source.size != output.size:
        raise node.refuse(f"input {source.shape} and output {output.shape} differ in size")
    return Step(node.index, node.kind, [source], output)


def quantize(node, target):
    """Lower QUANTIZE, from float32 at the start of a model or from int8 to int8."""
    if node.inputs and node.inputs[0] is not None and node.inputs[0].type == "INT8":
        return rescale(node, target)
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


def _check_broadcast(node, a, b, output):
    if a.data is not None and b.data is not None:
        raise node.refuse("two constant inputs are not supported")
    trailing = [size for size in b.shape]
    while trailing and trailing[0] == 1:
        trailing.pop(0)
    if output.shape != a.shape or list(a.shape[len(a.shape) - len(trailing) :]) != trailing:
        raise node.refuse(
            f"inputs {a.shape} and {b.shape} are supported only where one repeats along the "
            "leading dimensions of the other"
        )


def _add_parameters(node, a, b, output):
    try:
        pairs = add_parameters(a.scale, b.scale, output.scale, _LEFT_SHIFT)
    except ValueError as error:
        raise node.refuse(str(error)) from None
    if any(shift > 0 or multiplier == 0 for multiplier, shift in pairs):
        raise node.refuse("the scales of its inputs and output are too far apart")
    return pairs
