"""Every operator of the C export, compared with LiteRT's reference kernels bit for bit.

Each test puts many cases into one model, so that one compiler run serves all.
"""

import numpy as np
import pytest

from keras_prune.export.c import export_c
from keras_prune.export.flatbuffer import builtin_code, read_model, schema
from keras_prune.export.sparsify import sparsify_tflite
from keras_prune.runtime.c_project import run_c_project
from tests.export.c_cases import Cases
from tests.export.c_model_builder import (
    Model,
    edge_and_random_inputs,
    random_int8,
    reference,
)

SAME, VALID = 0, 1
NONE, RELU, RELU_N1_TO_1, RELU6 = 0, 1, 2, 3


def convolution(cases, kind, sparsity, scales, largest=8, group=1):
    """Add a convolution; with a `group`, one weight is left of so many neighbours."""
    rng = cases.rng
    height, width, depth = (int(n) for n in rng.integers(3, (largest + 1, largest + 1, 9)))
    depth *= group
    kernel = tuple(int(n) for n in rng.integers(1, 4, 2))
    stride = tuple(int(n) for n in rng.integers(1, 3, 2))
    dilation = tuple(int(n) for n in rng.integers(1, 3, 2)) if stride == (1, 1) else (1, 1)
    padding = SAME
    if all((k - 1) * d + 1 <= n for k, d, n in zip(kernel, dilation, (height, width), strict=True)):
        padding = int(rng.integers(0, 2))
    if kind == "CONV_2D":
        channels, multiplier = int(rng.integers(1, 20)), None
        shape, axis = (channels, *kernel, depth), 0
    else:
        multiplier = int(rng.integers(1, 4))
        channels = depth * multiplier
        shape, axis = (1, *kernel, channels), 3
    weights = random_int8(rng, shape)
    weights[rng.random(shape) < sparsity] = 0
    if group > 1:
        places = rng.integers(0, group, weights.size // group).repeat(group)
        weights[(places != np.arange(weights.size) % group).reshape(shape)] = 0
    output_shape = (2, *(
        -(-n // s) if padding == SAME else (n - (k - 1) * d - 1) // s + 1
        for n, k, s, d in zip((height, width), kernel, stride, dilation, strict=True)
    ), channels)  # fmt: skip
    count = channels if scales == "channel" else 1
    source = cases.input((2, height, width, depth), 0.05, cases.zero_point())
    tensor = cases.model.tensor(shape, rng.uniform(0.001, 0.02, count), 0, weights, axis=axis)
    bias = rng.integers(-3000, 3000, channels)
    bias = cases.model.tensor((channels,), 0.05 * 0.01, 0, bias, "int32")
    output = cases.model.tensor(output_shape, float(rng.uniform(0.02, 0.3)), cases.zero_point())
    options = {"padding": padding, "strideH": stride[0], "strideW": stride[1]}
    options |= {"dilationHFactor": dilation[0], "dilationWFactor": dilation[1]}
    options["fusedActivationFunction"] = int(rng.choice([NONE, RELU, RELU_N1_TO_1, RELU6]))
    if multiplier is not None:
        options["depthMultiplier"] = multiplier
    cases.outputs.append(cases.model.operator(kind, [source, tensor, bias], [output], **options))


@pytest.mark.parametrize("sparsity", [0.0, 0.8, 0.97])
def test_convolutions_match_the_reference(tmp_path, sparsity):
    cases = Cases(seed=1)
    for scales in ("tensor", "channel") * 8:
        convolution(cases, "CONV_2D", sparsity, scales)
    report = cases.check(tmp_path)
    expected = {"stream"} if sparsity else {"dense"}
    assert {layer.encoding for layer in report.layers} == expected


@pytest.mark.parametrize("own", [1, 3])
def test_grouped_convolutions_match_the_reference(tmp_path, own):
    cases = Cases(seed=8)
    for multiplier in (1, 2):
        for scales in (1, 4 * multiplier):
            channels = 4 * multiplier
            shape = (channels, 3, 2, own)
            scale = cases.rng.uniform(0.001, 0.02, scales)
            weights = cases.model.tensor(shape, scale, 0, random_int8(cases.rng, shape))
            bias = cases.rng.integers(-3000, 3000, channels)
            inputs = [cases.input((2, 6, 7, 4 * own), 0.05, cases.zero_point()), weights]
            inputs.append(cases.model.tensor((channels,), 0.001, 0, bias, "int32"))
            options = {"padding": SAME, "strideH": 2, "strideW": 1}
            options |= {"dilationHFactor": 1, "dilationWFactor": 1}
            cases.output("CONV_2D", inputs, (2, 3, 7, channels), 0.2, 3, **options)
    report = cases.check(tmp_path)
    kernels = {layer.kernel for layer in report.layers}
    expected = "spk_depthwise_conv2d_s8_dense__c" if own == 1 else "spk_conv2d_s8_stream__c"
    assert kernels == {expected}


def test_depthwise_convolutions_match_the_reference(tmp_path):
    cases = Cases(seed=2)
    for scales in ("tensor", "channel") * 10:
        convolution(cases, "DEPTHWISE_CONV_2D", 0.3, scales)
    cases.check(tmp_path)


@pytest.mark.parametrize("sparsity", [0.0, 0.9])
def test_fully_connected_matches_the_reference(tmp_path, sparsity):
    cases = Cases(seed=3)
    for batch, rows, cols in [(1, 5, 7), (1, 33, 700), (3, 6, 50), (9, 10, 64), (8, 4, 300)]:
        for scales in (1, rows):
            weights = random_int8(cases.rng, (rows, cols))
            weights[cases.rng.random((rows, cols)) < sparsity] = 0
            scale = cases.rng.uniform(0.001, 0.02, scales)
            source = cases.input((batch, cols), 0.05, cases.zero_point())
            tensor = cases.model.tensor((rows, cols), scale, 0, weights)
            inputs = [source, tensor]
            if scales > 1:
                bias = cases.rng.integers(-3000, 3000, rows)
                inputs.append(cases.model.tensor((rows,), 0.001, 0, bias, "int32"))
            output = cases.model.tensor((batch, rows), 0.37, cases.zero_point())
            cases.outputs.append(
                cases.model.operator(
                    "FULLY_CONNECTED", inputs, [output], fusedActivationFunction=RELU
                )
            )
    report = cases.check(tmp_path)
    if sparsity:
        assert any(layer.encoding == "stream" for layer in report.layers)


def test_a_long_row_empties_its_lanes_in_time(tmp_path):
    # 600 weights of 127 on inputs of 255: the low lane would run over after 130 of them.
    cases = Cases(seed=4)
    for value in (127, -127):
        weights = np.full((2, 1, 1, 600), value, np.int8)
        weights[1, ..., ::3] = 0
        source = cases.input((1, 3, 3, 600), 1.0, -128)
        tensor = cases.model.tensor(weights.shape, [1e-3, 2e-3], 0, weights)
        bias = cases.model.tensor((2,), 1e-3, 0, [0, 0], "int32")
        output = cases.model.tensor((1, 3, 3, 2), 200.0, 0)
        options = {"padding": VALID, "strideH": 1, "strideW": 1}
        options |= {"dilationHFactor": 1, "dilationWFactor": 1}
        cases.outputs.append(
            cases.model.operator("CONV_2D", [source, tensor, bias], [output], **options)
        )
    cases.check(tmp_path)


def test_large_biases_match_the_reference(tmp_path):
    # Beyond 2**30 the fast requantisation does not hold.
    cases = Cases(seed=5)
    for kind, axis in (("CONV_2D", 0), ("DEPTHWISE_CONV_2D", 3)):
        shape = (4, 3, 3, 4) if kind == "CONV_2D" else (1, 3, 3, 4)
        source = cases.input((1, 5, 5, 4), 0.05, 3)
        tensor = cases.model.tensor(
            shape, [1e-8, 1e-3, 1e-3, 2e-3], 0, random_int8(cases.rng, shape), axis=axis
        )
        bias = [2_000_000_000, 10, -20, -1_900_000_000]
        bias = cases.model.tensor((4,), 1e-4, 0, bias, "int32")
        output = cases.model.tensor((1, 5, 5, 4), 0.3, -1)
        options = {"padding": SAME, "strideH": 1, "strideW": 1}
        options |= {"dilationHFactor": 1, "dilationWFactor": 1}
        if kind == "DEPTHWISE_CONV_2D":
            options["depthMultiplier"] = 1
        cases.outputs.append(
            cases.model.operator(kind, [source, tensor, bias], [output], **options)
        )
    cases.check(tmp_path)


def test_pooling_matches_the_reference(tmp_path):
    cases = Cases(seed=6)
    for case in range(16):
        kind = ("MAX_POOL_2D", "AVERAGE_POOL_2D")[case % 2]
        height, width, depth = (int(n) for n in cases.rng.integers(3, 8, 3))
        kernel_h, kernel_w, stride_h, stride_w = (int(n) for n in cases.rng.integers(1, 4, 4))
        padding = int(cases.rng.integers(0, 2))
        if padding == SAME:
            size = (-(-height // stride_h), -(-width // stride_w))
        else:
            size = ((height - kernel_h) // stride_h + 1, (width - kernel_w) // stride_w + 1)
        zero_point = cases.zero_point()
        source = cases.input((1, height, width, depth), 0.05, zero_point)
        output = cases.model.tensor((1, *size, depth), 0.05, zero_point)
        options = {"padding": padding, "strideH": stride_h, "strideW": stride_w}
        options |= {"filterHeight": kernel_h, "filterWidth": kernel_w}
        options["fusedActivationFunction"] = int(cases.rng.choice([NONE, RELU, RELU6]))
        cases.outputs.append(cases.model.operator(kind, [source], [output], **options))
    cases.check(tmp_path)


@pytest.mark.parametrize("keep_dims", [False, True])
def test_mean_matches_the_reference(tmp_path, keep_dims):
    cases = Cases(seed=7)
    for axes in ([1, 2], [2, 1], [-2, -3], [1], [3], [0, 1, 2, 3], [2, 3]):
        shape = (2, 5, 7, 6)
        reduced = {axis % 4 for axis in axes}
        small = [1 if axis in reduced else n for axis, n in enumerate(shape)]
        if not keep_dims:
            small = [n for axis, n in enumerate(shape) if axis not in reduced]
        source = cases.input(shape, 0.05, cases.zero_point())
        axes = cases.model.tensor((len(axes),), data=axes, dtype="int32")
        scale = float(cases.rng.uniform(0.01, 0.06))
        output = cases.model.tensor(small, scale, cases.zero_point())
        cases.outputs.append(
            cases.model.operator("MEAN", [source, axes], [output], keepDims=keep_dims)
        )
    cases.check(tmp_path)


def test_add_matches_the_reference(tmp_path):
    cases = Cases(seed=8)
    shapes = [((1, 4, 5, 3),) * 2, ((1, 4, 5, 3), (3,)), ((1, 1, 1, 3), (1, 4, 5, 3))]
    shapes += [((2, 4, 3), (1,)), ((2, 6), (1, 6))]
    for activation in (NONE, RELU, RELU6):
        for a_shape, b_shape in shapes:
            scales = cases.rng.uniform(0.01, 0.2, 3)
            a = cases.input(a_shape, scales[0], cases.zero_point())
            b = cases.input(b_shape, scales[1], cases.zero_point())
            shape = np.broadcast_shapes(a_shape, b_shape)
            output = cases.model.tensor(shape, scales[2], cases.zero_point())
            cases.outputs.append(
                cases.model.operator("ADD", [a, b], [output], fusedActivationFunction=activation)
            )
    cases.check(tmp_path)


def test_add_of_a_constant_and_of_itself_matches_the_reference(tmp_path):
    cases = Cases(seed=9)
    source = cases.input((1, 4, 6), 0.05, 3)
    constant = cases.model.tensor((6,), 0.02, -4, random_int8(cases.rng, 6))
    first = cases.model.operator(
        "ADD", [constant, source], [cases.model.tensor((1, 4, 6), 0.06, 1)]
    )
    second = cases.model.operator("ADD", [first, first], [cases.model.tensor((1, 4, 6), 0.1, 1)])
    cases.outputs += [first, second]
    cases.check(tmp_path)


def test_rescaling_operators_match_the_reference(tmp_path):
    cases = Cases(seed=10)
    for kind in ("RELU", "RELU6", "RELU_N1_TO_1", "QUANTIZE"):
        for output_scale in (0.05, 0.021, 0.13):
            source = cases.input((1, 100), 0.05, cases.zero_point())
            output = cases.model.tensor((1, 100), output_scale, cases.zero_point())
            cases.outputs.append(cases.model.operator(kind, [source], [output]))
    cases.check(tmp_path)


@pytest.mark.parametrize("kind", ["PAD", "PADV2"])
def test_padding_matches_the_reference(tmp_path, kind):
    cases = Cases(seed=11)
    for shape, paddings in [
        ((1, 3, 4, 2), [(0, 0), (1, 2), (3, 0), (0, 0)]),
        ((2, 3, 4, 2), [(1, 1), (0, 2), (1, 1), (2, 3)]),
        ((5, 3), [(0, 1), (2, 0)]),
    ]:
        source = cases.input(shape, 0.05, 9)
        inputs = [source, cases.model.tensor((len(shape), 2), data=paddings, dtype="int32")]
        if kind == "PADV2":
            inputs.append(cases.model.tensor((1,), 0.05, 9, [-77]))
        padded = [n + before + after for n, (before, after) in zip(shape, paddings, strict=True)]
        output = cases.model.tensor(padded, 0.05, 9)
        cases.outputs.append(cases.model.operator(kind, inputs, [output]))
    cases.check(tmp_path)


def test_softmax_matches_the_reference(tmp_path):
    cases = Cases(seed=12)
    for depth, scale, beta in [(10, 0.1, 1.0), (2, 0.9, 1.0), (1, 0.2, 1.0), (300, 0.03, 0.5)]:
        source = cases.input((3, depth), scale, cases.zero_point())
        output = cases.model.tensor((3, depth), 1 / 256, -128)
        cases.outputs.append(cases.model.operator("SOFTMAX", [source], [output], beta=beta))
    cases.check(tmp_path)


def test_float_ends_match_the_reference(tmp_path):
    model, rng = Model(), np.random.default_rng(13)
    source = model.tensor((1, 64), dtype="float32")
    inner = model.operator("QUANTIZE", [source], [model.tensor((1, 64), 0.037, -11)])
    shape = model.tensor((3,), data=[1, 8, 8], dtype="int32")
    inner = model.operator("RESHAPE", [inner, shape], [model.tensor((1, 8, 8), 0.037, -11)])
    output = model.operator("DEQUANTIZE", [inner], [model.tensor((1, 8, 8), dtype="float32")])
    path = model.save(tmp_path / "ends.tflite", [source], [output])
    inputs = rng.normal(0, 3, (4, 64)).astype(np.float32)
    inputs[0, :6] = [0.0, 1e6, -1e6, 0.037 * 0.5, -0.037 * 0.5, 0.037 * 2.5]
    export_c(path, tmp_path / "project", "host")
    run = run_c_project(tmp_path / "project", inputs, flags=("-O1",))
    assert run.outputs.dtype == np.float32
    np.testing.assert_array_equal(run.outputs, reference(path, inputs))


def test_reshaping_operators_move_nothing(tmp_path):
    cases = Cases(seed=15)
    source = cases.input((1, 4, 6), 0.05, 3)
    squeezed = cases.model.tensor((4, 6), 0.05, 3)
    cases.model.operator("SQUEEZE", [source], [squeezed], squeezeDims=np.array([0], np.int32))
    axis = cases.model.tensor((1,), data=[1], dtype="int32")
    expanded = cases.model.tensor((4, 1, 6), 0.05, 3)
    cases.outputs.append(cases.model.operator("EXPAND_DIMS", [squeezed, axis], [expanded]))
    report = cases.check(tmp_path)
    assert report.arena_bytes == 24
    assert not (tmp_path / "project" / "src" / "kernels").exists()


def test_sparse_constants_behind_densify_are_decoded(tmp_path):
    cases = Cases(seed=14)
    weights = random_int8(cases.rng, (16, 3, 3, 8))
    weights[cases.rng.random(weights.shape) < 0.9] = 0
    source = cases.input((1, 6, 6, 8), 0.05, -3)
    tensor = cases.model.tensor(weights.shape, 0.01, 0, weights)
    bias = cases.model.tensor((16,), 5e-4, 0, np.arange(16), "int32")
    output = cases.model.tensor((1, 6, 6, 16), 0.3, 2)
    options = {"padding": SAME, "strideH": 1, "strideW": 1}
    options |= {"dilationHFactor": 1, "dilationWFactor": 1}
    cases.model.operator("CONV_2D", [source, tensor, bias], [output], **options)
    dense = cases.model.save(tmp_path / "dense.tflite", [source], [output])
    sparsify_tflite(dense, tmp_path / "sparse.tflite")
    codes = read_model(tmp_path / "sparse.tflite").operatorCodes
    assert schema().BuiltinOperator.DENSIFY in [builtin_code(code) for code in codes]
    inputs = edge_and_random_inputs(cases.rng, 6 * 6 * 8)
    report = export_c(tmp_path / "sparse.tflite", tmp_path / "project", "host")
    assert [layer.encoding for layer in report.layers] == ["stream"]
    run = run_c_project(tmp_path / "project", inputs, flags=("-O1",))
    np.testing.assert_array_equal(run.outputs, reference(dense, inputs))
