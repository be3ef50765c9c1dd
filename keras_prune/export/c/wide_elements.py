"""Operators on int16 activations that have no weights, as TFLite's 16x8 quantisation has them."""

import math

import numpy as np

from keras_prune.export.c import reduce
from keras_prune.export.c.arithmetic import operands_of
from keras_prune.export.c.quantization import (
    add_parameters,
    mean_multiplier,
    quantize_multiplier,
    round_halves_away,
)
from keras_prune.export.c.reductions import MAX_SUM, REFERENCE
from keras_prune.export.c.steps import Step
from keras_prune.export.c.wide_ends import INT16_MAX, INT16_MIN, checked_ends, limits, zero_point_0

_LEFT_SHIFT = 15
_STEPS = 4096 * 3  # of LOGISTIC and TANH
_RAISED = (
    4,
    8,
    12,
    14,
    15,
    16,
    17,
    19,
    20,
    21,
    22,
    25,
    27,
    28,
    29,
    30,
    31,
    33,
    34,
    35,
    37,
    39,
    40,
    41,
)
_RAISED += (43, 44, 45, 46, 49, 50, 54, 62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135)


def add(node, target):
    """Lower ADD and SUB; a difference is a sum with a negative multiplier."""
    if getattr(node.options, "potScaleInt16", False):
        raise node.refuse("scales that are powers of two by its option are not supported")
    operands = _operands(node)
    a, b, output = operands.a, operands.b, operands.output
    try:
        pairs = add_parameters(a.scale, b.scale, output.scale, _LEFT_SHIFT)
    except ValueError as error:
        raise node.refuse(str(error)) from None
    if any(shift > 0 or multiplier == 0 for multiplier, shift in pairs):
        raise node.refuse("the scales of its inputs and output are too far apart")
    signs = [1, 1]
    if node.kind == "SUB":
        signs = [-1, 1] if operands.swapped else [1, -1]
    low, high = limits(node, output)
    fields = [
        ("size", output.size), ("b_period", b.size),
        ("a_multiplier", signs[0] * pairs[0][0]), ("a_shift", pairs[0][1]),
        ("b_multiplier", signs[1] * pairs[1][0]), ("b_shift", pairs[1][1]),
        ("output_multiplier", pairs[2][0]), ("output_shift", pairs[2][1]),
        ("left_shift", _LEFT_SHIFT), ("act_min", low), ("act_max", high),
    ]  # fmt: skip
    step = operands.step(node, "spk_add_s16__ref", f"{REFERENCE}/add_s16.c")
    step.struct("spk_add", "add", fields)
    return operands.finish(step, 50)


def mul(node, target):
    """Lower MUL."""
    operands = _operands(node)
    a, b, output = operands.a, operands.b, operands.output
    multiplier, shift = _multiplier(node, a.scale * b.scale / output.scale)
    low, high = limits(node, output)
    fields = [
        ("size", output.size), ("period", b.size),
        ("multiplier", multiplier), ("shift", shift), ("act_min", low), ("act_max", high),
    ]  # fmt: skip
    step = operands.step(node, "spk_mul_s16__ref", f"{REFERENCE}/mul_s16.c")
    step.struct("spk_mul", "mul", fields)
    return operands.finish(step, 25)


def relu(node, target):
    """Lower RELU and RELU6."""
    source, output = _alike(node)
    multiplier, shift = _multiplier(node, source.scale / output.scale)
    low, high = limits(node, output, node.kind)
    fields = [
        ("size", output.size), ("multiplier", multiplier), ("shift", shift),
        ("act_min", low), ("act_max", high),
    ]  # fmt: skip
    step = Step(node.index, node.kind, [source], output, "spk_relu_s16__ref")
    step.overwrites = (source,)
    step.sources = (f"{REFERENCE}/relu_s16.c",)
    step.struct("spk_relu_s16", "relu", fields)
    step.arguments += [source, output]
    step.instructions = 18 * output.size
    return step


def sigmoid(node, target):
    """Lower LOGISTIC and TANH."""
    source, output = _alike(node)
    _needs_unit_scale(node, output)
    multiplier, right = _steps_multiplier(float(source.scale))
    if multiplier >= 1 << 16:  # times an int16 in 32 bits
        raise node.refuse("its input's scale is too large")
    name = node.kind.lower()
    step = Step(node.index, node.kind, [source], output, f"spk_{name}_s16__ref")
    step.overwrites = (source,)
    step.sources = (f"{REFERENCE}/sigmoid_s16.c",)
    values = step.constant("sigmoid", "uint16_t", _sigmoid_table())
    fields = [("size", output.size), ("multiplier", multiplier), ("right", right)]
    step.struct("spk_logistic_curve_s16", "sigmoid", [*fields, ("table", values)])
    step.arguments += [source, output]
    step.instructions = 30 * output.size
    return step


