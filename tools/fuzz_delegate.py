"""Hostile models in the delegate: `python -m tools.fuzz_delegate --count 100000 --seed 0`.

`tflite_kernels/tests/delegate_fuzz.c` makes small models, sparse and dense, float32 and int8,
changes numbers in their tensors, sparsity metadata, quantization, options and nodes, and takes
them through the delegate's claiming, preparing and running in a stand-in for an interpreter,
because the real ones fail on many of them first. It is built with the address and
undefined-behaviour sanitizers. A case is known by its seed and its number.
"""

import argparse
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHUNK, SECONDS = 1000, 600
TARGET = "spk_delegate_fuzz"


def build(folder):
    """Build the program with sanitizers.

    Args:
        folder: `pathlib.Path` for what CMake makes.

    Returns:
        Its `pathlib.Path`.
    """
    options = ["-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DSPK_SANITIZE=ON", "--log-level=WARNING"]
    configure = ["cmake", "-S", ROOT / "tflite_kernels", "-B", folder, "-G", "Ninja", *options]
    subprocess.run(configure, check=True)
    subprocess.run(["cmake", "--build", folder, "-j1", "--target", TARGET], check=True)
    return folder / TARGET


def fuzz(program, count, seed, first=0):
    """Run cases, in processes that may die.

    Args:
        program: Path-like. What `build` made.
        count: Int.
        seed: Int.
        first: Int. The number of the first case.

    Yields:
        For every process the number of the next case, and its fault or `None`.
    """
    end = first + count
    while first < end:
        command = [program, str(seed), str(first), str(min(CHUNK, end - first))]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
            output, errors, code = run.stdout, run.stderr, run.returncode
        except subprocess.TimeoutExpired as expired:
            output, errors, code = (expired.stdout or b"").decode(), "it did not end", 1
        if code == 0:
            first = min(first + CHUNK, end)
            yield first, None
            continue
        cases = [line for line in output.splitlines() if line.startswith("case ")]
        number = int(cases[-1].split()[1]) if cases else first
        first = number + 1
        yield first, f"case {number} of seed {seed}:\n{errors[:4000]}"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--program", type=pathlib.Path, help="built before; else it is built")
    arguments = parser.parse_args(argv)
    program = arguments.program or build(ROOT / "build" / "sanitized")
    began, faults = time.monotonic(), 0
    for number, fault in fuzz(program, arguments.count, arguments.seed, arguments.first):
        if fault:
            faults += 1
            print(fault, flush=True)
        elif (number - arguments.first) % (10 * CHUNK) == 0:
            print(f"{number - arguments.first} cases, {faults} faults", flush=True)
    seconds = time.monotonic() - began
    print(f"{arguments.count} cases, {faults} faults, {seconds:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
