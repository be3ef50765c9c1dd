import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_prune.export.c.quantization import (
    add_parameters,
    exact_multipliers,
    mean_multiplier,
    quantize_multiplier,
    round_half_away,
    softmax_parameters,
)


@pytest.mark.parametrize(
    ("real", "expected"),
    [
        (0.0, (0, 0)),
        (0.5, (1 << 30, 0)),
        (1.0, (1 << 30, 1)),
        (0.75, (3 << 29, 0)),
        (0.0004, (1759218604, -11)),
        (1 - 2**-40, (1 << 30, 1)),
        (2.0**-31, (1 << 30, -30)),
        (2.0**-33, (0, 0)),
    ],
)
def test_quantize_multiplier_gives_known_values(real, expected):
    assert quantize_multiplier(real) == expected


@given(st.floats(2.0**-30, 2.0**29))
def test_quantize_multiplier_is_the_nearest(real):
    multiplier, shift = quantize_multiplier(real)
    assert 1 << 30 <= multiplier < 1 << 31
    assert math.isclose(math.ldexp(multiplier, shift - 31), real, rel_tol=2**-31)


@pytest.mark.parametrize("real", [-1.0, math.nan, math.inf, 2.0**40])
def test_factors_that_fixed_point_does_not_hold_are_refused(real):
    with pytest.raises(ValueError, match="scale factor"):
        quantize_multiplier(real)


@given(st.floats(1e-4, 1.0), st.floats(1e-4, 1.0), st.floats(1e-3, 1.0))
def test_exact_multipliers_hold_every_bit_of_the_float64(a, b, c):
    scales = (np.float32(a), np.array([b], np.float32), np.float32(c))
    multiplier, low, shift = (int(each[0]) for each in exact_multipliers(*scales))
    expected = float(scales[0]) * float(scales[1][0]) / float(scales[2])
    assert math.ldexp((multiplier << 32) + low, shift - 63) == expected


def test_mean_folds_in_the_count():
    # 0.5 / 0.25 = 2 = 2**30 * 2**(2 - 31); over 6 values: (2**30 << 2) // 6, shifted by 2 less.
    assert mean_multiplier(np.float32(0.5), np.float32(0.25), 6) == ((1 << 32) // 6, 0)


def test_add_scales_the_larger_input_by_one_half():
    a, b, output = add_parameters(np.float32(0.25), np.float32(0.5), np.float32(0.5))
    assert (a, b) == ((1 << 30, -1), (1 << 30, 0))
    assert output == (1 << 30, -18)


def test_softmax_parameters_of_a_power_of_two():
    # 1/16 in Q5.26 is 2**22; differences down to -(31 * 2**26 / 2**23) matter.
    assert softmax_parameters(1.0, np.float32(1 / 16)) == (1 << 30, 23, -248)


@pytest.mark.parametrize(("value", "expected"), [(2.5, 3), (-2.5, -3), (0.49, 0), (-0.5, -1)])
def test_ties_round_away_from_zero(value, expected):
    assert round_half_away(value) == expected
