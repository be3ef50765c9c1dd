"""ADD, SUB, MUL, SQUARED_DIFFERENCE, MAXIMUM, MINIMUM and PRELU, broadcast as numpy does."""

import dataclasses

import numpy as np

from keras_prune.export.c.graph import Tensor, check_activation
from keras_prune.export.c.movement import copy_step, places, temporary
from keras_prune.export.c.quantization import (
    activation_range,
    add_parameters,
    quantize_multiplier,
)
from keras_prune.export.c.reductions import REFERENCE, same_scale
from keras_prune.export.c.steps import Step
from keras_prune.export.c.windows import activation_name

_LEFT_SHIFT = 20
_MOST_RIGHT = 22  # bits that the assembly of ADD shifts to the right


@dataclasses.dataclass(frozen=True)
class Operands:
    """The two inputs as the kernels take them: `a` has all elements, `b` repeats.

    `steps` make what no kernel takes directly. `swapped` tells that `a` was the second input.
    """

    a: Tensor
    b: Tensor
    output: Tensor
    steps: list
    swapped: bool

    def step(self, node, kernel, source):
        """Return the step that calls a kernel on the operands, without its parameters."""
        inputs = [tensor for tensor in (self.a, self.b) if tensor.data is None]
        step = Step(node.index, node.kind, inputs, self.output, kernel, part=len(self.steps))
        step.sources = (source,)
        step.overwrites = tuple(each for each in inputs if each.size == self.output.size)
        return step

    def finish(self, step, instructions):
        """Pass the operands to the step's kernel and return all steps."""
        for name, tensor in (("a", self.a), ("b", self.b)):
            step.arguments.append(step.operand(name, tensor))
        step.arguments.append(self.output)
        step.instructions = instructions * self.output.size
        return [*self.steps, step]


def operands_of(node, types=("INT8",)):
    """Check an operator of two inputs that broadcast, and return its `Operands`."""
    if len(node.inputs) != 2 or len(node.outputs) != 1:
        raise node.refuse("it needs two inputs and one output")
    inputs, output = node.inputs, node.outputs[0]
    for tensor in (*inputs, output):
        check_activation(node, tensor, types)
    if all(tensor.data is not None for tensor in inputs):
        raise node.refuse("two constant inputs are not supported")
    try:
        shape = np.broadcast_shapes(*(tensor.shape for tensor in inputs))
    except ValueError:
        raise node.refuse(f"{inputs[0].shape} and {inputs[1].shape} do not broadcast") from None
    if shape != output.shape:
        raise node.refuse(f"its output must have shape {shape}, not {output.shape}")
    steps, pair = [], []
    for number, tensor in enumerate(inputs):
        if not _repeats(tensor, output):
            repeated = np.broadcast_to(places(tensor), output.shape)
            whole = temporary(node, tensor, output.shape, number)
            steps.append(copy_step(node, tensor, whole, repeated, places(whole), len(steps)))
            tensor = whole
        pair.append(tensor)
    swapped = pair[0].size < pair[1].size
    a, b = reversed(pair) if swapped else pair
    return Operands(a, b, output, steps, swapped)


def add(node, target):
    """Lower ADD and SUB; a difference is a sum with a negative multiplier."""
    operands = operands_of(node)
    a, b, output = operands.a, operands.b, operands.output
    low, high = _limits(node, output)
    pairs = _add_parameters(node, a, b, output)
    signs = [1, 1]
    if node.kind == "SUB":
        signs = [-1, 1] if operands.swapped else [1, -1]
    fields = [
        ("size", output.size), ("b_period", b.size),
        ("a_offset", -a.zero_point), ("b_offset", -b.zero_point),
        ("output_offset", output.zero_point),
        ("a_multiplier", signs[0] * pairs[0][0]), ("a_shift", pairs[0][1]),
        ("b_multiplier", signs[1] * pairs[1][0]), ("b_shift", pairs[1][1]),
        ("output_multiplier", pairs[2][0]), ("output_shift", pairs[2][1]),
        ("left_shift", _LEFT_SHIFT), ("act_min", low), ("act_max", high),
    ]  # fmt: skip
    step = operands.step(node, "spk_add_s8__ref", f"{REFERENCE}/add_s8.c")
    instructions = 30 if target.dsp else 45
    if target.dsp and _is_fast(node, pairs, operands, (low, high)):
        step.kernel, instructions = "spk_add_s8__armv7em", 15
        step.sources += ("kernels/armv7em/add_s8.c",)
    step.struct("spk_add", "add", fields)
    return operands.finish(step, instructions)


