"""Convolutions of Hexagon whose weights are instructions: emulated here and by QEMU."""

import subprocess

import numpy as np
import pytest

import keras_prune as kp
from keras_prune.export.c import export_c
from keras_prune.export.c.hexagon_code import MOST_CODE, write_program
from keras_prune.export.c.hexagon_code_layers import KERNEL
from keras_prune.export.c.hexagon_packets import MOST_ROWS
from keras_prune.runtime.c_project import run_c_project
from keras_prune.runtime.c_targets import TARGETS, source_root
from tests.export.c_cases import Cases
from tests.export.c_hexagon_test import needs_hexagon
from tests.export.c_model_builder import Model, needs, random_int8
from tests.export.packet_emulator import run_program

SAME, VALID = 0, 1


def random_matrix(rng, rows, fours):
    """Blocks of four columns; some rows, some columns, or everything without weights."""
    matrix = random_int8(rng, (rows, fours, 4))
    matrix[rng.random((rows, fours)) < rng.choice([0, 0.5, 0.9, 0.99, 1])] = 0
    matrix[rng.random(rows) < 0.1] = 0
    matrix[:, rng.random(fours) < rng.choice([0, 0.9])] = 0
    return matrix.reshape(rows, -1)


def random_offsets(rng, fours):
    """Where inputs lie: behind each other as in a tile, or in planes of any distance."""
    if rng.random() < 0.5:
        return [512 * four for four in range(fours)]
    plane = int(rng.integers(4, 400)) * 128 + int(rng.choice([0, 64]))
    return [four % 3 * 128 + four // 3 * plane for four in range(fours)]


@pytest.mark.parametrize("seed", range(40))
def test_the_packets_compute_the_sums(seed):
    rng = np.random.default_rng(seed)
    rows, fours = int(rng.integers(1, 70)), int(rng.integers(1, 90))
    matrix, offsets = random_matrix(rng, rows, fours), random_offsets(rng, fours)
    program = write_program(matrix, offsets)
    x = rng.integers(0, 256, max(offsets) + 4 * 128).astype(np.uint8)
    places = np.add.outer(np.array(offsets), np.arange(512))
    columns = x[places].reshape(fours, 128, 4).transpose(0, 2, 1).reshape(4 * fours, 128)
    sums, packets = run_program(program, x, rows)
    np.testing.assert_array_equal(sums, matrix.astype(np.int64) @ columns)
    assert packets == program.packets
    assert program.chunk_rows <= MOST_ROWS


def test_packets_are_full_and_chunks_fit_into_the_cache():
    rng = np.random.default_rng(0)
    for rows, fours, most in ((64, 144, 1.07), (128, 1152, 1.03)):
        matrix = random_int8(rng, (rows, fours, 4)) | 1
        matrix[rng.random((rows, fours)) < 0.8] = 0
        offsets = [512 * four for four in range(fours)]
        program = write_program(matrix.reshape(rows, -1), offsets)
        products = 4 * np.count_nonzero(matrix.any(axis=2))
        assert program.packets < most * products / 2  # two in a packet are all there is
        chunks = -(-rows // program.chunk_rows)
        assert program.code_bytes / chunks < 1.1 * MOST_CODE


CONVOLUTIONS = [
    # input, rows, kernel, stride, dilation, padding
    ((1, 9, 32, 16), 30, (3, 3), (1, 1), (1, 1), SAME),  # planes are copied, not tiles
    ((1, 5, 64, 5), 9, (2, 4), (1, 1), (1, 2), SAME),
    ((2, 7, 9, 20), 70, (3, 3), (1, 1), (1, 1), SAME),
    ((2, 11, 6, 8), 29, (3, 2), (2, 1), (1, 1), VALID),
    ((1, 12, 13, 3), 5, (5, 5), (2, 3), (1, 1), SAME),
    ((2, 5, 7, 30), 57, (1, 1), (1, 1), (1, 1), VALID),
    ((1, 16, 16, 64), 1, (1, 1), (1, 1), (1, 1), SAME),
    ((1, 1, 1, 40), 140, (1, 1), (1, 1), (1, 1), SAME),
]


def add_convolution(cases, shape, rows, kernel, stride, dilation, padding, zeros, together=4):
    rng, channels = cases.rng, shape[-1]
    wide = -(-channels // together)
    kept = np.repeat(rng.random((rows, *kernel, wide)) >= zeros, together, -1)[..., :channels]
    values = np.where(kept, random_int8(rng, kept.shape), 0).astype(np.int8)
    scales = rng.uniform(0.001, 0.01, rows)
    source = cases.input(shape, 0.02, cases.zero_point())
    weights = cases.model.tensor(values.shape, scales, 0, values, axis=0)
    biases = rng.integers(-3000, 3000, rows)
    bias = cases.model.tensor((rows,), 0.02 * scales, 0, biases, "int32")
    sizes = []
    for side, of, step, wider in zip(shape[1:3], kernel, stride, dilation, strict=True):
        reach = (of - 1) * wider + 1
        sizes.append(-(-(side if padding == SAME else side - reach + 1) // step))
    options = {"padding": padding, "strideH": stride[0], "strideW": stride[1]}
    options |= {"dilationHFactor": dilation[0], "dilationWFactor": dilation[1]}
    options["fusedActivationFunction"] = int(rng.choice([0, 1, 3]))
    result = (shape[0], *sizes, rows)
    point = cases.zero_point()
    cases.output("CONV_2D", [source, weights, bias], result, 0.1, point, **options)


@pytest.mark.parametrize("run_on", ["host", pytest.param("hexagon", marks=needs_hexagon)])
def test_every_shape_matches_the_reference(tmp_path, run_on):
    cases = Cases(seed=11)
    for number, shape in enumerate(2 * CONVOLUTIONS):
        zeros = (0.8, 0.95)[number >= len(CONVOLUTIONS)]
        add_convolution(cases, *shape, zeros, together=1 if number % 5 == 4 else 4)
    report = cases.check(tmp_path, target="hexagon", run_on=run_on, weights_as_code=True)
    encodings = [layer.encoding for layer in report.layers]
    assert encodings.count("code") >= 12


@needs_hexagon
@pytest.mark.parametrize(("scale", "encoding"), [(3e-8, "code"), (1e-4, "code"), (40.0, "blocks")])
def test_any_scale_matches_the_reference(tmp_path, scale, encoding):
    # The smallest shifts by more than 15 bits, the largest to the left.
    cases = Cases(seed=12)
    values = random_int8(cases.rng, (13, 3, 3, 8, 4))
    values[cases.rng.random(values.shape[:4]) < 0.8] = 0
    scales = cases.rng.uniform(0.002, 0.02, 13)
    weights = cases.model.tensor((13, 3, 3, 32), scales, 0, values.reshape(13, 3, 3, 32), axis=0)
    options = {"padding": SAME, "strideH": 1, "strideW": 1}
    options |= {"dilationHFactor": 1, "dilationWFactor": 1}
    source = cases.input((1, 6, 32, 32), scale, -5)
    zero = np.zeros(13, np.int32)
    bias = cases.model.tensor((13,), scale * scales, 0, zero, "int32", axis=0)
    cases.output("CONV_2D", [source, weights, bias], (1, 6, 32, 13), 0.3, 7, **options)
    report = cases.check(tmp_path, target="hexagon", weights_as_code=True)
    assert [layer.encoding for layer in report.layers] == [encoding]


def layers(path, sparsity=0.9, count=2, together=4):
    """3x3 convolutions of 32 channels over 32x32 pixels, one after the other."""
    rng, model = np.random.default_rng(0), Model()
    tensors = [model.tensor((1, 32, 32, 32), 0.02, -3)]
    options = {"padding": SAME, "strideH": 1, "strideW": 1}
    options |= {"dilationHFactor": 1, "dilationWFactor": 1}
    for _ in range(count):
        values = random_int8(rng, (32, 9 * 32 // together, together))
        values[rng.random(values.shape[:2]) < sparsity] = 0
        values = values.reshape(32, 3, 3, 32)
        weights = model.tensor(values.shape, np.full(32, 0.004), 0, values, axis=0)
        tensors.append(model.tensor((1, 32, 32, 32), 0.1, 7))
        model.operator("CONV_2D", [tensors[-2], weights], [tensors[-1]], **options)
    return model.save(path, tensors[:1], tensors[-1:])


@needs_hexagon
@pytest.mark.parametrize("sparsity", [0.8, 0.95])
def test_the_report_says_what_code_takes(tmp_path, sparsity):
    path = layers(tmp_path / "layer.tflite", sparsity, count=1)
    report = export_c(path, tmp_path / "c", "hexagon", weights_as_code=True)
    plain = export_c(path, tmp_path / "plain", "hexagon")
    inputs = random_int8(np.random.default_rng(1), (2, 32 * 32 * 32))
    counts = run_c_project(tmp_path / "c", inputs, "hexagon").instructions
    assert len(set(counts.tolist())) == 1  # whatever the inputs are
    assert report.instructions == pytest.approx(counts[0], rel=0.1)
    assert counts[0] < run_c_project(tmp_path / "plain", inputs, "hexagon").instructions[0]
    assert report.instructions < plain.instructions
    flags = [*TARGETS["hexagon"].flags, "-ffreestanding", "-O2", "-Isrc", "-c", "-o", "model.o"]
    system = source_root() / "micro" / "hexagon"
    command = ["clang-19", *flags, f"-I{system}", "src/model.c"]
    subprocess.run(command, cwd=tmp_path / "c", check=True)
    printed = subprocess.run(["nm", "-S", "model.o"], cwd=tmp_path / "c", capture_output=True)
    sizes = {row[3]: int(row[1], 16) for row in map(str.split, printed.stdout.decode().splitlines())
             if len(row) == 4}  # fmt: skip
    assert report.weight_bytes == sizes["op_0_code"] + sizes["literals_0"]


@needs("clang-19")
@pytest.mark.parametrize("level", ["-O0", "-O3"])
def test_clang_takes_it_without_a_warning(tmp_path, level):
    path = layers(tmp_path / "layers.tflite")
    export_c(path, tmp_path / "c", "hexagon", weights_as_code=True)
    warnings = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wundef", "-Werror")
    command = ["clang-19", *TARGETS["hexagon"].flags, "-ffreestanding", "-std=c11", level]
    command += [*warnings, "-Isrc", f"-I{source_root() / 'micro' / 'hexagon'}", "-c"]
    sources = ["src/model.c", "src/kernels/hexagon/conv2d_s8_code_hvx.c"]
    for source in sources:
        subprocess.run([*command, source, "-o", "model.o"], cwd=tmp_path / "c", check=True)


def test_only_the_operators_that_are_listed_become_code(tmp_path):
    path = layers(tmp_path / "two.tflite")
    for listed, encodings in (
        (True, ["code", "code"]),
        ([1], ["blocks", "code"]),
        (False, ["blocks", "blocks"]),
    ):
        report = export_c(path, tmp_path / "c", "hexagon", weights_as_code=listed)
        assert [layer.encoding for layer in report.layers] == encodings
        choices = kp.explain(path, target="hexagon", weights_as_code=listed).choices
        chosen = [choice for choice in choices if choice.chosen]
        assert [c.kernel for c in chosen] == [layer.kernel for layer in report.layers]
        assert sum(c.kernel == KERNEL for c in chosen) == encodings.count("code")
        for choice, layer in zip(chosen, report.layers, strict=True):
            assert choice.stored_bytes == layer.stored_bytes


def test_weights_that_are_not_sparse_stay_as_they_are(tmp_path):
    path = layers(tmp_path / "dense.tflite", sparsity=0.1)
    report = export_c(path, tmp_path / "c", "hexagon", weights_as_code=True)
    assert [layer.encoding for layer in report.layers] == ["dense", "dense"]


def test_other_operators_are_refused(tmp_path):
    sentence = r"int8 CONV_2D operators, which are \[0, 1\] here\. Received: weights_as_code=\[2\]"
    with pytest.raises(ValueError, match=sentence):
        export_c(layers(tmp_path / "two.tflite"), tmp_path / "c", "hexagon", weights_as_code=[2])
