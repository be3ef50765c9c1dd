"""How fast the kernels of each target run each shape: what `kp.Auto` chooses by.

A figure says how many times as fast as the dense layer the pruned one ran, at 80, 90 and 95 %
zeros. For a PC or a phone dense is LiteRT 2.3 with one thread and the same type; for a C program
it is CMSIS-NN, or on a Hexagon the package's own dense kernel. Shapes `n:32`, `4n:128` and
`n:32 of 4` were measured at the nearest sparsities that they can make.

Where the figures come from: `x86-avx512` the table `delegate_layers` in docs/benchmarks.md, the
dense layer of 1024x1024 and the means of both convolutions of a kind, and for grouped ones the
shortest times of 3x3, 28x28x128 to 128, in 4 and in 32 groups; `x86-avx2` studies of the kernels'
designs on an AMD EPYC of the Zen 4 generation, and for int8 the kernels on one of the Zen
5 generation, against dense kernels that use AVX-512; `aarch64` instructions counted under QEMU,
against dense kernels for the same instructions, those of Armv8.2 with dot products; the Cortex-M
and Hexagon targets instructions or packets counted under QEMU, the tables `dense_layers_mcu`,
`convolutions_mcu` and `dsp` in docs/microcontrollers.md, and of the Cortex-M55 those of the vector
extension, a dense layer of 784x300 and convolutions of 64 channels.
"""

import dataclasses

COLUMNS = (0.8, 0.9, 0.95)


@dataclasses.dataclass(frozen=True)
class KernelSpeed:
    """One shape in one kind of layer.

    Args:
        shape: Str. See `auto.shape_of`.
        speeds: Tuple of floats, as many times as fast as dense, in the order of `COLUMNS`.
        stored: Tuple of floats or `None`: bytes a weight of the whole kernel takes. Programs for
            flash memory are chosen by speed and bytes together.
    """

    shape: str
    speeds: tuple
    stored: tuple | None = None

    def merit(self, column):
        """Float. What is compared: the speed, where bytes count the speed over the bytes."""
        stored = 1.0 if self.stored is None else self.stored[column]
        return self.speeds[column] / stored


def _rows(*rows):
    return tuple(KernelSpeed(*row) for row in rows)


def _both(dense, pointwise, conv, **others):
    return {"dense": dense, "pointwise": pointwise, "conv": conv, **others}


# In every list the finest shape stands first: single weights, then single weights of which every
# window keeps as many, then blocks by their size.
_AVX512_FLOAT = _both(
    dense=_rows(
        ("unstructured", (2.8, 5.5, 8.7)),
        ("n:32", (5.2, 13.1, 16.8)),
        ("16x1", (6.4, 13.4, 23.8)),
    ),
    pointwise=_rows(("unstructured", (1.9, 3.1, 4.8)), ("4x1", (3.1, 4.9, 6.8))),
    conv=_rows(("unstructured", (2.7, 4.8, 7.8)), ("4x1", (4.2, 7.8, 14.0))),
    grouped=_rows(("unstructured", (3.0, 5.4, 6.4)), ("4x1", (6.2, 8.0, 9.3))),
)
_AVX512_INT8 = _both(
    dense=_rows(
        ("unstructured", (2.9, 4.1, 5.1)),
        ("4n:128", (3.3, 5.0, 5.8)),
        ("n:32 of 4", (4.1, 5.5, 6.2)),
        ("16x4", (5.1, 7.1, 8.9)),
    ),
    pointwise=_rows(("unstructured", (1.2, 2.2, 3.0)), ("2x4", (3.3, 4.9, 6.0))),
    conv=_rows(
        ("unstructured", (1.0, 2.1, 3.9)), ("2x4", (3.3, 6.0, 10.4)), ("4x4", (4.2, 7.6, 13.1))
    ),
    grouped=_rows(
        ("unstructured", (3.4, 4.5, 5.7)), ("2x4", (5.9, 7.2, 8.3)), ("4x4", (6.2, 7.2, 8.5))
    ),
)
_AVX2_FLOAT = _both(
    dense=_rows(
        ("unstructured", (2.1, 3.4, 5.3)),
        ("n:32", (2.4, 3.7, 4.6)),
        ("16x1", (6.3, 13.0, 23.6)),
    ),
    pointwise=_rows(("unstructured", (2.7, 4.4, 6.4)), ("4x1", (4.1, 6.7, 9.7))),
    conv=_rows(("unstructured", (1.8, 3.4, 6.9)), ("4x1", (4.0, 7.6, 13.2))),
)
_AVX2_INT8 = _both(
    dense=_rows(
        ("unstructured", (1.7, 2.4, 2.8)),
        ("n:32", (2.0, 2.8, 2.8)),
        ("n:32 of 4", (2.2, 2.9, 3.2)),
        ("16x4", (2.7, 4.3, 6.8)),
    ),
    pointwise=_rows(
        ("unstructured", (0.8, 1.2, 1.5)),
        ("2x4", (2.4, 4.1, 6.1)),
        ("4x4", (2.6, 4.5, 6.1)),
    ),
    conv=_rows(
        ("unstructured", (1.0, 1.9, 3.4)),
        ("2x4", (1.9, 3.9, 6.5)),
        ("4x4", (2.8, 5.5, 9.3)),
    ),
)
_NEON_FLOAT = _both(
    dense=_rows(("n:32", (1.5, 2.4, 3.1)), ("16x1", (3.7, 6.6, 11.2))),
    pointwise=_rows(("unstructured", (2.8, 4.8, 7.4)), ("4x1", (3.7, 6.0, 8.5))),
    conv=_rows(("unstructured", (3.2, 6.2, 11.5)), ("4x1", (4.0, 7.6, 13.8))),
)
_NEON_INT8 = _both(
    dense=_rows(("4n:64", (1.8, 2.5, 4.2)), ("16x4", (2.9, 4.5, 6.2))),
    pointwise=_rows(("unstructured", (1.2, 1.9, 2.5)), ("1x4", (2.6, 3.6, 4.4))),
    conv=_rows(("unstructured", (1.4, 2.6, 4.6)), ("1x4", (3.2, 5.7, 9.5))),
)

