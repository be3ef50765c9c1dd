"""C projects for Hexagon's vector unit, on the host and under QEMU."""

import numpy as np
import pytest

from keras_prune.export.c import export_c
from keras_prune.runtime.c_project import run_c_project
from keras_prune.runtime.c_targets import find_target, source_root
from keras_prune.runtime.emulator import build_program, emulate
from tests.export.c_model_builder import edge_and_random_inputs, needs, reference
from tests.export.c_networks import SIZE, pruned_network

needs_hexagon = needs("clang-19", "ld.lld-19", "qemu-hexagon", "cc")


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("network")
    path = pruned_network(folder / "network.tflite")
    inputs = edge_and_random_inputs(np.random.default_rng(21), SIZE, count=2)
    report = export_c(path, folder / "project", "hexagon")
    return folder / "project", inputs, reference(path, inputs), report


def test_every_convolution_gets_a_kernel_of_the_vector_unit(network):
    directory, _, _, report = network
    convolutions = [layer for layer in report.layers if layer.operator == "CONV_2D"]
    assert [layer.encoding for layer in convolutions] == ["dense", "fours"]
    assert all(layer.kernel.endswith("__hvx") for layer in convolutions)
    assert "-mhvx" in (directory / "hexagon.cmake").read_text()


def test_the_host_gives_the_reference_outputs(network):
    directory, inputs, expected, _ = network
    run = run_c_project(directory, inputs, flags=("-O1", "-Wextra", "-Wconversion", "-Werror"))
    np.testing.assert_array_equal(run.outputs, expected)


@needs_hexagon
def test_hexagon_gives_the_reference_outputs_and_counts_packets(network):
    directory, inputs, expected, _ = network
    run = run_c_project(directory, inputs, "hexagon", flags=("-O3", "-Wextra", "-Werror"))
    np.testing.assert_array_equal(run.outputs, expected)
    assert run.instructions.shape == (len(inputs),)
    assert 10_000 < run.instructions.min() < 1_000_000


def test_blocks_of_neighbouring_columns_are_found(tmp_path):
    path = pruned_network(tmp_path / "network.tflite", blocks=True)
    report = export_c(path, tmp_path / "project", "hexagon")
    convolutions = [layer for layer in report.layers if layer.operator == "CONV_2D"]
    assert [layer.encoding for layer in convolutions] == ["dense", "blocks"]


@needs_hexagon
def test_the_kernels_give_the_bytes_of_the_reference_kernel(tmp_path):
    root, target = source_root(), find_target("hexagon")
    sources = sorted((root / "kernels" / "hexagon").glob("*.c"))
    sources += [root / "kernels" / "portable" / "conv2d_s8_fours.c"]
    sources += [root / "kernels" / "reference" / "conv2d_s8.c", root / "formats" / "fours_s8.c"]
    sources.append(root / "tests" / "fours_kernels_test.c")
    flags = ("-O3", "-Wextra", "-Werror")
    build_program(sources, [root / "include"], target, tmp_path / "test", flags)
    emulate(tmp_path / "test", target.board, tmp_path)  # an error if a case differs
