"""What the benchmarks ask about the machine that they run on."""

import time

import numpy as np


def peak_operations(size=1024, seconds=1.0):
    """Operations in a second of the fastest float32 matrix product that NumPy runs.

    Set `OPENBLAS_NUM_THREADS=1` before NumPy is imported: it is a measure for one thread.

    Args:
        size: Int. Rows and columns. Defaults to `1024`.
        seconds: Float. How long it is tried. Defaults to `1.0`.

    Returns:
        Float. A multiplication and an addition are two operations.
    """
    left, right = np.random.default_rng(0).normal(size=(2, size, size)).astype("float32")
    end, best = time.perf_counter() + seconds, float("inf")
    while True:
        begin = time.perf_counter()
        left @ right
        now = time.perf_counter()
        best = min(best, now - begin)
        if now > end:
            return 2.0 * size**3 / best
