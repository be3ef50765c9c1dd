"""Shortened multipliers of dense layers: the same bytes for every sum."""

import numpy as np
import pytest

from keras_prune.export.c.quantization import exact_multipliers
from keras_prune.export.c.rounding import round_up_multipliers


def exact(sums, multiplier, low, shift):
    """Rounded once, ties away from zero: `spk_scale_once_s8`."""
    sizes = np.abs(sums).astype(object)
    products = sizes * multiplier + (sizes * low >> 32)
    right = 31 - shift
    return np.sign(sums) * ((products + (1 << right - 1)) >> right)


def rounded_up(sums, multiplier, shift):
    """What a kernel does that is told to round up: `spk_scale_up_s8`."""
    return ((sums * multiplier >> 31) + (1 << -shift - 1)) >> -shift


@pytest.mark.parametrize("levels", [(-128, 127), (0, 255), (-250, 5), (0, 0)])
@pytest.mark.parametrize("scale", [0.49, 0.25, 1 / 300, 2.0**-9, 1 / 2500])
@pytest.mark.parametrize("shared", [False, True])
def test_every_sum_gives_the_same_byte(scale, levels, shared):
    scales = np.float32(scale * 0.37) * np.float32([1, 0.7, 0.5])
    factors = exact_multipliers(np.float32(1), scales, np.float32(0.37))
    found, shifts = round_up_multipliers(*factors, levels, shared)
    assert len(shifts) == (1 if shared else 3)
    shifts = np.resize(shifts, 3)
    reach = round(300 / (scale * 0.5))
    sums = np.arange(-reach, reach + 1)
    for multiplier, low, shift, shorter, used in zip(*factors, found, shifts, strict=True):
        assert 0 < shorter < 1 << 31
        expected = exact(sums, int(multiplier), int(low), int(shift)).astype(np.int64)
        got = rounded_up(sums, shorter, int(used))
        np.testing.assert_array_equal(np.clip(got, *levels), np.clip(expected, *levels))


@pytest.mark.parametrize("scale", [0.0, 0.6, 3.0])
def test_factors_without_a_right_shift_stay(scale):
    factors = exact_multipliers(np.float32(1), np.float32([scale, 0.01]), np.float32(1))
    assert round_up_multipliers(*factors, (-128, 127)) is None


def test_a_factor_without_a_shorter_one_stays():
    # It has to rise at sums so large that 31 bits do not tell two neighbours apart.
    factors = exact_multipliers(np.float32(1), np.float32([1e-8]), np.float32(0.37))
    assert round_up_multipliers(*factors, (-128, 127)) is None
