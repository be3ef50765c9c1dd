"""Layers of Arm cores with the vector extension MVE, and what Clang makes of them."""

import shutil
import subprocess

import numpy as np
import pytest

from keras_prune.export.c import armv81m, armv81m_dense, export_c
from keras_prune.export.c.emitter import GATHER_FLAGS
from keras_prune.runtime.c_project import run_c_project
from keras_prune.runtime.c_targets import TARGETS, source_root
from keras_prune.runtime.emulator import build_program, emulate
from tests.export.c_model_builder import Model, needs, needs_qemu, random_int8, reference

CORE = "cortex-m55"


def _weights(model, rng, shape, zeros, block):
    values = random_int8(rng, shape)
    kept = rng.random((*shape[:-1], shape[-1] // block)) >= zeros
    values[~np.repeat(kept, block, axis=-1)] = 0
    return model.tensor(shape, rng.uniform(0.002, 0.01, shape[0]), 0, values, axis=0)


def layer(path, kind, zeros, block, activation=1):
    """A 3x3 convolution of stride 2 over 9x7 pixels, or a dense layer."""
    rng, model = np.random.default_rng(3), Model()
    convolution = kind == "CONV_2D"
    source = model.tensor((1, 9, 7, 20) if convolution else (1, 300), 0.02, -3)
    shape = (6, 3, 3, 20) if convolution else (70, 300)
    weights = _weights(model, rng, shape, zeros, block)
    bias = model.tensor(shape[:1], 1e-4, 0, rng.integers(-3000, 3000, shape[0]), "int32")
    output = model.tensor((1, 5, 4, 6) if convolution else (1, 70), 0.3, -128 if activation else 5)
    window = {"padding": 0, "strideH": 2, "strideW": 2, "dilationHFactor": 1, "dilationWFactor": 1}
    options = window if convolution else {}
    model.operator(
        kind, [source, weights, bias], [output], fusedActivationFunction=activation, **options
    )
    return model.save(path, [source], [output])


@needs_qemu
@pytest.mark.parametrize("activation", [0, 1])
@pytest.mark.parametrize(("block", "name"), [(1, "bytes"), (4, "words")])
@pytest.mark.parametrize("kind", ["CONV_2D", "FULLY_CONNECTED"])
def test_layers_match_the_reference(tmp_path, kind, block, name, activation):
    path = layer(tmp_path / "layer.tflite", kind, 0.8, block, activation)
    size = 9 * 7 * 20 if kind == "CONV_2D" else 300
    inputs = random_int8(np.random.default_rng(4), (3, size))
    report = export_c(path, tmp_path / "c", CORE)
    assert report.layers[0].kernel == f"spk_{kind.lower()}_s8_{name}__mve".replace("v_2d", "v2d")
    run = run_c_project(tmp_path / "c", inputs, CORE)
    np.testing.assert_array_equal(run.outputs, reference(path, inputs))
    host = run_c_project(tmp_path / "c", inputs, "host", flags=("-O1", "-fsanitize=undefined"))
    np.testing.assert_array_equal(host.outputs, run.outputs)
    assert 0.7 < report.layers[0].instructions / run.instructions.mean() < 1.4


DENSE = {
    # kind, shapes of the input and of the weights
    "dense layer": ("FULLY_CONNECTED", (1, 300), (70, 300)),
    "columns and rows that fill no vector": ("FULLY_CONNECTED", (2, 37), (11, 37)),
    "3x3": ("CONV_2D", (1, 9, 7, 20), (66, 3, 3, 20)),
    "1x1, an odd number of channels": ("CONV_2D", (1, 5, 5, 24), (67, 1, 1, 24)),
    "two pixels": ("CONV_2D", (1, 1, 2, 18), (7, 1, 1, 18)),
    "depthwise": ("DEPTHWISE_CONV_2D", (1, 9, 7, 40), (1, 3, 3, 40)),
    "depthwise, 5x2": ("DEPTHWISE_CONV_2D", (1, 6, 8, 32), (1, 5, 2, 32)),
}


def dense_layer(path, kind, source_shape, shape):
    """A layer whose weights are all there, none of them -128."""
    rng, model = np.random.default_rng(5), Model()
    axis = 3 if kind == "DEPTHWISE_CONV_2D" else 0
    channels = shape[axis]
    source = model.tensor(source_shape, 0.02, -3)
    values = np.maximum(random_int8(rng, shape), -127)
    values[values == 0] = 1
    weights = model.tensor(shape, rng.uniform(0.002, 0.01, channels), 0, values, axis=axis)
    bias = model.tensor((channels,), 1e-4, 0, rng.integers(-3000, 3000, channels), "int32")
    output = model.tensor((*source_shape[:-1], channels), 0.3, 5)
    options = {"padding": 0, "strideH": 1, "strideW": 1, "dilationHFactor": 1}
    options |= {"dilationWFactor": 1}
    if axis == 3:
        options["depthMultiplier"] = 1
    model.operator(kind, [source, weights, bias], [output], **(options if len(shape) == 4 else {}))
    return model.save(path, [source], [output])


@needs_qemu
@pytest.mark.parametrize("case", DENSE)
def test_dense_layers_match_the_reference(tmp_path, case):
    kind, source, shape = DENSE[case]
    path = dense_layer(tmp_path / "layer.tflite", kind, source, shape)
    inputs = random_int8(np.random.default_rng(4), (3, int(np.prod(source))))
    report = export_c(path, tmp_path / "c", CORE)
    assert report.layers[0].kernel.endswith("_s8_dense__mve")
    run = run_c_project(tmp_path / "c", inputs, CORE)
    np.testing.assert_array_equal(run.outputs, reference(path, inputs))
    host = run_c_project(tmp_path / "c", inputs, "host", flags=("-O1", "-fsanitize=undefined"))
    np.testing.assert_array_equal(host.outputs, run.outputs)
    assert 0.75 < report.layers[0].instructions / run.instructions.mean() < 1.3


def test_weights_of_minus_128_leave_two_products_no_room():
    window = {"in_c": 4, "out_c": 4, "kernel_h": 1, "kernel_w": 2}
    assert armv81m_dense.depthwise(np.full((1, 1, 2, 4), -128, np.int8), window) is None


def test_scratch_is_what_the_kernels_use():
    window = {"in_c": 5, "out_c": 3, "kernel_h": 3, "kernel_w": 3}
    # Three channels, the padding filled up to 16 bytes, and eight pixels of 45 columns.
    assert armv81m.scratch_bytes(window) == 3 * 16 + 16 + 8 * 45


def _run_built_by_clang(sources, folders, folder, flags):
    target, objects = TARGETS[CORE], []
    command = ["clang-19", "--target=thumbv8.1m.main-none-eabi", "-std=c11", "-O3", *target.flags]
    command += ["-isystem", "/usr/lib/arm-none-eabi/include", *(f"-I{each}" for each in folders)]
    for number, source in enumerate(sources):
        objects.append(folder / f"{number}.o")
        built = [*command, *flags, "-c", str(source), "-o", str(objects[-1])]
        subprocess.run(built, check=True, capture_output=True)
    build_program(objects, folders, target, folder / "program", ["-Wl,--no-warnings"])
    return emulate(folder / "program", target.board, folder)


STRIDED = """
#include "semihosting.h"
static int values[64];
__attribute__((noinline)) void spread(const signed char *from, int *to, int count) {
  for (int i = 0; i < count; ++i) to[4 * i] = from[i];
}
int main(void) {
  static const signed char from[4] = {1, 2, 3, 4};
  spread(from, values, 4);
  return values[0] != 1 || values[4] != 2 || values[8] != 3 || values[12] != 4;
}
"""


@needs_qemu
@needs("clang-19")
def test_clang_19_scales_strided_addresses_twice_without_the_flag(tmp_path):
    (tmp_path / "strided.c").write_text(STRIDED)
    arguments = [tmp_path / "strided.c"], [source_root() / "micro" / "boards"], tmp_path
    with pytest.raises(RuntimeError, match="exit code"):
        _run_built_by_clang(*arguments, ())
    _run_built_by_clang(*arguments, GATHER_FLAGS)


@needs_qemu
@needs("clang-19")
def test_kernels_built_by_clang_with_the_flag_give_the_bytes_of_the_reference(tmp_path):
    root = source_root()
    sources = [*root.glob("formats/*_s8.c"), root / "micro" / "boards" / "syscalls.c"]
    sources += [root / "tests" / "lanes_s8_test.c", *root.glob("kernels/armv81m/*.c")]
    sources += root.glob("kernels/reference/*_s8.c")
    sources += root.glob("kernels/portable/requantize_rows_s8.c")
    folders = [root, root / "include", root / "tests"]
    assert "ok" in _run_built_by_clang(sources, folders, tmp_path, GATHER_FLAGS)


@needs("cmake", "clang-19")
def test_cmake_gives_clang_the_flag(tmp_path):
    export_c(layer(tmp_path / "layer.tflite", "CONV_2D", 0.8, 4), tmp_path / "c", CORE)
    configure = ["cmake", "-S", str(tmp_path / "c"), "-B", str(tmp_path / "build")]
    configure += ["-DCMAKE_SYSTEM_NAME=Generic", "-DCMAKE_C_COMPILER=clang-19"]
    configure += ["-DCMAKE_C_COMPILER_TARGET=thumbv8.1m.main-none-eabi"]
    configure += ["-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY"]
    flags = [*TARGETS[CORE].flags, "-isystem", "/usr/lib/arm-none-eabi/include", "-Werror"]
    configure += [f"-DCMAKE_C_FLAGS={' '.join(flags)}"]
    subprocess.run(configure, check=True, capture_output=True)
    build = ["cmake", "--build", str(tmp_path / "build"), "--verbose"]
    done = subprocess.run(build, check=True, capture_output=True, text=True)
    assert " ".join(GATHER_FLAGS) in done.stdout


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="no cross compiler")
def test_gcc_compiles_without_a_warning(tmp_path):
    export_c(layer(tmp_path / "layer.tflite", "CONV_2D", 0.8, 1), tmp_path / "c", CORE)
    flags = " ".join(TARGETS[CORE].flags)
    done = subprocess.run(
        ["make", "CROSS=arm-none-eabi-", f"ARCH={flags} -Werror"],
        cwd=tmp_path / "c", capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
