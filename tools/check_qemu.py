"""Runs the int8 kernel tests and exported models on QEMU's Cortex-M boards and its Hexagon.

`make check-qemu` does. MLPerf Tiny's models where KERAS_PRUNE_DATA has them, else small
generated ones.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import sys
import tempfile
import time

import numpy as np

import keras_prune as kp
from examples.datasets import find_data_dir
from keras_prune.export.flatbuffer import read_model
from keras_prune.runtime.c_project import run_on_target
from keras_prune.runtime.c_targets import MICROBIT, TARGETS, source_root
from keras_prune.runtime.emulator import build_program, compile_objects, emulate
from tests.export.c_networks import pruned_network

CORES = ("cortex-m0", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55")
CORES += ("hexagon",)
MODELS = ("mlperf_ad01", "mlperf_ic_resnet8", "mlperf_kws_dscnn", "mlperf_vww_mobilenet")
OTHER_MACHINES = {"x86", "hexagon", "aarch64"}  # folders of kernels
# Those that need little of a C library, of which Hexagon's compiler here has none.
HEXAGON_TESTS = ("fours_kernels_test", "fours_s8_test", "gated_s8_test", "groups_s8_test")
HEXAGON_TESTS += ("mutations_s8_test", "stream_s8_test")
FLAGS = ("-O2", "-ffunction-sections", "-fdata-sections")


def kernel_tests(core):
    """The C tests that concern int8 code of a core."""
    folder = source_root() / "tests"
    if core == "hexagon":
        return [folder / f"{name}.c" for name in HEXAGON_TESTS]
    return [*sorted(folder.glob("*_s8_test.c")), folder / "formats_test.c"]


def build_kernels(core, folder):
    """Compile all kernels for a core, once for all tests.

    Args:
        core: Str.
        folder: `pathlib.Path` for the objects.

    Returns:
        List of `pathlib.Path`s of objects.
    """
    root, others = source_root(), OTHER_MACHINES - {core}
    sources = [*root.glob("formats/*.c")]
    if core != "hexagon":
        sources.append(root / "micro" / "boards" / "syscalls.c")
    sources += [p for p in root.glob("kernels/*/*.c") if p.parent.name not in others]
    objects = folder / f"kernels_{core}"
    objects.mkdir()
    return compile_objects(sources, _folders(core), TARGETS[core], objects, FLAGS)


def run_kernel_test(test, core, folder, objects):
    """Build one C test and run it on the board of a core; an error if it fails.

    Args:
        test: `pathlib.Path`.
        core: Str.
        folder: `pathlib.Path` for the program.
        objects: What `build_kernels` returned.
    """
    program, target = folder / f"{test.stem}_{core}", TARGETS[core]
    build_program([test, *objects], _folders(core), target, program, FLAGS)
    emulate(program, target.board, folder)


def run_here(path, folder):
    """Export a model for this machine and return its outputs.

    Args:
        path: `pathlib.Path` of an int8 .tflite file.
        folder: `pathlib.Path` for the project.
    """
    return _run(path, TARGETS["host"], folder / f"{path.stem}_host")


def run_model(path, core, folder, expected, board=None):
    """Export a model for a core and compare its outputs there with those on this machine.

    Args:
        path: `pathlib.Path` of an int8 .tflite file.
        core: Str.
        folder: `pathlib.Path` for the project.
        expected: What `run_here` returned.
        board: `Board`. Defaults to the one of the core.
    """
    target = dataclasses.replace(TARGETS[core], board=board or TARGETS[core].board)
    outputs = _run(path, target, folder / f"{path.stem}_{core}_{target.board.machine}")
    if (outputs != expected).any():
        raise RuntimeError(f"The outputs on {core} differ from those on this machine: {path.stem}.")


def run_on_the_microbit(path, core, folder, expected):
    """`run_model` with 16 kB of RAM, on the one board of QEMU that is a Cortex-M0."""
    run_model(path, core, folder, expected, MICROBIT)


def _run(path, target, project):
    graph = read_model(path).subgraphs[0]
    size = int(np.prod(graph.tensors[graph.inputs[0]].shape))
    inputs = np.random.default_rng(0).integers(-128, 128, (2, size), np.int8)
    kp.export_c(path, project, target.name)
    return run_on_target(project, inputs, target, ["-O2"]).outputs


def _folders(core):
    root = source_root()
    library = [root / "tests" / "freestanding"] if core == "hexagon" else []
    return [*library, root, root / "include", root / "tests"]


def model_files(folder):
    """Four int8 files: MLPerf Tiny's, or generated ones.

    Args:
        folder: `pathlib.Path` for generated files.
    """
    data = find_data_dir()
    files = [data / "models" / f"{name}_int8.tflite" for name in MODELS] if data else []
    if not files or not all(file.exists() for file in files):
        print("MLPerf Tiny's models are absent, generated ones run: set KERAS_PRUNE_DATA.")
        names = enumerate((0.0, 0.5, 0.8, 0.95))
        files = [pruned_network(folder / f"network{i}.tflite", s, i) for i, s in names]
    return files


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--core", action="append", choices=CORES, help="default: all")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count()))
    arguments = parser.parse_args(argv)
    began, failed = time.monotonic(), 0
    with (
        tempfile.TemporaryDirectory() as temporary,
        concurrent.futures.ProcessPoolExecutor(arguments.jobs) as pool,
    ):
        folder = pathlib.Path(temporary)
        models, small = model_files(folder), pruned_network(folder / "small.tflite")
        cores = arguments.core or CORES
        checks = [(run_kernel_test, test, core) for core in cores for test in kernel_tests(core)]
        checks += [(run_model, model, core) for core in cores for model in models]
        checks += [(run_on_the_microbit, small, core) for core in cores if core == "cortex-m0"]
        # What several checks need is made once.
        made = {core: pool.submit(build_kernels, core, folder) for core in cores}
        made |= {path: pool.submit(run_here, path, folder) for path in (*models, small)}
        runs = [
            pool.submit(check, what, core, folder, made[what if what in made else core].result())
            for check, what, core in checks
        ]
        for (check, what, core), run in zip(checks, runs, strict=True):
            error = run.exception()
            failed += error is not None
            print(f"{core:12}{check.__name__:22}{what.stem:28}{error or 'ok'}", flush=True)
    print(f"{len(checks)} checks, {failed} failed, {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