def _is_fast(node, pairs, operands, limits):
    # What `spk_add_s8__armv7em` computes by itself: a shift for the larger scale, three roundings.
    shifts = sorted(shift for _, shift in pairs[:2])
    return (
        node.kind == "ADD"
        and limits == (-128, 127)
        and operands.b.size >= 4
        and (1 << 30, 0) in pairs[:2]
        and -_MOST_RIGHT <= shifts[0] < shifts[1] == 0
        and -_MOST_RIGHT <= pairs[2][1] < 0
    )


def mul(node, target):
    """Lower MUL."""
    operands = operands_of(node)
    a, b, output = operands.a, operands.b, operands.output
    low, high = _limits(node, output)
    multiplier, shift = _multiplier(node, a.scale * b.scale / output.scale)
    fields = [
        ("size", output.size), ("period", b.size),
        ("a_offset", -a.zero_point), ("b_offset", -b.zero_point),
        ("output_offset", output.zero_point),
        ("multiplier", multiplier), ("shift", shift), ("act_min", low), ("act_max", high),
    ]  # fmt: skip
    step = operands.step(node, "spk_mul_s8__ref", f"{REFERENCE}/mul_s8.c")
    step.struct("spk_mul", "mul", fields)
    return operands.finish(step, 20)


def squared_difference(node, target):
    """Lower SQUARED_DIFFERENCE."""
    operands = operands_of(node)
    a, b, output = operands.a, operands.b, operands.output
    twice = 2 * max(float(a.scale), float(b.scale))
    parts = [_multiplier(node, float(each.scale) / twice) for each in (a, b)]
    square = _multiplier(node, twice * twice / ((1 << 14) * float(output.scale)))
    if square[1] > 0:
        raise node.refuse("its output's scale is too small for its inputs'")
    fields = [
        ("size", output.size), ("period", b.size),
        ("a_offset", -a.zero_point), ("b_offset", -b.zero_point),
        ("output_offset", output.zero_point),
        ("a_multiplier", parts[0][0]), ("a_shift", parts[0][1]),
        ("b_multiplier", parts[1][0]), ("b_shift", parts[1][1]),
        ("multiplier", square[0]), ("shift", square[1]),
    ]  # fmt: skip
    name = "squared_difference_s8"
    step = operands.step(node, f"spk_{name}__ref", f"{REFERENCE}/{name}.c")
    step.struct("spk_squared_difference", "difference", fields)
    return operands.finish(step, 40)


def prelu(node, target):
    """Lower PRELU; its second input holds the slopes below zero."""
    operands = operands_of(node)
    if operands.swapped:
        raise node.refuse("its slopes must not be larger than its input")
    a, alpha, output = operands.a, operands.b, operands.output
    multiplier, shift = _multiplier(node, a.scale / output.scale)
    below = _multiplier(node, a.scale * alpha.scale / output.scale)
    fields = [
        ("size", output.size), ("period", alpha.size),
        ("a_offset", -a.zero_point), ("alpha_offset", -alpha.zero_point),
        ("output_offset", output.zero_point), ("multiplier", multiplier), ("shift", shift),
        ("alpha_multiplier", below[0]), ("alpha_shift", below[1]),
    ]  # fmt: skip
    step = operands.step(node, "spk_prelu_s8__ref", f"{REFERENCE}/prelu_s8.c")
    step.struct("spk_prelu", "prelu", fields)
    return operands.finish(step, 22)


def extreme(node, target):
    """Lower MAXIMUM and MINIMUM."""
    operands = operands_of(node)
    for tensor in (operands.a, operands.b):
        same_scale(node, tensor, operands.output)
    name = f"{node.kind.lower()}_s8"
    step = operands.step(node, f"spk_{name}__c", f"kernels/portable/{name}.c")
    step.arguments += [str(operands.output.size), str(operands.b.size)]
    return operands.finish(step, 8)


def _repeats(tensor, output):
    # Does the output hold the tensor as it lies again and again?
    trailing = list(tensor.shape)
    while trailing and trailing[0] == 1:
        trailing.pop(0)
    return list(output.shape[len(output.shape) - len(trailing) :]) == trailing


def _limits(node, output):
    limits = activation_range(activation_name(node), output)
    if limits is None:
        raise node.refuse(f"activation {activation_name(node)} is not supported")
    return limits


def _multiplier(node, factor):
    try:
        return quantize_multiplier(float(factor))
    except ValueError as error:
        raise node.refuse(str(error)) from None


def _add_parameters(node, a, b, output):
    try:
        pairs = add_parameters(a.scale, b.scale, output.scale, _LEFT_SHIFT)
    except ValueError as error:
        raise node.refuse(str(error)) from None
    if any(shift > 0 or multiplier == 0 for multiplier, shift in pairs):
        raise node.refuse("the scales of its inputs and output are too far apart")
    return pairs
