"""Fixed-point parameters, exactly as TFLite's kernels derive them from scales.

The order of float32 and float64 operations is part of the specification: it decides last bits
of multipliers, and so outputs.
"""

import math

import numpy as np

INT8_MIN, INT8_MAX = -128, 127
_MAX_SHIFT = 30


def quantize_multiplier(real):
    """Split a real factor into a Q0.31 multiplier and a power of two.

    `real = multiplier * 2**(shift - 31)`, rounded; factors below `2**-32` become 0.

    Args:
        real: Float >= 0.

    Returns:
        The pair `(multiplier, shift)` of ints.

    Raises:
        ValueError: If the factor is not finite, negative, or above `2**30`.
    """
    if not 0 <= real < math.inf:
        raise ValueError(f"the scale factor {real} is not a finite number")
    if real == 0:
        return 0, 0
    fraction, shift = math.frexp(real)
    fixed = math.floor(fraction * (1 << 31) + 0.5)
    if fixed == 1 << 31:
        fixed, shift = fixed // 2, shift + 1
    if shift < -31:
        return 0, 0
    if shift > _MAX_SHIFT:
        raise ValueError(f"the scale factor {real} is larger than fixed point holds")
    return fixed, shift


def multiply(values, multiplier, shift):
    """Multiply ints by `multiplier * 2**(shift - 31)`, rounded twice as gemmlowp does.

    Args:
        values: Int array, each below `2**31` in size, also behind a left shift.
        multiplier: Int.
        shift: Int.

    Returns:
        An int64 array.
    """
    values = np.asarray(values, np.int64) << max(shift, 0)
    return rounding_shift_right((values * multiplier + (1 << 30)) >> 31, max(-shift, 0))


def rounding_shift_right(values, right):
    """Divide an int array by `2**right`, ties away from zero."""
    half = (1 << right) >> 1
    return np.sign(values) * ((np.abs(values) + half) >> right)


def inverse_square_root(value):
    """Return 1 / sqrt(value) as TFLite finds it: by five steps of Newton in 32 bits.

    `1 / sqrt(value) = multiplier * 2**(-right - 31)`, about.

    Args:
        value: Int in [1, 2**29).

    Returns:
        The pair `(multiplier, right)` of ints.
    """
    if value == 1:
        return (1 << 31) - 1, 0
    pairs = (31 - value.bit_length()) // 2 - 1
    half = ((value << 2 * pairs >> 1) + 1) >> 1  # with 3 bits before the point, like x
    x = 1 << 28
    for _ in range(5):
        cube = _widened(_high(_high(x, x), x), 6)
        x = _widened(_high(3 << 27, x) - _high(half, cube), 3)
    x, right = _high(x, 1518500250), 11 - pairs
    return (x << -right, 0) if right < 0 else (x, right)


def _high(a, b):
    return (a * b + (1 << 30)) >> 31


def _widened(value, left):
    return max(-(1 << 31), min((1 << 31) - 1, value << left))


def channel_multipliers(input_scale, weight_scales, output_scale, channels):
    """Return multipliers and shifts of a convolution, one a channel.

    Args:
        input_scale: float32.
        weight_scales: float32 array, `(1,)` or `(channels,)`.
        output_scale: float32.
        channels: Int.

    Returns:
        Two int arrays of shape `(channels,)`.
    """
    factors = _factors(input_scale, weight_scales, output_scale)
    pairs = np.array([quantize_multiplier(factor) for factor in factors])
    return tuple(np.broadcast_to(pairs, (channels, 2)).T)


def exact_multipliers(input_scale, weight_scales, output_scale):
    """Return the scale factors of FULLY_CONNECTED with all bits of their float64.

    `factor = (multiplier + low / 2**32) * 2**(shift - 31)`; LiteRT's reference kernel multiplies
    in float64 and rounds once.

    Args:
        input_scale: float32.
        weight_scales: float32 array of shape `(n,)`.
        output_scale: float32.

    Returns:
        Three int arrays of shape `(n,)`: multiplier, low, shift.
    """
    factors = _factors(input_scale, weight_scales, output_scale)
    return tuple(np.array([_exact_multiplier(factor) for factor in factors]).T)


