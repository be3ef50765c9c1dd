"""Weights as instructions: what is written, emulated here and by QEMU, and what is refused."""

import subprocess

import numpy as np
import pytest

import keras_prune as kp
from keras_prune.export.c import export_c
from keras_prune.export.c.code_layers import KERNEL
from keras_prune.export.c.weights_as_code import Scales, write_program
from keras_prune.runtime.c_project import run_c_project
from tests.export.c_cases import Cases
from tests.export.c_dense_layers_test import LAYERS, add_layer
from tests.export.c_model_builder import (
    Model,
    edge_and_random_inputs,
    needs,
    needs_qemu,
    random_int8,
    reference,
)
from tests.export.c_networks import pruned_network
from tests.export.live_inputs_test import fully_connected, live_values, recorded
from tests.export.thumb_emulator import run_program

WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow")
WARNINGS += ("-Wundef", "-Wvla", "-Wcast-align", "-Wstrict-prototypes", "-Wmissing-prototypes")
COMPILERS = {
    "arm-none-eabi-gcc": (),
    "clang-19": ("--target=arm-none-eabi", "-isystem", "/usr/lib/arm-none-eabi/include"),
}


def widened(x):
    padded = np.pad(x, (0, -len(x) % 4)).reshape(-1, 4)
    return padded[:, [0, 2, 1, 3]].reshape(-1).astype(np.int16)


def random_matrix(rng):
    """Any size and sparsity; some rows, some columns, or everything without weights."""
    shape = rng.integers(1, 40), rng.choice([rng.integers(1, 30), rng.integers(30, 3000)])
    matrix = random_int8(rng, shape)
    if rng.random() < 0.2:
        matrix[:] = -128
    matrix[rng.random(shape) < rng.choice([0, 0.5, 0.9, 0.99, 1])] = 0
    matrix[rng.random(shape[0]) < 0.1] = 0
    matrix[:, rng.random(shape[1]) < rng.choice([0, 0.9])] = 0
    return matrix


@pytest.mark.parametrize("seed", range(60))
def test_the_instructions_compute_the_sums_and_scale_them(seed):
    rng = np.random.default_rng(seed)
    matrix = random_matrix(rng)
    rows, cols = matrix.shape
    bias, x = rng.integers(-(1 << 24), 1 << 24, rows), rng.integers(-255, 256, cols)
    sums = matrix.astype(np.int64) @ x + bias
    got = run_program(write_program(matrix, bias), widened(x))
    assert [got.pop(4 * row) for row in range(rows)] == sums.tolist()
    assert not got
    multipliers = rng.integers(1 << 30, (1 << 31) - 1, rows).tolist()
    rights = rng.integers(1, 24, rows) if rng.random() < 0.5 else np.full(rows, 9)
    low, high = sorted(rng.choice([-128, -3, 0, 5, 127], 2, replace=False).tolist())
    offset = int(rng.integers(-128, 128))
    scales = Scales(tuple(multipliers), tuple(rights.tolist()), offset, low, high)
    got = run_program(write_program(matrix, bias, scales), widened(x))
    for row, right in enumerate(rights.tolist()):
        scaled = (int(sums[row]) * multipliers[row] + (1 << 30 + right)) >> 31 + right
        assert got.pop(row) == min(max(scaled + offset, low), high)
    assert not got


@pytest.mark.parametrize(
    "target",
    ["host", *(pytest.param(f"cortex-m{n}", marks=needs_qemu) for n in (4, 7, 33))],
)
def test_every_shape_and_structure_matches_the_reference(tmp_path, target):
    cases = Cases(seed=9)
    for layer in 2 * LAYERS:
        add_layer(cases, *layer)
    made = "cortex-m4" if target == "host" else target
    report = cases.check(tmp_path, target=made, run_on=target, weights_as_code=True)
    encodings = [layer.encoding for layer in report.layers]
    assert encodings.count("code") >= 20  # where no other kernel takes fewer instructions