def softmax(node, target):
    """Lower SOFTMAX over the last axis."""
    source, output = _alike(node)
    depth = source.shape[-1] if source.shape else 0
    if not 1 <= depth < 1 << 16:
        raise node.refuse(f"its last axis must have 1 to 65535 elements, not {depth}")
    _needs_unit_scale(node, output)
    beta = np.float32(getattr(node.options, "beta", 1.0))
    multiplier, shift = _multiplier(node, float(source.scale) * float(beta) / (10.0 / 65535.0))
    if shift > 14:
        raise node.refuse("its input's scale is too large")
    step = Step(node.index, node.kind, [source], output, "spk_softmax_s16__ref")
    step.overwrites = (source,)
    step.sources = (f"{REFERENCE}/softmax_s16.c",)
    exponential = _curve(10.0 / 65535.0, INT16_MAX, np.exp)
    reciprocal = _curve(1.0 / 65535.0, INT16_MIN, _reciprocal)
    fields = [
        ("rows", source.size // depth), ("depth", depth),
        ("multiplier", multiplier), ("shift", shift),
        ("exponential", step.constant("exponential", "int16_t", exponential)),
        ("reciprocal", step.constant("reciprocal", "int16_t", reciprocal)),
    ]  # fmt: skip
    step.struct("spk_softmax_s16", "softmax", fields)
    step.arguments += [source, output]
    step.instructions = 60 * output.size
    return step


def mean(node, target):
    """Lower MEAN."""
    source, output, (outer, reduced, inner), steps = reduce.reduction_of(node, ("INT16",))
    for tensor in (source, output):
        zero_point_0(node, tensor)
    if reduced > MAX_SUM >> 8:
        raise node.refuse(f"a mean of {reduced} values overflows its sum")
    try:
        multiplier, shift = mean_multiplier(source.scale, output.scale, reduced)
    except ValueError as error:
        raise node.refuse(str(error)) from None
    fields = [
        ("outer", outer), ("reduced", reduced), ("inner", inner),
        ("multiplier", multiplier), ("shift", shift),
    ]  # fmt: skip
    step = Step(node.index, node.kind, [source], output, "spk_mean_s16__ref", part=len(steps))
    step.sources = (f"{REFERENCE}/mean_s16.c",)
    step.struct("spk_mean", "mean", fields)
    step.arguments += [source, output]
    step.instructions = 8 * source.size + 40 * output.size
    return [*steps, step]


def _sigmoid_table():
    # TFLite's table is higher by one here and there, and at its end.
    table = np.round(65536 / (1 + np.exp(-np.arange(256) / 24)))
    table[[*_RAISED, 255]] += 1
    return table


def _reciprocal(x):
    # Two float32 operations.
    return np.float32(1) / (np.float32(1) + x.astype(np.float32))


def _curve(input_scale, zero_point, function):
    # 513 values over all of int16, each moved by half of what a straight line misses midway.
    scale = np.float32(input_scale)
    lowest, highest = (scale * np.float32(end - zero_point) for end in (INT16_MIN, INT16_MAX))
    least, most = (np.float32(2.0 / 65535.0) * np.float32(end) for end in (INT16_MIN, INT16_MAX))
    step = (highest - lowest) / np.float32(512)
    factor = np.float32(65536) / (most - least)
    places = np.arange(512, dtype=np.float32) * step + lowest
    after = np.arange(1, 513, dtype=np.float32) * step + lowest

    def at(x):
        return function(x.astype(np.float64)).astype(np.float32)

    here = round_halves_away(at(places) * factor)
    line = round_halves_away((at(after) * factor + here) / np.float32(2))
    midway = round_halves_away(at(places + step / np.float32(2)) * factor)
    bias = round_halves_away((line - midway) / np.float32(2))
    last = round_halves_away(at(np.array([highest])) * factor)
    return np.clip(np.append(here - bias, last), INT16_MIN, INT16_MAX)


def _steps_multiplier(scale):
    # TFLite takes scales of 2**-12 times a power of two apart.
    fraction, exponent = math.frexp(scale)
    if fraction == 0.5 and exponent - 1 == -12:
        return 3, 0
    multiplier, right = scale * _STEPS, 0
    while multiplier <= 32767 / 2 and right <= 30:
        multiplier, right = multiplier * 2, right + 1
    return int(multiplier), right


def _operands(node):
    operands = operands_of(node, ("INT16",))
    for tensor in (operands.a, operands.b, operands.output):
        zero_point_0(node, tensor)
    return operands


def _alike(node):
    source, output = checked_ends(node)
    if source.shape != output.shape:
        raise node.refuse(f"input {source.shape} and output {output.shape} disagree")
    return source, output


def _needs_unit_scale(node, output):
    if float(output.scale) != 1 / 32768:
        raise node.refuse("its output needs scale 1/32768")


def _multiplier(node, factor):
    try:
        return quantize_multiplier(float(factor))
    except ValueError as error:
        raise node.refuse(str(error)) from None


OPERATORS = {
    "ADD": add,
    "LOGISTIC": sigmoid,
    "MEAN": mean,
    "MUL": mul,
    "RELU": relu,
    "RELU6": relu,
    "SOFTMAX": softmax,
    "SUB": add,
    "TANH": sigmoid,
}
