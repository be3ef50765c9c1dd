"""What the benchmarks ask about the machine that they run on."""

import ctypes

from keras_prune.runtime import native

TYPES = ("float32", "int8")
_TIMES = 20  # a busy neighbour only lowers a peak


def peak_operations(dtype):
    """Operations in a second that one core can do, as the compiled library finds them out.

    A loop of independent multiply-adds, or of dot products of int8, runs as fast as the processor
    issues them.

    Args:
        dtype: Str. `"float32"` or `"int8"`.

    Returns:
        Float. A multiplication and an addition are two operations. 0 where it is not known: of
        int8 without AVX512-VNNI, and on other processors than x86-64.
    """
    peak = native.library().spk_peak_operations
    peak.restype, peak.argtypes = ctypes.c_double, [ctypes.c_int]
    return max(peak(TYPES.index(dtype)) for _ in range(_TIMES))


def peaks():
    """Dict from types to `peak_operations`."""
    return {dtype: peak_operations(dtype) for dtype in TYPES}
