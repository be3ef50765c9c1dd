"""float32 models in C, compared with LiteRT's reference kernels to 1e-5."""

import numpy as np
import pytest

from keras_prune.export.c import export_c
from tests.export.c_cases import FloatCases
from tests.export.c_elementwise_test import BROADCAST
from tests.export.c_model_builder import needs_qemu

SAME, VALID = 0, 1
NONE, RELU, RELU6 = 0, 1, 3


def pruned(rng, shape, sparsity):
    weights = rng.normal(size=shape).astype(np.float32)
    weights[rng.random(shape) < sparsity] = 0
    return weights


@pytest.mark.parametrize(
    ("sparsity", "target"),
    [(0.0, "host"), (0.8, "host"), pytest.param(0.8, "cortex-m4", marks=needs_qemu)],
)
def test_layers_with_weights_match_the_reference(tmp_path, sparsity, target):
    cases = FloatCases(seed=50)
    rng = cases.rng
    for activation, (batch, rows, cols) in ((NONE, (1, 5, 37)), (RELU6, (3, 8, 16))):
        inputs = [cases.input((batch, cols)), cases.constant(pruned(rng, (rows, cols), sparsity))]
        inputs.append(cases.constant(rng.normal(size=rows)))
        options = {"fusedActivationFunction": activation}
        cases.output("FULLY_CONNECTED", inputs, (batch, rows), **options)
    for padding, kernel, stride, dilation in (
        (SAME, (3, 2), (2, 1), (1, 1)),
        (VALID, (2, 3), (1, 1), (2, 1)),
    ):
        size = [
            -(-n // s) if padding == SAME else (n - (k - 1) * d - 1) // s + 1
            for n, k, s, d in zip((7, 6), kernel, stride, dilation, strict=True)
        ]
        options = {"padding": padding, "strideH": stride[0], "strideW": stride[1]}
        options |= {"dilationHFactor": dilation[0], "dilationWFactor": dilation[1]}
        options["fusedActivationFunction"] = RELU if padding == SAME else NONE
        weights = cases.constant(pruned(rng, (5, *kernel, 4), sparsity))
        inputs = [cases.input((2, 7, 6, 4)), weights, cases.constant(rng.normal(size=5))]
        cases.output("CONV_2D", inputs, (2, *size, 5), **options)
        for multiplier in (1, 2):
            channels = 4 * multiplier
            weights = cases.constant(pruned(rng, (1, *kernel, channels), sparsity))
            inputs = [cases.input((2, 7, 6, 4)), weights, cases.constant(rng.normal(size=channels))]
            options["depthMultiplier"] = multiplier
            cases.output("DEPTHWISE_CONV_2D", inputs, (2, *size, channels), **options)
        del options["depthMultiplier"]
    report = cases.check(tmp_path, target)
    encodings = {layer.encoding for layer in report.layers if layer.operator != "DEPTHWISE_CONV_2D"}
    assert encodings == ({"csr"} if sparsity else {"dense"})


def test_elements_match_the_reference(tmp_path):
    cases = FloatCases(seed=51)
    for kind in ("ABS", "HARD_SWISH", "LOGISTIC", "TANH", "RELU", "RELU6", "RELU_N1_TO_1"):
        cases.output(kind, [cases.input((1, 50))], (1, 50))
    cases.output("NEG", [cases.input((1, 50))], (1, 50))
    for approximate in (False, True):
        cases.output("GELU", [cases.input((1, 50))], (1, 50), approximate=approximate)
    squares = cases.output("SQUARE", [cases.input((1, 50))], (1, 50))
    cases.output("SQRT", [squares], (1, 50))
    powers = cases.output("EXP", [cases.input((1, 50))], (1, 50))
    cases.output("RSQRT", [powers], (1, 50))
    cases.output("DIV", [cases.input((3, 50)), powers], (3, 50))
    powers = cases.output("EXP", [cases.input((3, 50))], (3, 50))
    cases.output("DIV", [cases.input((1, 50)), powers], (3, 50), fusedActivationFunction=RELU6)
    cases.output("LEAKY_RELU", [cases.input((1, 50))], (1, 50), alpha=0.3)
    for depth, beta in ((1, 1.0), (10, 1.0), (33, 0.5)):
        cases.output("SOFTMAX", [cases.input((3, depth))], (3, depth), beta=beta)
    for kind in ("ADD", "SUB", "MUL", "SQUARED_DIFFERENCE", "MAXIMUM", "MINIMUM", "PRELU"):
        for a_shape, b_shape in BROADCAST:
            shape = np.broadcast_shapes(a_shape, b_shape)
            if kind != "PRELU" or a_shape == shape:
                options = {"fusedActivationFunction": RELU6} if kind in ("SUB", "MUL") else {}
                cases.output(kind, [cases.input(a_shape), cases.input(b_shape)], shape, **options)
    constant = cases.constant(cases.rng.normal(size=(4, 1)))
    cases.output("SUB", [constant, cases.input((2, 4, 6))], (2, 4, 6))
    cases.check(tmp_path)


def test_movement_and_reductions_match_the_reference(tmp_path):
    cases, shape = FloatCases(seed=52), (2, 3, 4, 5)
    x = cases.input(shape)
    cases.output("TRANSPOSE", [x, cases.integers([0, 3, 1, 2])], (2, 5, 3, 4))
    cases.output("CONCATENATION", [x, cases.input((2, 3, 1, 5))], (2, 3, 5, 5), axis=2)
    slices = [cases.integers(each) for each in ([0, 1, 0, 4], [2, 3, 4, 0], [1, 1, 2, -2])]
    cases.output("STRIDED_SLICE", [x, *slices], (2, 2, 2, 2))
    cases.output("RESHAPE", [x, cases.integers([6, 20])], (6, 20))
    paddings = cases.integers([(0, 0), (1, 2), (3, 0), (0, 1)])
    cases.output("PAD", [x, paddings], (2, 6, 7, 6))
    cases.output("PADV2", [x, paddings, cases.constant([-1.5])], (2, 6, 7, 6))
    for axes, result in (([1, 2], (2, 5)), ([0, 2], (3, 5)), ([3], (2, 3, 4))):
        for kind in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"):
            cases.output(kind, [x, cases.integers(axes)], result)
    window = {"strideH": 2, "strideW": 1, "filterHeight": 2, "filterWidth": 3}
    for kind in ("MAX_POOL_2D", "AVERAGE_POOL_2D"):
        cases.output(kind, [x], (2, 2, 4, 5), padding=SAME, **window)
        cases.output(kind, [x], (2, 1, 2, 5), padding=VALID, fusedActivationFunction=RELU, **window)
    for options in ({}, {"alignCorners": True}, {"halfPixelCenters": True}):
        for kind in ("RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR"):
            cases.output(kind, [x, cases.integers([5, 7])], (2, 5, 7, 5), **options)
    cases.check(tmp_path)


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        ("FULLY_CONNECTED", np.nan, "its weights hold a number that is not finite"),
        ("ADD", np.inf, "holds a number that is not finite"),
    ],
)
def test_numbers_that_are_not_finite_are_refused(tmp_path, kind, value, sentence):
    cases = FloatCases(seed=54)
    weights = cases.constant(np.full((4, 4), value))
    cases.output(kind, [cases.input((4, 4)), weights], (4, 4))
    path = cases.model.save(tmp_path / "refused.tflite", cases.inputs, cases.outputs)
    with pytest.raises(ValueError, match=sentence):
        export_c(path, tmp_path / "project")
