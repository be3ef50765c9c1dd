"""Operators of one int8 input, element by element: each becomes a table of its 256 values.

The tables hold what TFLite's reference kernels give, so the order of their float32 and fixed-point
operations is kept.
"""

import math

import numpy as np

from keras_prune.export.c.quantization import (
    INT8_MAX,
    INT8_MIN,
    activation_range,
    inverse_square_root,
    multiply,
    quantize_multiplier,
    round_halves_away,
    rounding_shift_right,
)
from keras_prune.export.c.reductions import one_to_one
from keras_prune.export.c.steps import Step

INSTRUCTIONS = 5  # an element
_ROOT_BITS = 20  # of an inverse square root
_VALUES = np.arange(INT8_MIN, INT8_MAX + 1)


def lookup(node, target):
    """Lower an operator that is a function of one int8."""
    source, output = one_to_one(node)
    if source.shape != output.shape:
        raise node.refuse(f"input {source.shape} and output {output.shape} disagree")
    try:
        values = _FUNCTIONS[node.kind](node, source, output)
    except ValueError as error:
        raise node.refuse(str(error)) from None
    step = Step(node.index, node.kind, [source], output, "spk_lookup_s8__c", overwrites=(source,))
    step.sources = ("kernels/portable/lookup_s8.c",)
    table = step.constant("table", "int8_t", np.clip(values, INT8_MIN, INT8_MAX))
    step.arguments += [str(output.size), table, source, output]
    step.instructions = INSTRUCTIONS * output.size
    return step


def _of_real(function, scales=None):
    # Dequantise, call, quantise, all in float32. `function` sees the float64 of a float32.
    def table(node, source, output):
        if scales is not None and float(output.scale) != scales:
            raise ValueError(f"its output needs scale 1/{round(1 / scales)}")
        real = source.scale * (_VALUES - source.zero_point).astype(np.float32)
        with np.errstate(over="ignore"):
            found = function(real.astype(np.float64)).astype(np.float32)
            scaled = found * (np.float32(1) / output.scale)
        return round_halves_away(np.clip(scaled, -1e6, 1e6)) + output.zero_point

    return table


def _logistic(x):
    # The sum and the quotient are float32 operations of their own.
    return np.float32(1) / (np.float32(1) + np.exp(-x).astype(np.float32))


def _gelu(node, source, output):
    function = _approximate_gelu if getattr(node.options, "approximate", False) else _exact_gelu
    return _of_real(function)(node, source, output)


def _exact_gelu(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x * math.sqrt(0.5)))


def _approximate_gelu(x):
    x = x.astype(np.float32)
    inner = np.float32(np.sqrt(2 / np.pi)) * (x + np.float32(0.044715) * x * x * x)
    tanh = np.tanh(inner.astype(np.float64)).astype(np.float32)
    return np.float32(0.5) * x * (np.float32(1) + tanh)


def _from_zero(function):
    # For functions of numbers that are not negative.
    def table(node, source, output):
        if source.zero_point != INT8_MIN:
            raise ValueError("its input needs zero point -128, as it must not be negative")
        return function(node, source, output)

    return table


def _log(x):
    with np.errstate(divide="ignore"):
        return np.log(x)


def _square_root(node, source, output):
    # Of this one alone the quotient is cut off.
    real = source.scale * (_VALUES - source.zero_point).astype(np.float32)
    with np.errstate(over="ignore"):
        quotient = np.sqrt(real) / output.scale
    return np.trunc(np.clip(quotient, 0, 1e6)) + output.zero_point


def _inverse_square_root(node, source, output):
    factor = 1 / (math.sqrt(source.scale) * float(output.scale))
    multiplier, shift = quantize_multiplier(factor)
    found = np.full(_VALUES.size, INT8_MAX, np.int64)
    for place, value in enumerate(range(1, 256), start=1):
        fixed, right = inverse_square_root(value)
        root = multiply(1, fixed, _ROOT_BITS - right)
        found[place] = multiply(root, multiplier, shift - _ROOT_BITS) + output.zero_point
    return found


def _negative(node, source, output):
    if (source.zero_point, output.zero_point) != (0, 0) or source.scale != output.scale:
        raise ValueError("its input and output need one scale and zero point 0")
    # LiteRT negates the bytes.
    return np.where(_VALUES == INT8_MIN, INT8_MIN, -_VALUES)


def _rescaled(node, source, output):
    # TFLite divides the scales of activations in float32, those of QUANTIZE in float64.
    ratio = source.scale / output.scale
    activation = node.kind
    if node.kind == "QUANTIZE":
        ratio, activation = float(source.scale) / float(output.scale), "NONE"
    scaled = multiply(_VALUES - source.zero_point, *quantize_multiplier(float(ratio)))
    return np.clip(scaled + output.zero_point, *activation_range(activation, output))


def _absolute(node, source, output):
    multiplier, shift = quantize_multiplier(float(source.scale / output.scale))
    scaled = multiply(abs(_VALUES - source.zero_point), multiplier, shift)
    return scaled + output.zero_point


def _leaky_relu(node, source, output):
    alpha = np.float32(getattr(node.options, "alpha", 0.0))
    x = _VALUES - source.zero_point
    slopes = (source.scale * alpha / output.scale, source.scale / output.scale)
    below, above = (_signed_multiply(x, float(slope)) for slope in slopes)
    return np.where(x >= 0, above, below) + output.zero_point


def _signed_multiply(values, factor):
    multiplier, shift = quantize_multiplier(abs(factor))
    return multiply(values, -multiplier if factor < 0 else multiplier, shift)


def _hard_swish(node, source, output):
    # x * relu6(x + 3) / 6 in 16 bits.
    fine = source.scale * np.float32(1 / 128)
    factor, exponent = _short_multiplier(fine / output.scale)
    if exponent > 0:
        raise ValueError("its output's scale is too small for its input's")
    x = (_VALUES - source.zero_point) << 7
    on_output = _short_product(x, factor)
    factor, left = _short_multiplier(fine / np.float32(3 / 32768))
    gate = _short(x << max(left - 1, 0))
    gate = _short_product(gate, factor)
    gate = _short(gate << 1) if left > 0 else rounding_shift_right(gate, -left)
    gate = (gate + (1 << 15)) >> 1
    product = np.trunc(gate * on_output / (1 << 15)).astype(np.int64)
    return rounding_shift_right(product, -exponent) + output.zero_point


def _short(values):
    return np.clip(values, -(1 << 15), (1 << 15) - 1)


def _short_multiplier(real):
    multiplier, shift = quantize_multiplier(float(real))
    return min((multiplier + (1 << 15)) >> 16, (1 << 15) - 1), shift


def _short_product(values, factor):
    # round(values * factor / 2**15), ties upwards.
    return (values * factor + (1 << 14)) >> 15


_FUNCTIONS = {
    "ABS": _absolute,
    "EXP": _of_real(np.exp),
    "GELU": _gelu,
    "LOG": _from_zero(_of_real(_log)),
    "NEG": _negative,
    "RSQRT": _from_zero(_inverse_square_root),
    "SQRT": _from_zero(_square_root),
    "HARD_SWISH": _hard_swish,
    "LEAKY_RELU": _leaky_relu,
    "LOGISTIC": _of_real(_logistic, scales=1 / 256),
    "QUANTIZE": _rescaled,
    "RELU": _rescaled,
    "RELU6": _rescaled,
    "RELU_0_TO_1": _rescaled,
    "RELU_N1_TO_1": _rescaled,
    "TANH": _of_real(np.tanh),
}
