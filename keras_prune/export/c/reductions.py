"""Pooling and SOFTMAX as calls of int8 kernels."""

import numpy as np

from keras_prune.export.c.graph import check_activation
from keras_prune.export.c.quantization import (
    activation_range,
    softmax_parameters,
)
from keras_prune.export.c.steps import Step
from keras_prune.export.c.windows import activation_name, window

REFERENCE = "kernels/reference"
MAX_SOFTMAX_DEPTH = 4095  # the sum of exponentials has 12 integer bits
MAX_SUM = (1 << 31) // 256
MANY = 8000  # numbers; fewer are summed sooner than 400 bytes more of code are worth


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
    sizes = kernel_h, kernel_w, source.shape[3]
    if node.kind == "MAX_POOL_2D":
        kernel, sources, instructions = _max_kernel(target, *sizes)
    else:
        fours = sums_fours(target, output.size * kernel_h * kernel_w)
        kernel, sources, instructions = _average_kernel(fours, *sizes)
    step = Step(node.index, node.kind, [source], output, kernel)
    step.sources = sources
    step.struct("spk_window2d", "window", fields)
    step.arguments += [str(limits[0]), str(limits[1]), source, output]
    step.instructions = output.size // source.shape[3] * instructions
    return step


def _max_kernel(target, kernel_h, kernel_w, depth):
    """Kernel, sources, and about how many instructions each of the output's pixels takes."""
    portable = "kernels/portable/max_pool2d_s8.c"
    passes = 1 if max(kernel_h, kernel_w) <= 2 else kernel_h * -(-kernel_w // 3)
    if target.vectors == "mve":
        name, sources = "mve", ("kernels/armv81m/max_pool2d_s8.c", portable)
        line = 9 * -(-depth // 16)
    elif target.dsp:
        name, sources = "armv7em", ("kernels/armv7em/max_pool2d_s8.c", portable)
        line = 30 + 13 * (depth // 4) + 14 * (depth % 4)
    else:
        name, sources, line = "c", (portable,), 12 + 16 * depth
    return f"spk_max_pool2d_s8__{name}", sources, 37 + passes * (line + 28 * (passes > 1))


def _average_kernel(fours, kernel_h, kernel_w, depth):
    """The same of AVERAGE_POOL_2D, where `fours` tells what `sums_fours` does."""
    reference, taps = f"{REFERENCE}/average_pool2d_s8.c", kernel_h * kernel_w
    if not fours:
        return "spk_average_pool2d_s8__ref", (reference,), (7 * taps + 50) * depth
    sources = ("kernels/armv7em/average_pool2d_s8.c", reference)
    instructions = (depth // 4) * (7 * taps + 21 * kernel_h + 85) + (depth % 4) * (7 * taps + 40)
    return "spk_average_pool2d_s8__armv7em", sources, 60 + instructions


def sums_fours(target, numbers):
    """Whether so many numbers are summed four channels at a time."""
    return target.dsp and numbers >= MANY


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
    step.overwrites = (source,)
    step.sources = (f"{REFERENCE}/softmax_s8.c",)
    step.struct("spk_softmax", "softmax", fields)
    step.arguments += [source, output]
    step.instructions = 150 * output.size
    return step
