"""Whole projects: a pruned convolutional network on the host and under QEMU, and refusals."""

import shutil
import subprocess

import numpy as np
import pytest

from keras_prune.export.c import export_c
from keras_prune.runtime.c_project import run_c_project
from tests.export.c_model_builder import (
    Model,
    edge_and_random_inputs,
    needs,
    needs_qemu,
    reference,
)
from tests.export.c_networks import SIZE, pruned_network

TARGETS = ("cortex-m0", "cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33")
TARGETS += ("cortex-m55",)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("network")
    path = pruned_network(folder / "network.tflite")
    inputs = edge_and_random_inputs(np.random.default_rng(21), SIZE, count=5)
    report = export_c(path, folder / "project")
    return folder / "project", inputs, reference(path, inputs), report


def test_the_host_gives_the_reference_outputs(network):
    directory, inputs, expected, _ = network
    run = run_c_project(directory, inputs, flags=("-O1", "-Wextra", "-Wconversion", "-Werror"))
    np.testing.assert_array_equal(run.outputs, expected)
    assert run.instructions is None


def test_sanitizers_find_nothing(network):
    # The address sanitizer guards both ends of the arena and of every constant.
    directory, inputs, expected, _ = network
    sanitize = "-fsanitize=address,undefined"
    run = run_c_project(directory, inputs, flags=("-O1", sanitize, "-fno-sanitize-recover=all"))
    np.testing.assert_array_equal(run.outputs, expected)


def test_equal_inputs_give_equal_outputs(network):
    directory, inputs, expected, _ = network
    twice = np.concatenate([inputs, inputs[::-1]])
    run = run_c_project(directory, twice, flags=("-O1",))
    np.testing.assert_array_equal(run.outputs, np.concatenate([expected, expected[::-1]]))


@needs_qemu
@pytest.mark.parametrize("target", TARGETS)
def test_emulated_processors_give_the_reference_outputs(network, target):
    directory, inputs, expected, _ = network
    run = run_c_project(directory, inputs, target)
    np.testing.assert_array_equal(run.outputs, expected)
    assert run.instructions.shape == (len(inputs),)
    assert run.instructions.min() > 50_000
    again = run_c_project(directory, inputs[:2], target)
    np.testing.assert_array_equal(again.instructions, run.instructions[:2])


@needs_qemu
def test_sparse_weights_take_fewer_instructions_and_less_flash(tmp_path):
    reports, counts = [], []
    for sparsity in (0.0, 0.9):
        path = pruned_network(tmp_path / "network.tflite", sparsity)
        reports.append(export_c(path, tmp_path / "project"))
        inputs = edge_and_random_inputs(np.random.default_rng(22), SIZE, count=1)
        counts.append(run_c_project(tmp_path / "project", inputs, "cortex-m4").instructions.mean())
    dense, sparse = reports
    assert sparse.weight_bytes < 0.5 * dense.weight_bytes
    assert counts[1] < 0.7 * counts[0]
    for report, count in zip(reports, counts, strict=True):
        assert 0.7 < report.instructions / count < 1.4


@needs("cmake", "cc")
def test_the_project_builds_with_cmake(network, tmp_path):
    directory = network[0]
    for command in (["-S", str(directory), "-B", str(tmp_path)], ["--build", str(tmp_path)]):
        subprocess.run(["cmake", *command], check=True, capture_output=True)
    done = subprocess.run([str(tmp_path / "model_example")], capture_output=True, text=True)
    assert done.stdout.count("output 0[") == 10


@needs("cmake", "arm-none-eabi-gcc")
def test_the_project_builds_with_its_tool_chain_file(network, tmp_path):
    directory = network[0]
    configure = ["-S", str(directory), "-B", str(tmp_path)]
    configure.append(f"-DCMAKE_TOOLCHAIN_FILE={directory / 'arm-none-eabi.cmake'}")
    for command in (configure, ["--build", str(tmp_path)]):
        subprocess.run(["cmake", *command], check=True, capture_output=True)
    assert (tmp_path / "libmodel.a").is_file()