@pytest.mark.parametrize("run_on", ["host", pytest.param("cortex-m4", marks=needs_qemu)])
@pytest.mark.parametrize("scale", [3e-8, 1e-4, 0.02, 40.0])
def test_any_scale_matches_the_reference(tmp_path, run_on, scale):
    # The smallest and the largest need more than a multiplier of 31 bits.
    cases = Cases(seed=10)
    matrix = random_int8(cases.rng, (13, 77))
    matrix[cases.rng.random(matrix.shape) < 0.8] = 0
    for scales in (0.01, cases.rng.uniform(0.002, 0.02, 13)):
        weights = cases.model.tensor((13, 77), scales, 0, matrix)
        values, bias_scales = cases.rng.integers(-(1 << 22), 1 << 22, 13), scale * np.array(scales)
        bias = cases.model.tensor((13,), bias_scales, 0, values, "int32")
        inputs = [cases.input((1, 77), scale, -5), weights, bias]
        cases.output("FULLY_CONNECTED", inputs, (1, 13), 0.3, 7)
    report = cases.check(tmp_path, target="cortex-m4", run_on=run_on, weights_as_code=True)
    assert [layer.encoding for layer in report.layers] == ["code", "code"]
    model = (tmp_path / "project" / "src" / "model.c").read_text()
    code = model.split("#if MODEL_HAS_CODE")[1].split("#else")[0]
    assert (".multiplier" in code) == (scale in (3e-8, 40.0))


def layer(path, sparsity=0.9):
    """784 inputs, 100 outputs."""
    rng, model = np.random.default_rng(0), Model()
    source, output = model.tensor((1, 784), 0.02, -3), model.tensor((1, 100), 0.3, 7)
    values = random_int8(rng, (100, 784))
    values[rng.random(values.shape) < sparsity] = 0
    weights = model.tensor(values.shape, rng.uniform(0.002, 0.01, 100), 0, values)
    model.operator("FULLY_CONNECTED", [source, weights], [output])
    return model.save(path, [source], [output])


@needs_qemu
@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.8, 0.95])
def test_the_report_says_what_code_takes(tmp_path, sparsity):
    path = layer(tmp_path / "layer.tflite", sparsity)
    report = export_c(path, tmp_path / "c", weights_as_code=True)
    plain = export_c(path, tmp_path / "plain")
    inputs = edge_and_random_inputs(np.random.default_rng(1), 784)
    counts = run_c_project(tmp_path / "c", inputs, "cortex-m4").instructions
    assert len(set(counts.tolist())) == 1  # whatever the inputs are
    assert report.instructions == pytest.approx(counts[0], rel=0.01)
    assert counts[0] < 0.65 * plain.instructions
    # The flash of this layer, as the linker sees it.
    sections = flash_of(tmp_path / "c")
    literals = sections[".rodata.literals_0"]
    assert sections[".text.op_0_code"] - 2 <= report.weight_bytes - literals
    assert report.weight_bytes - literals <= sections[".text.op_0_code"]
    assert report.code_bytes < 3000


def flash_of(project):
    flags = ("-mthumb", "-mcpu=cortex-m4", "-O2", "-ffunction-sections", "-fdata-sections")
    command = ["arm-none-eabi-gcc", *flags, "-Isrc", "-c", "src/model.c", "-o", "model.o"]
    subprocess.run(command, cwd=project, check=True)
    command = ["arm-none-eabi-size", "-A", "-d", "model.o"]
    printed = subprocess.run(command, cwd=project, check=True, capture_output=True, text=True)
    rows = (line.split() for line in printed.stdout.splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 3 and row[1].isdigit()}


@pytest.mark.parametrize("compiler", [pytest.param(each, marks=needs(each)) for each in COMPILERS])
@pytest.mark.parametrize("level", ["-O0", "-O3"])
def test_compilers_take_it_without_a_warning(tmp_path, compiler, level):
    export_c(pruned_network(tmp_path / "network.tflite"), tmp_path / "c", weights_as_code=True)
    for core in ("cortex-m4", "cortex-m0"):
        command = [compiler, *COMPILERS[compiler], f"-mcpu={core}", "-mthumb", "-std=c11", level]
        command += [*WARNINGS, "-Werror", "-Isrc", "-c", "-o", "model.o", "src/model.c"]
        subprocess.run(command, cwd=tmp_path / "c", check=True)


