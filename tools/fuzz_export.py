"""Hostile .tflite files: `python -m tools.fuzz_export --count 1000 --seed 0`.

Mutants of MLPerf Tiny's and of small generated models go through `export_c` and the rewriting of
`sparsify_tflite`. Each must end well or with one of the package's own sentences: any
other exception, a crash, a hang and memory without bounds are faults, and the file that
led there is kept. A case is known by its seed, its number and the models.
"""

import argparse
import multiprocessing
import os
import pathlib
import resource
import signal
import sys
import tempfile
import time
import traceback
from unittest import mock

import numpy as np

from examples.datasets import find_data_dir
from keras_prune.export import sparsify
from keras_prune.export.c import export_c, report
from keras_prune.export.flatbuffer import read_model
from keras_prune.runtime.c_project import run_c_project
from tests.export.c_networks import pooled_network, pruned_network, shuffled_network
from tools.mutations import mutant

SECONDS = 20  # of processor time for one case
MEMORY = 4 << 30  # bytes beyond what the imports take
CHUNK, ROUND = 250, 1000  # cases for one process, and between two reports
TARGETS = ("host", "cortex-m0", "cortex-m4", "cortex-m55")
SANITIZE = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
LARGEST_SEED = 128 << 10
DRAWN = 0.1  # share of the reports whose tables are drawn, which takes half of an export


def seed_files(folder):
    """The bytes of valid models, small ones more than once.

    Args:
        folder: `pathlib.Path` for generated files.
    """
    makers = (pruned_network, pooled_network, shuffled_network)
    small = [make(folder / f"{make.__name__}.tflite") for make in makers]
    data = find_data_dir()
    others = sorted((data / "models").iterdir()) if data else []
    public = [path for path in others if path.stat().st_size < LARGEST_SEED]
    return [path.read_bytes() for path in 5 * small + [p for p in public if _is_valid(p)]]


def _is_valid(path):
    try:
        read_model(path)
    except ValueError:
        return False
    return True


def run_case(data, rng, folder, run_share=0.0):
    """Export one file both ways; a fault is an exception.

    Args:
        data: Bytes of a file.
        rng: `numpy.random.Generator`.
        folder: `pathlib.Path` for files.
        run_share: Float. The share of exported programs that run, under sanitizers.

    Returns:
        Str. How it ended: `"exported"`, `"sparse"` or `"refused"`.
    """
    path = folder / "mutant.tflite"
    path.write_bytes(data)
    try:
        if rng.random() < 0.3:
            with mock.patch.object(sparsify, "_verify", _parse_only):
                sparsify.sparsify_tflite(path, folder / "sparse.tflite")
            return "sparse"
        target = str(rng.choice(TARGETS))
        as_code = target == "cortex-m4" and bool(rng.random() < 0.5)
        draw = report.render_table if rng.random() < DRAWN else _no_table
        with mock.patch.object(report, "render_table", draw):
            export_c(path, folder / "c", target, weights_as_code=as_code)
    except ValueError as error:
        if "Received: " not in str(error):
            raise
        return "refused"
    if rng.random() < run_share:
        _run(folder / "c", rng)
    return "exported"


def _no_table(*args, **kwargs):
    return ""


def _parse_only(original, twin, sparse, name, report, inputs):
    # LiteRT runs in a process of its own, whose end is reported; it is not what is tested here.
    sparsify.parse_model(sparse)


def _run(project, rng):
    (header,) = (project / "src").glob("*.h")
    lines = [line.split() for line in header.read_text().splitlines()]
    sizes = [int(line[2]) for line in lines if line[1:2] and line[1].endswith("_SIZE")]
    count = next(int(line[2]) for line in lines if line[1:2] == ["MODEL_INPUT_COUNT"])
    text = header.read_text()
    inputs = tuple(
        rng.integers(-128, 128, (1, size), np.int8).astype(
            np.int8 if f"MODEL_INPUT_{i}(arena) ((int8_t" in text else np.float32
        )
        for i, size in enumerate(sizes[:count])
    )
    run_c_project(project, inputs, flags=SANITIZE)


class _TooLong(BaseException):
    """Not an Exception, so that no handler in between takes it."""


def _stop(number, frame):
    raise _TooLong


def _work(models, seed, first, last, at, faults, counts, run_share):
    # In a process of its own: `at` says which case it was if it dies.
    if run_share == 0:  # else sanitizers need all addresses
        _limit_memory()
        os.environ["PATH"] = ""  # no compiler measures what is exported
    signal.signal(signal.SIGPROF, _stop)
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        for number in range(first, last):
            at.value = number
            rng = np.random.default_rng((seed, number))
            data = mutant(models[rng.integers(len(models))], rng)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                ending = run_case(data, rng, pathlib.Path(folder), run_share)
                counts[ending] = counts.get(ending, 0) + 1
            except (Exception, _TooLong):
                faults[number] = traceback.format_exc(limit=-4)
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)


def _limit_memory():
    used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))


def fuzz(models, count, seed, first=0, run_share=0.0):
    """Run cases, in processes that may die.

    Args:
        models: List of bytes.
        count: Int.
        seed: Int.
        first: Int. The number of the first case.
        run_share: Float. See `run_case`.

    Returns:
        A dict from the number of a case to its fault, and one from endings to how many there were.
    """
    context = multiprocessing.get_context("fork")
    with context.Manager() as manager:
        faults, counts = manager.dict(), manager.dict()
        at, end = context.Value("q", first), first + count
        while first < end:
            last = min(first + CHUNK, end)
            arguments = (models, seed, first, last, at, faults, counts, run_share)
            process = context.Process(target=_work, args=arguments)
            process.start()
            process.join(CHUNK * SECONDS)
            if process.exitcode != 0:
                process.kill()
                faults[at.value] = f"the process ended with {process.exitcode}"
                last = at.value + 1
            first = last
        return dict(faults), dict(counts)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--run-share", type=float, default=0.0, help="of exported programs")
    parser.add_argument("--keep", type=pathlib.Path, default=pathlib.Path("build/fuzz"))
    arguments = parser.parse_args(argv)
    began, found, done = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        models = seed_files(pathlib.Path(folder))
    while done < arguments.count:
        first, count = arguments.first + done, min(ROUND, arguments.count - done)
        faults, counts = fuzz(models, count, arguments.seed, first, arguments.run_share)
        for number, fault in sorted(faults.items()):
            _keep(arguments.keep, models, arguments.seed, number, fault)
        found, done = found + len(faults), done + count
        seconds = time.monotonic() - began
        print(f"{done} cases, {found} faults, {seconds:.0f} s; the last: {counts}", flush=True)
    return 1 if found else 0


def _keep(folder, models, seed, number, fault):
    rng = np.random.default_rng((seed, number))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{seed}_{number}.tflite"
    file.write_bytes(mutant(models[rng.integers(len(models))], rng))
    print(f"{file}:\n{fault}")


if __name__ == "__main__":
    sys.exit(main())