def test_only_the_kernels_of_the_model_are_there(network):
    folder = network[0] / "src" / "kernels"
    kernels = {str(path.relative_to(folder)) for path in folder.glob("**/*.c")}
    assert kernels == {
        "armv7em/channels_s8.c",
        "armv7em/conv2d_s8_dense.c",
        "armv7em/conv2d_s8_stream.c",
        "armv7em/conv_tiles_s8.c",
        "armv7em/depthwise_conv2d_s8_dense.c",
        "armv7em/add_s8.c",
        "armv7em/depthwise_lines_s8.c",
        "armv7em/fully_connected_s8_stream.c",
        "armv7em/pack_s8.c",
        "armv7em/rows_s8_dense.c",
        "armv7em/rows_s8_stream.c",
        "armv7em/sum_rows_s8_stream.c",
        "portable/conv2d_s8_dense.c",
        "portable/conv2d_s8_stream.c",
        "portable/depthwise_conv2d_s8_dense.c",
        "portable/requantize_rows_s8.c",
        "portable/tile_dense_s8.c",
        "portable/tile_s8.c",
        "portable/tile_stream_s8.c",
        "reference/add_s8.c",
        "armv7em/max_pool2d_s8.c",
        "portable/max_pool2d_s8.c",
        "reference/softmax_s8.c",
    }


def test_the_report_counts_flash_and_ram(network):
    directory, _, _, report = network
    encodings = [layer.encoding for layer in report.layers]
    assert encodings == ["dense", "dense", "stream", "", "", "", "stream", ""]
    assert report.layers[0].macs == 12 * 10 * 16 * 27
    assert report.dense_weight_bytes == 16 * 27 + 9 * 16 + 16 * 144 + 10 * 480
    # The second CONV_2D: its input, its output and what ADD still needs, 1920 bytes each, and
    # the scratch of 16 channels, a tile of 144 columns, a row of taps of one pixel in the
    # padding and of eight at the border.
    assert report.scratch_bytes == 16 * 32 + 144 * 16 + (1 + 8) * 48
    assert report.arena_bytes == 3 * 1920 + report.scratch_bytes
    assert (
        f"#define MODEL_ARENA_BYTES {report.arena_bytes}"
        in (directory / "src" / "model.h").read_text()
    )
    assert str(report.to_dict()["layers"][2]["stored_bytes"]) in str(report).replace(",", "")
    readme = (directory / "README.md").read_text()
    assert f"{report.arena_bytes:,} bytes" in readme
    if shutil.which("arm-none-eabi-gcc"):
        assert 1_000 < report.code_bytes < 30_000
        assert 100 < report.stack_bytes < 4_000


def test_an_earlier_export_is_replaced_and_other_files_stay(tmp_path):
    path, directory = pruned_network(tmp_path / "network.tflite"), tmp_path / "project"
    directory.mkdir()
    export_c(path, directory, "host")
    (directory / "src" / "kernels" / "reference" / "stale_s8.c").write_text("#error stale")
    (directory / "build").mkdir()
    (directory / "build" / "CMakeCache.txt").write_text("cache")
    (directory / "notes.txt").write_text("mine")
    export_c(path, directory, "cortex-m0", name="digits")
    assert "cortex-m0" in (directory / "src" / "digits.h").read_text()
    assert not (directory / "src" / "model.h").exists()
    assert not (directory / "src" / "kernels" / "reference" / "stale_s8.c").exists()
    assert (directory / "notes.txt").read_text() == "mine"
    assert (directory / "build" / "CMakeCache.txt").read_text() == "cache"


def test_an_export_from_before_sources_lay_under_src_is_replaced(tmp_path):
    path, directory = pruned_network(tmp_path / "network.tflite"), tmp_path / "project"
    (directory / "kernels").mkdir(parents=True)
    (directory / "model.h").write_text("// Written by keras-prune for cortex-m4.")
    for name in ("model.c", "main.c", "kernels/add_s8.c", "notes.txt"):
        (directory / name).write_text("old")
    export_c(path, directory, "host")
    found = {entry.name for entry in directory.iterdir()}
    assert {"src", "notes.txt"} <= found
    assert not {"model.c", "model.h", "main.c", "kernels"} & found


