"""The float32 operators without weights, for processors with a floating point unit."""

import dataclasses
import math

import numpy as np

from keras_prune.export.c import reduce
from keras_prune.export.c.arithmetic import operands_of
from keras_prune.export.c.elementwise import paddings_of
from keras_prune.export.c.graph import check_activation
from keras_prune.export.c.movement import copy_step, places, temporary
from keras_prune.export.c.steps import Step
from keras_prune.export.c.weighted import PORTABLE
from keras_prune.export.c.windows import activation_name, window

TYPES = ("FLOAT32",)
_HIGHEST = "3.40282347e+38f"
_RANGES = {
    "NONE": (f"-{_HIGHEST}", _HIGHEST),
    "RELU": ("0.0f", _HIGHEST),
    "RELU_N1_TO_1": ("-1.0f", "1.0f"),
    "RELU_0_TO_1": ("0.0f", "1.0f"),
    "RELU6": ("0.0f", "6.0f"),
}
_INSTRUCTIONS = {"HARD_SWISH": 20, "LOGISTIC": 55, "TANH": 55, "EXP": 40, "GELU": 75}
_INSTRUCTIONS |= {"SQRT": 75, "RSQRT": 90}


def ends(node, inputs=(1,)):
    """Check an operator of one run-time input and one output, and return both."""
    if len(node.inputs) not in inputs or len(node.outputs) != 1:
        raise node.refuse(f"it needs {' or '.join(map(str, inputs))} inputs and one output")
    for tensor in (node.inputs[0], node.outputs[0]):
        check_activation(node, tensor, TYPES)
    if node.inputs[0].data is not None:
        raise node.refuse("a constant input is not supported")
    return node.inputs[0], node.outputs[0]


def limits(node):
    """Return the bounds of a fused activation as C text."""
    name = activation_name(node)
    if name not in _RANGES:
        raise node.refuse(f"activation {name} is not supported")
    return _RANGES[name]


def one_input(node, target):
    """Lower a function of one element."""
    source, output = ends(node)
    if source.shape != output.shape:
        raise node.refuse(f"input {source.shape} and output {output.shape} disagree")
    name, parameters = node.kind.lower(), []
    if node.kind in _RANGES:
        name, parameters = "clamp", _RANGES[node.kind]
    elif node.kind == "LEAKY_RELU":
        parameters = [_number(node, getattr(node.options, "alpha", 0.0))]
    elif node.kind == "GELU":
        parameters = [str(int(bool(getattr(node.options, "approximate", False))))]
    step = _step(node, name, source, output, _INSTRUCTIONS.get(node.kind, 8) * output.size)
    step.overwrites = (source,)
    step.arguments += [str(output.size), *parameters, source, output]
    return step


def two_inputs(node, target):
    """Lower an operator of two inputs, broadcast as numpy does."""
    operands = operands_of(node, TYPES)
    if node.kind == "PRELU" and operands.swapped:
        raise node.refuse("its slopes must not be larger than its input")
    low, high = limits(node)
    signs = ["1.0f", "1.0f"]
    if node.kind == "SUB":
        signs[0 if operands.swapped else 1] = "-1.0f"
    elif node.kind == "DIV" and operands.swapped:
        signs[0] = "-1.0f"
    fields = [
        ("size", operands.output.size), ("period", operands.b.size),
        ("a_sign", signs[0]), ("b_sign", signs[1]), ("act_min", low), ("act_max", high),
    ]  # fmt: skip
    name = "add" if node.kind == "SUB" else node.kind.lower()
    step = operands.step(node, f"spk_{name}_f32__c", f"{PORTABLE}/{name}_f32.c")
    step.struct("spk_pair_f32", "pair", fields)
    return operands.finish(step, 12)


def pool2d(node, target):
    """Lower MAX_POOL_2D and AVERAGE_POOL_2D."""
    source, output = ends(node)
    if node.options is None or len(source.shape) != 4:
        raise node.refuse(f"it needs its options and a 4-D input, not shape {source.shape}")
    kernel_h, kernel_w = node.options.filterHeight, node.options.filterWidth
    fields, _ = window(node, source, output, kernel_h, kernel_w, source.shape[3])
    name = "max_pool2d" if node.kind == "MAX_POOL_2D" else "average_pool2d"
    step = _step(node, name, source, output, 8 * output.size * kernel_h * kernel_w)
    step.struct("spk_window2d", "window", fields)
    step.arguments += [*limits(node), source, output]
    return step


def reduction(node, target):
    """Lower MEAN, SUM, REDUCE_MAX and REDUCE_MIN."""
    source, output, sizes, steps = reduce.reduction_of(node, TYPES)
    step = _step(node, node.kind.lower(), source, output, 8 * source.size + 20 * output.size)
    step.part = len(steps)
    step.arguments += [*map(str, sizes), source, output]
    return [*steps, step]


def softmax(node, target):
    """Lower SOFTMAX over the last axis."""
    source, output = ends(node)
    if source.shape != output.shape or not source.shape:
        raise node.refuse(f"input {source.shape} and output {output.shape} disagree")
    depth, beta = source.shape[-1], getattr(node.options, "beta", 1.0)
    step = _step(node, "softmax", source, output, 70 * output.size)
    step.overwrites = (source,)
    step.arguments += [str(source.size // depth), str(depth), _number(node, beta), source, output]
    return step


def pad(node, target):
    """Lower PAD and PADV2: the output is filled with the value, then gets the input."""
    source, output = ends(node, inputs=(3,) if node.kind == "PADV2" else (2,))
    pairs = paddings_of(node, source, output)
    place = places(output)
    ends_at = pairs[:, 0] + source.shape
    inner = place[tuple(map(slice, pairs[:, 0], ends_at))]
    if inner.shape == place.shape:
        return copy_step(node, source, output, places(source), place)
    value = temporary(node, output, (1,) * len(output.shape))
    value = dataclasses.replace(value, data=_pad_value(node))
    repeated = np.broadcast_to(places(value), output.shape)
    return [
        copy_step(node, value, output, repeated, place),
        copy_step(node, source, output, places(source), inner, part=1),
    ]


def _pad_value(node):
    value = node.input(2)
    if node.kind == "PAD":
        return np.zeros(1, np.float32)
    if value is None or value.data is None or value.type != "FLOAT32" or value.size != 1:
        raise node.refuse("its padding value must be one constant FLOAT32 number")
    check_activation(node, value, TYPES)
    return value.data.reshape(-1)


def _number(node, value):
    if not math.isfinite(value):
        raise node.refuse(f"its parameter {value} is not a finite number")
    # Hexadecimal keeps every bit of the float32.
    return f"{float(np.float32(value)).hex()}f"


def _step(node, name, source, output, instructions):
    step = Step(node.index, node.kind, [source], output, f"spk_{name}_f32__c")
    step.sources = (f"{PORTABLE}/{name}_f32.c",)
    step.instructions = instructions
    return step