def _factors(input_scale, weight_scales, output_scale):
    return [float(input_scale) * float(scale) / float(output_scale) for scale in weight_scales]


def _exact_multiplier(real):
    multiplier, shift = quantize_multiplier(real)
    if multiplier == 0:
        return 0, 0, 0
    fraction, shift = math.frexp(real)
    bits = int(math.ldexp(fraction, 63))
    return bits >> 32, bits & 0xFFFFFFFF, shift


def round_half_away(value):
    """Round to the nearest int, ties away from zero, as C's `round` does."""
    return int(math.copysign(math.floor(abs(float(value)) + 0.5), float(value)))


def round_halves_away(values):
    """Round an array as `round_half_away` rounds a number; the type stays."""
    whole = np.trunc(values)
    return whole + np.sign(values) * (abs(values - whole) >= 0.5)


def quantized(value, tensor):
    """Return a real value in the tensor's int8 scale, within int32 (a float32 division)."""
    with np.errstate(over="ignore"):  # by the smallest scales
        units = np.float32(value) / tensor.scale
    return tensor.zero_point + round_half_away(np.clip(units, -(2.0**31), 2.0**31))


def activation_range(activation, tensor):
    """Return the int8 bounds of a fused activation.

    Args:
        activation: One of `"NONE"`, `"RELU"`, `"RELU_N1_TO_1"`, `"RELU_0_TO_1"`, `"RELU6"`.
        tensor: Output `Tensor`.

    Returns:
        The pair `(low, high)`, or `None` for another activation.
    """
    bounds = {
        "NONE": (None, None),
        "RELU": (0, None),
        "RELU_N1_TO_1": (-1, 1),
        "RELU_0_TO_1": (0, 1),
        "RELU6": (0, 6),
    }
    if activation not in bounds:
        return None
    low, high = bounds[activation]
    return (
        INT8_MIN if low is None else min(INT8_MAX, max(INT8_MIN, quantized(low, tensor))),
        INT8_MAX if high is None else max(INT8_MIN, min(INT8_MAX, quantized(high, tensor))),
    )


def mean_multiplier(input_scale, output_scale, count):
    """Return the multiplier and shift of MEAN over `count` values, 1 / count folded in."""
    multiplier, shift = quantize_multiplier(float(input_scale) / float(output_scale))
    extra = min(count.bit_length() - 1, 32, 31 + shift)
    return (multiplier << extra) // count, shift - extra


def add_parameters(a_scale, b_scale, output_scale, left_shift=20):
    """Return the three (multiplier, shift) pairs of ADD: of both inputs and of the output."""
    twice = 2.0 * float(max(a_scale, b_scale))
    return (
        quantize_multiplier(float(a_scale) / twice),
        quantize_multiplier(float(b_scale) / twice),
        quantize_multiplier(twice / ((1 << left_shift) * float(output_scale))),
    )


def softmax_parameters(beta, input_scale):
    """Return multiplier, left shift and smallest useful difference of int8 SOFTMAX.

    Differences to the row's maximum become Q5.26 after the multiplication.
    """
    real = min(float(beta) * float(input_scale) * (1 << 26), float((1 << 31) - 1))
    if not real > 1:
        raise ValueError(f"beta {beta} times scale {input_scale} is below fixed point")
    # 2**31 - 1 rounds up to shift 31: the only factor that may exceed the common limit.
    fraction, shift = math.frexp(real)
    fixed = math.floor(fraction * (1 << 31) + 0.5)
    if fixed == 1 << 31:
        fixed, shift = fixed // 2, shift + 1
    radius = 31 * (1 << 26) / (1 << shift)
    return fixed, shift, -math.floor(radius)
