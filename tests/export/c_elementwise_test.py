"""Operators on one element after the other, in C, compared with LiteRT's reference kernels."""

import numpy as np
import pytest

from tests.export.c_cases import Cases

NONE, RELU, RELU6 = 0, 1, 3
LOOKUPS = ("ABS", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "TANH")
LOOKUPS += ("EXP", "GELU", "LOG", "NEG", "RSQRT", "SQRT")
LOOKUPS += ("RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "QUANTIZE")
BROADCAST = [
    ((1, 4, 5, 3), (1, 4, 5, 3)),
    ((1, 4, 5, 3), (3,)),
    ((1, 1, 1, 3), (1, 4, 5, 3)),
    ((2, 4, 3), (1,)),
    ((2, 3, 4, 5), (2, 3, 4, 1)),
    ((2, 1, 4, 1), (1, 3, 1, 5)),
    ((2, 1, 1, 5), (2, 3, 4, 5)),
    ((3, 1), (3, 4)),
]


@pytest.mark.parametrize("kind", LOOKUPS)
def test_tables_hold_what_the_reference_gives_for_all_256_values(tmp_path, kind):
    cases = Cases(seed=30)
    for input_scale in (0.004, 0.0235, 0.05, 0.1, 0.7):
        for output_scale in (0.005, 0.024, 0.05, 0.13):
            options = {}
            source_zero, zero_point = cases.zero_point(), cases.zero_point()
            if kind in ("LOG", "RSQRT", "SQRT"):
                source_zero = -128
            elif kind == "NEG":
                source_zero, zero_point, output_scale = 0, 0, input_scale
            elif kind == "GELU":
                options = {"approximate": bool(cases.rng.integers(2))}
            elif kind == "LOGISTIC":
                output_scale, zero_point = 1 / 256, -128
            elif kind == "LEAKY_RELU":
                options = {"alpha": float(cases.rng.choice([0.0, 0.1, 0.3, 1.5, -0.2]))}
            elif kind == "HARD_SWISH" and input_scale > 100 * output_scale:
                continue
            source = cases.input((1, 256), input_scale, source_zero)
            cases.output(kind, [source], (1, 256), output_scale, zero_point, **options)
    values = np.arange(-128, 128, dtype=np.int8)[None]
    report = cases.check(tmp_path, inputs=(values,) * len(cases.inputs))
    assert {layer.kernel for layer in report.layers} == {"spk_lookup_s8__c"}


@pytest.mark.parametrize(
    "kind", ["ADD", "SUB", "MUL", "SQUARED_DIFFERENCE", "MAXIMUM", "MINIMUM", "PRELU"]
)
def test_two_inputs_broadcast_as_in_the_reference(tmp_path, kind):
    cases = Cases(seed=31)
    activations = (NONE, RELU, RELU6) if kind in ("ADD", "SUB", "MUL") else (None,) * 2
    for activation in activations:
        options = {} if activation is None else {"fusedActivationFunction": activation}
        for a_shape, b_shape in BROADCAST:
            shape = np.broadcast_shapes(a_shape, b_shape)
            if kind == "PRELU" and a_shape != shape:
                continue
            scales, zero_points = cases.rng.uniform(0.01, 0.2, 3), [cases.zero_point()] * 3
            if kind in ("MAXIMUM", "MINIMUM"):
                scales[:] = scales[0]
            else:
                zero_points = [cases.zero_point() for _ in range(3)]
            a = cases.input(a_shape, scales[0], zero_points[0])
            b = cases.input(b_shape, scales[1], zero_points[1])
            cases.output(kind, [a, b], shape, scales[2], zero_points[2], **options)
    cases.check(tmp_path)


@pytest.mark.parametrize("kind", ["ADD", "SUB", "MUL"])
def test_constants_and_twice_the_same_match_the_reference(tmp_path, kind):
    cases = Cases(seed=32)
    source = cases.input((2, 4, 6), 0.05, 3)
    for shape in ((6,), (4, 1), (2, 4, 6)):
        values = cases.rng.integers(-128, 128, shape)
        constant = cases.model.tensor(shape, 0.02, -4, values)
        first = cases.output(kind, [constant, source], (2, 4, 6), 0.06, 1)
        cases.output(kind, [first, constant], (2, 4, 6), 0.1, 2)
    cases.output(kind, [first, first], (2, 4, 6), 0.1, 1)
    cases.check(tmp_path)


@pytest.mark.parametrize("kind", ["LOG", "RSQRT", "SQRT", "NEG"])
def test_what_has_no_value_is_refused(tmp_path, kind):
    cases = Cases(seed=33)
    source = cases.input((1, 8), 0.05, 3)
    cases.output(kind, [source], (1, 8), 0.05, 2)
    with pytest.raises(ValueError, match=r"zero point.*Received: operator"):
        cases.check(tmp_path)


@pytest.mark.parametrize("kind", ["SUM", "REDUCE_MIN", "REDUCE_MAX"])
def test_reductions_match_the_runtime(tmp_path, kind):
    cases = Cases(seed=34)
    for number in range(12):
        shape = tuple(int(n) for n in cases.rng.integers(1, 7, 4))
        axes = sorted({int(a) for a in cases.rng.integers(-4, 4, 2)})
        gone = {axis % 4 for axis in axes}
        source_scale, zero_point = float(cases.rng.uniform(0.01, 0.1)), cases.zero_point()
        scale, output_zero = source_scale, zero_point
        if kind == "SUM" and number:
            scale, output_zero = source_scale * float(cases.rng.choice([1, 2, 3.7])), 5
        inputs = [cases.input(shape, source_scale, zero_point), cases.integers(axes)]
        kept = tuple(1 if axis in gone else size for axis, size in enumerate(shape))
        cases.output(kind, inputs, kept, scale, output_zero, keepDims=True)
    # The reference kernel of SUM takes int8 for uint8.
    cases.check(tmp_path, resolver="BUILTIN" if kind == "SUM" else "BUILTIN_REF")