@needs("arm-none-eabi-gcc", "make")
def test_two_models_link_together(tmp_path):
    objects = []
    for name in ("first", "second"):
        path = pruned_network(tmp_path / f"{name}.tflite", seed=len(objects))
        export_c(path, tmp_path / name, name=name, weights_as_code=True)
        arch = "ARCH=-mthumb -mcpu=cortex-m4"
        command = ["make", "-C", str(tmp_path / name), "CROSS=arm-none-eabi-", arch]
        subprocess.run(command, check=True, capture_output=True)
        objects.append(f"{name}/build/src/{name}.o")
    command = ["arm-none-eabi-gcc", "-r", "-nostdlib", *objects, "-o", "both.o"]
    subprocess.run(command, cwd=tmp_path, check=True)


def test_code_is_taken_where_nothing_needs_fewer_instructions(tmp_path):
    # One input in fifty is live: by columns most weights are never read.
    path = fully_connected(tmp_path / "live.tflite", cols=800, rows=300)
    for share, encoding in ((0.02, "columns"), (1.0, "code")):
        recorded(path, live_values(share, size=800))
        report = export_c(path, tmp_path / "c", weights_as_code=True)
        assert report.layers[0].encoding == encoding


def test_only_the_operators_that_are_listed_become_code(tmp_path):
    path = two_layers(tmp_path / "two.tflite")
    for listed, encodings in (
        (True, ["code", "code"]),
        ([0, 1], ["code", "code"]),
        ([1], ["stream", "code"]),
        ([], ["stream", "stream"]),
        (False, ["stream", "stream"]),
    ):
        report = export_c(path, tmp_path / "c", weights_as_code=listed)
        assert [layer.encoding for layer in report.layers] == encodings
        chosen = kp.explain(path, target="cortex-m4", weights_as_code=listed).choices
        assert [c.kernel for c in chosen if c.chosen] == [layer.kernel for layer in report.layers]
        assert sum(c.kernel == KERNEL for c in chosen) == encodings.count("code")
        for choice, layer_ in zip((c for c in chosen if c.chosen), report.layers, strict=True):
            assert choice.stored_bytes == layer_.stored_bytes


def two_layers(path):
    rng, model = np.random.default_rng(0), Model()
    tensors = [model.tensor((1, 128), 0.02, -3)]
    for _ in range(2):
        values = random_int8(rng, (128, 128))
        values[rng.random(values.shape) < 0.9] = 0
        weights = model.tensor(values.shape, 0.004, 0, values)
        tensors.append(model.tensor((1, 128), 0.1, 7))
        model.operator("FULLY_CONNECTED", [tensors[-2], weights], [tensors[-1]])
    return model.save(path, tensors[:1], tensors[-1:])


@pytest.mark.parametrize(
    ("option", "target", "sentence"),
    [
        (True, "cortex-m55", r"hexagon\. Received: .*target='cortex-m55'"),
        (True, "cortex-m3", r"hexagon\. Received: .*target='cortex-m3'"),
        ([0], "host", r"hexagon\. Received: .*target='host'"),
        ("all", "cortex-m4", r"bool or a list .* Received: weights_as_code='all'"),
        ([0.0], "cortex-m4", r"bool or a list .* Received: weights_as_code=\[0\.0\]"),
        ([0, 7], "cortex-m4", r"which are \[0, 1\] here\. Received: weights_as_code=\[0, 7\]"),
        ([-1], "cortex-m4", r"which are \[0, 1\] here\. Received: weights_as_code=\[-1\]"),
    ],
)
def test_what_does_not_fit_is_an_error(tmp_path, option, target, sentence):
    path = two_layers(tmp_path / "two.tflite")
    with pytest.raises(ValueError, match=sentence):
        export_c(path, tmp_path / "c", target, weights_as_code=option)
    with pytest.raises(ValueError, match=sentence):
        kp.explain(path, target=target, weights_as_code=option)
    assert not (tmp_path / "c").exists()


def test_the_twin_of_the_code_gives_the_bytes_of_the_reference(tmp_path):
    path = pruned_network(tmp_path / "network.tflite")
    report = export_c(path, tmp_path / "c", weights_as_code=True)
    assert "code" in [layer.encoding for layer in report.layers]
    inputs = edge_and_random_inputs(np.random.default_rng(2), 12 * 10 * 3, 8)
    run = run_c_project(tmp_path / "c", inputs, flags=("-O1", "-fsanitize=address,undefined"))
    np.testing.assert_array_equal(run.outputs, reference(path, inputs))