def test_a_folder_of_other_files_is_left_alone(tmp_path):
    path, directory = pruned_network(tmp_path / "network.tflite"), tmp_path / "firmware"
    directory.mkdir()
    (directory / "main.c").write_text("int main(void) { return 0; }")
    with pytest.raises(ValueError, match=r"holds other files\. Received: directory="):
        export_c(path, directory)
    assert [entry.name for entry in directory.iterdir()] == ["main.c"]
    assert len(list(tmp_path.iterdir())) == 2


def single(kind="RELU", shape=(1, 4), output=None, scale=0.1, zero_point=0, dtype="int8"):
    model = Model()
    source = model.tensor(shape, scale, zero_point, dtype=dtype)
    target = model.tensor(output or shape, 0.1, 0, dtype=dtype)
    model.operator(kind, [source], [target])
    return model, source, target


@pytest.mark.parametrize(
    ("kind", "changes", "sentence"),
    [
        ("COS", {}, "Operator 0 \\(COS\\) .* the supported operators are ABS, ADD, "),
        ("RELU", {"dtype": "uint8"}, "Operator 0 \\(RELU\\) .* not UINT8"),
        ("QUANTIZE", {"dtype": "float32"}, "INT8 is supported, not FLOAT32"),
        ("RELU", {"shape": (1, 0)}, "has a size below 1"),
        ("RELU", {"scale": None}, "exactly one scale"),
        ("RELU", {"scale": [0.1, 0.2]}, "exactly one scale"),
        ("RELU", {"scale": -0.1}, "positive scale"),
        ("RELU", {"scale": float("nan")}, "positive scale"),
        ("RELU", {"scale": 1e30}, "scale factor"),
        ("RELU", {"zero_point": 300}, "int8 zero point"),
        ("RELU", {"output": (1, 5)}, "disagree"),
        ("SOFTMAX", {}, "1/256"),
        ("RESHAPE", {"output": (1, 3)}, "differ in size"),
        ("CONV_2D", {}, "needs an input, weights"),
        ("MAX_POOL_2D", {}, "4-D input"),
    ],
)
def test_what_is_not_supported_is_refused_and_leaves_nothing(tmp_path, kind, changes, sentence):
    model, source, target = single(kind, **changes)
    path = model.save(tmp_path / "single.tflite", [source], [target])
    with pytest.raises(ValueError, match=sentence) as refusal:
        export_c(path, tmp_path / "project")
    assert "Received:" in str(refusal.value)
    assert [each.name for each in tmp_path.iterdir()] == ["single.tflite"]


def test_weights_that_are_computed_are_refused(tmp_path):
    model = Model()
    source = model.tensor((1, 4), 0.1)
    weights = model.tensor((4, 4), 0.1)
    output = model.tensor((1, 4), 0.1)
    model.operator("FULLY_CONNECTED", [source, weights], [output])
    path = model.save(tmp_path / "dynamic.tflite", [source, weights], [output])
    with pytest.raises(ValueError, match="its weights must be a constant"):
        export_c(path, tmp_path / "project")


@pytest.mark.parametrize("name", ["", "Digits", "2nd", "a-b", "a b", "a\n", None, "x" * 64])
def test_a_name_that_is_no_identifier_is_an_error(tmp_path, name):
    with pytest.raises(ValueError, match=r"lower-case letters.* Received: name="):
        export_c(tmp_path / "absent.tflite", tmp_path / "project", name=name)


@pytest.mark.parametrize("name", ["string", "test", "spk", "spk_window2d"])
def test_a_name_that_is_taken_is_an_error(tmp_path, name):
    with pytest.raises(ValueError, match=r"must not be .* Received: name="):
        export_c(tmp_path / "absent.tflite", tmp_path / "project", name=name)


def test_an_unknown_target_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"Expected one of .*'cortex-m4'.* Received: target='z80'"):
        export_c(tmp_path / "absent.tflite", tmp_path / "project", target="z80")


def test_a_missing_file_and_a_missing_parent_are_errors(tmp_path):
    with pytest.raises(ValueError, match="Received: path="):
        export_c(tmp_path / "absent.tflite", tmp_path / "project")
    with pytest.raises(ValueError, match="Received: directory="):
        export_c(tmp_path / "absent.tflite", tmp_path / "no" / "project")
    assert list(tmp_path.iterdir()) == []
