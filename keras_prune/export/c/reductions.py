"""Pooling, MEAN and SOFTMAX as calls of int8 kernels."""

import numpy as np

from keras_prune.export.c.graph import check_activation
from keras_prune.export.c.quantization import (
    activation_range,
    mean_multiplier,
    quantize_multiplier,
    softmax_parameters,
)
from keras_prune.export.c.steps import Step
from keras_prune.export.c.windows import activation_name, window

REFERENCE = "kernels/reference"
MAX_SOFTMAX_DEPTH = 4095  # the sum of exponentials has 12 integer bits
MAX_SUM = (1 << 31) // 256


def one_to_one(node, inputs=1, source_types=("INT8",), output_types=("INT8",)):
    """Check an operator of one run-time input and one output, and return both."""
    if len(node.inputs) != inputs or len(node.outputs) != 1:
        raise node.refuse(f"it needs {inputs} inputs and one output")
    check_activation(node, node.inputs[0], source_types)
    check_activation(node, node.outputs[0], output_types)
    if node.inputs[0].data is not None:
        raise node.refuse("a constant input is not supported")
    return node.inputs[0], node.outputs[0]


def same_scale(node, source, output):
    """Raise the node's refusal where input and output differ in scale or zero point."""
    if abs(float(source.scale) - float(output.scale)) > 1e-6 or (
        source.zero_point != output.zero_point
    ):
        raise node.refuse("its input and output must have the same scale and zero point")


def pool2d(node, target):
    """Lower MAX_POOL_2D and AVERAGE_POOL_2D."""
    source, output = one_to_one(node)
    same_scale(node, source, output)
    if node.options is None or len(source.shape) != 4:
        raise node.refuse(f"it needs its options and a 4-D input, not shape {source.shape}")
    kernel_h, kernel_w = node.options.filterHeight, node.options.filterWidth
    fields, _ = window(node, source, output, kernel_h, kernel_w, source.shape[3])
    if kernel_h * kernel_w > MAX_SUM:
        raise node.refuse(f"a window of {kernel_h}x{kernel_w} overflows its sum")
    limits = activation_range(activation_name(node), output)
    if limits is None:
        raise node.refuse(f"activation {activation_name(node)} is not supported")
    kind = "max" if node.kind == "MAX_POOL_2D" else "average"
    step = Step(node.index, node.kind, [source], output, f"spk_{kind}_pool2d_s8__ref")
    step.sources = (f"{REFERENCE}/{kind}_pool2d_s8.c",)
    step.struct("spk_window2d", "window", fields)
    step.arguments += [str(limits[0]), str(limits[1]), source, output]
    step.instructions = 8 * output.size * kernel_h * kernel_w
    return step


def mean(node, target):
    """Lower MEAN over neighbouring axes (over space: axes 1 and 2)."""
    if len(node.inputs) != 2 or node.inputs[1] is None or node.inputs[1].data is None:
        raise node.refuse("its axes must be a constant")
    source, output = one_to_one(node, inputs=2)
    outer, reduced, inner = _middle(node, source, node.inputs[1].data)
    if output.size != outer * inner:
        raise node.refuse(f"input {source.shape} does not reduce to output {output.shape}")
    if reduced > MAX_SUM:
        raise node.refuse(f"a mean of {reduced} values overflows its sum")
    try:
        multiplier, shift = mean_multiplier(source.scale, output.scale, reduced)
    except ValueError as error:
        raise node.refuse(str(error)) from None
    fields = [
        ("outer", outer), ("reduced", reduced), ("inner", inner),
        ("input_zero_point", source.zero_point), ("output_zero_point", output.zero_point),
        ("multiplier", multiplier), ("shift", shift),
    ]  # fmt: skip
    step = Step(node.index, node.kind, [source], output, "spk_mean_s8__ref")
    step.sources = (f"{REFERENCE}/mean_s8.c",)
    step.struct("spk_mean", "mean", fields)
    step.arguments += [source, output]
    step.instructions = 8 * source.size + 40 * output.size
    return step


def softmax(node, target):
    """Lower SOFTMAX over the last axis."""
    source, output = one_to_one(node)
    if source.shape != output.shape or not source.shape:
        raise node.refuse(f"input {source.shape} and output {output.shape} disagree")
    depth = source.shape[-1]
    if depth > MAX_SOFTMAX_DEPTH:
        raise node.refuse(f"more than {MAX_SOFTMAX_DEPTH} classes overflow the sum")
    if abs(float(output.scale) * 256 - 1) > 0.001 or output.zero_point != -128:
        raise node.refuse("its output needs scale 1/256 and zero point -128")
    try:
        beta = np.float32(getattr(node.options, "beta", 1.0))
        multiplier, shift, diff_min = softmax_parameters(beta, source.scale)
    except ValueError as error:
        raise node.refuse(str(error)) from None
    fields = [
        ("rows", source.size // depth), ("depth", depth),
        ("multiplier", multiplier), ("left_shift", shift), ("diff_min", diff_min),
    ]  # fmt: skip
    step = Step(node.index, node.kind, [source], output, "spk_softmax_s8__ref")
    step.sources = (f"{REFERENCE}/softmax_s8.c",)
    step.struct("spk_softmax", "softmax", fields)
    step.arguments += [source, output]
    step.instructions = 150 * output.size
    return step


def rescale(node, target):
    """Lower RELU, RELU6 and their like, and QUANTIZE from int8 to int8."""
    source, output = one_to_one(node)
    if source.shape != output.shape:
        raise node.refuse(f"input {source.shape} and output {output.shape} disagree")
    activation = "NONE" if node.kind == "QUANTIZE" else node.kind
    limits = activation_range(activation, output)
    # TFLite divides the scales of activations in float32, those of QUANTIZE in float64.
    ratio = source.scale / output.scale
    if node.kind == "QUANTIZE":
        ratio = float(source.scale) / float(output.scale)
    try:
        multiplier, shift = quantize_multiplier(float(ratio))
    except ValueError as error:
        raise node.refuse(str(error)) from None
    fields = [
        ("size", source.size),
        ("input_zero_point", source.zero_point), ("output_zero_point", output.zero_point),
        ("multiplier", multiplier), ("shift", shift),
        ("act_min", limits[0]), ("act_max", limits[1]),
    ]  # fmt: skip
    step = Step(node.index, node.kind, [source], output, "spk_rescale_s8__ref")
    step.sources = (f"{REFERENCE}/rescale_s8.c",)
    step.struct("spk_rescale", "rescale", fields)
    step.arguments += [source, output]
    step.instructions = 20 * output.size
    return step


def _middle(node, source, axes):
    # (outer, reduced, inner) for axes that are neighbours; axes of size 1 may lie anywhere.
    rank = len(source.shape)
    chosen = sorted({int(axis) + rank if axis < 0 else int(axis) for axis in axes.reshape(-1)})
    if any(not 0 <= axis < rank for axis in chosen):
        raise node.refuse(f"axes {axes.reshape(-1).tolist()} do not fit shape {source.shape}")
    wide = [axis for axis in chosen if source.shape[axis] > 1]
    if not wide:
        return source.size, 1, 1
    first, last = wide[0], wide[-1]
    between = [axis for axis in range(first, last + 1) if source.shape[axis] > 1]
    if between != wide:
        raise node.refuse(f"axes {axes.reshape(-1).tolist()} are not neighbours")
    sizes = (source.shape[:first], source.shape[first : last + 1], source.shape[last + 1 :])
    return tuple(int(np.prod(part, dtype=np.int64)) for part in sizes)