_M4_DENSE = _rows(
    ("unstructured", (3.06, 5.16, 9.25), (0.41, 0.21, 0.10)),
    ("1x4", (5.40, 9.38, 14.58), (0.26, 0.14, 0.08)),
)
_M4 = _both(
    _M4_DENSE,
    pointwise=_rows(("unstructured", (5.52, 7.90, 10.07), (0.43, 0.23, 0.13))),
    conv=_rows(("unstructured", (7.00, 12.73, 21.91), (0.40, 0.20, 0.10))),
)
_M3 = _both(
    _rows(
        ("unstructured", (3.14, 5.95, 10.89), (0.40, 0.20, 0.10)),
        ("1x4", (3.11, 5.82, 10.76), (0.41, 0.21, 0.11)),
    ),
    pointwise=_rows(("unstructured", (2.32, 3.16, 3.85), (0.42, 0.23, 0.13))),
    conv=_rows(("unstructured", (3.24, 5.47, 8.35), (0.39, 0.20, 0.11))),
)
_M0 = _both(
    _rows(
        ("unstructured", (4.10, 7.43, 12.60), (0.40, 0.20, 0.10)),
        ("1x4", (4.07, 7.30, 12.52), (0.41, 0.21, 0.11)),
    ),
    pointwise=_rows(("unstructured", (2.95, 3.68, 4.19), (0.42, 0.23, 0.13))),
    conv=_rows(("unstructured", (5.11, 8.33, 12.20), (0.39, 0.20, 0.11))),
)
_M55 = _both(
    _rows(
        ("unstructured", (1.94, 3.51, 5.35), (0.45, 0.24, 0.15)),
        ("1x4", (2.77, 4.94, 8.20), (0.32, 0.17, 0.09)),
    ),
    pointwise=_rows(
        ("unstructured", (3.21, 1.48, 1.89), (0.64, 0.23, 0.13)),
        ("1x4", (2.95, 3.15, 1.89), (0.49, 0.41, 0.13)),
    ),
    conv=_rows(
        ("unstructured", (3.25, 5.03, 6.34), (0.45, 0.24, 0.16)),
        ("1x4", (4.12, 6.14, 8.16), (0.32, 0.17, 0.09)),
    ),
)
_HEXAGON = {
    "pointwise": _rows(
        ("unstructured", (1.95, 2.93, 3.92), (0.62, 0.33, 0.17)),
        ("1x4", (2.00, 3.03, 4.04), (0.31, 0.16, 0.08)),
    ),
    "conv": _rows(
        ("unstructured", (2.23, 3.89, 6.25), (0.60, 0.30, 0.16)),
        ("1x4", (2.24, 3.92, 6.32), (0.30, 0.15, 0.08)),
    ),
}

# Target -> type of the file's weights -> kind of layer -> shapes. The programs of processors are
# int8; the pruned weights of a float32 program are stored one by one, whatever their shape.
SPEEDS = {
    "x86-avx512": {"float32": _AVX512_FLOAT, "int8": _AVX512_INT8},
    "x86-avx2": {"float32": _AVX2_FLOAT, "int8": _AVX2_INT8},
    "aarch64": {"float32": _NEON_FLOAT, "int8": _NEON_INT8},
    "cortex-m0": {"int8": _M0},
    "cortex-m0plus": {"int8": _M0},
    "cortex-m3": {"int8": _M3},
    # One set of kernels, whose counts differ by less than one in a hundred.
    "cortex-m4": {"int8": _M4},
    "cortex-m7": {"int8": _M4},
    "cortex-m33": {"int8": _M4},
    "cortex-m55": {"int8": _M55},
    "hexagon": {"int8": _HEXAGON},
}
