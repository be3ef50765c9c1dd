"""Convolutions on Arm cores with the DSP extension: what their kernels need and cost.

The constants are instructions counted under QEMU on a Cortex-M4, gcc -O3.
"""

import math

from keras_prune.export.c.quantization import INT8_MAX, INT8_MIN, activation_range
from keras_prune.export.c.windows import activation_name

_SHARED = ("channels_s8", "conv_tiles_s8", "pack_s8")

_PIXELS = 8  # of a tile, which meets all weights at once
_CHANNEL_BYTES = 32
_COLUMN_BYTES = 16  # of a tile

_ROW = {"dense": 78, "stream": 58, "groups": 78}  # per channel and tile, requantisation included
_PAIR = 9.15  # per stored pair and tile
_WEIGHT = 7.2  # per dense weight and tile
_GROUP = {4: 9.35, 8: 9.7}  # per group of so many columns and tile
_PACKED = 17  # per column of a tile
_SHIFTED = 6  # per column that a neighbouring tap has packed already
_CALL = 250  # per row of taps in a tile
_CLAMP = 60  # per output: portable code for it, which is 50 to 110 instructions slower


def scratch_bytes(w, group=0):
    """Bytes of scratch of a convolution.

    Args:
        w: Dict of the fields of `spk_window2d`.
        group: Int. Columns of a group, of weights packed by groups.

    Returns:
        An int.
    """
    columns = w["kernel_w"] * w["in_c"]
    rows, copies = w["kernel_h"], 0
    if _has_strips(w):
        rows *= 2 if _slides(w) else 1
    elif not _is_pointwise(w):
        copies = _PIXELS * columns
    tile = rows * columns * _COLUMN_BYTES
    # A tile of groups begins at a multiple of a group, and four are read beyond its end.
    around = (5 * group - 1) * _COLUMN_BYTES if group else 0
    return w["out_c"] * _CHANNEL_BYTES + _padded(columns) + tile + _padded(copies) + around


def sources(encoding):
    """The files of the kernel for `"dense"`, `"stream"` or `"groups"`, beside the portable ones."""
    names = (f"conv2d_s8_{encoding}", f"rows_s8_{encoding}", *_SHARED)
    return tuple(f"kernels/armv7em/{name}.c" for name in names)


def instructions(encoding, w, matrix, stored_bytes):
    """Estimate a convolution.

    Args:
        encoding: `"dense"`, `"stream"`, `"groups4"` or `"groups8"`.
        w: Dict of the fields of `spk_window2d`.
        matrix: int8 array (rows, columns) of the dense weights.
        stored_bytes: Int. What they take as a stream.

    Returns:
        A float.
    """
    rows = len(matrix)
    products, kind = matrix.size * _WEIGHT, encoding.rstrip("48")
    if encoding == "stream":
        products = (stored_bytes / 2 - rows) * _PAIR
    elif encoding != "dense":
        m = int(encoding.removeprefix("groups"))
        products = rows * math.ceil(matrix.shape[1] / m) * _GROUP[m]
    return _tiles(w) * (products + rows * _ROW[kind] + _packing(w))


def clamps(target, node, output):
    """Instructions that a layer takes more where its activation does more than saturate."""
    saturates = activation_range(activation_name(node), output) in (None, (INT8_MIN, INT8_MAX))
    return 0 if saturates or not target.dsp or target.vectors else _CLAMP * output.size


def takes_groups(w, group):
    """True if tiles that slide down the image stay aligned to groups of so many columns."""
    return w["kernel_w"] * w["in_c"] % group == 0 or not (_has_strips(w) and _slides(w))


def _padded(count):
    return -(-count // 4) * 4


def _is_pointwise(w):
    taps, strides = w["kernel_h"] * w["kernel_w"], w["stride_h"] * w["stride_w"]
    return taps * strides == 1 and (w["out_h"], w["out_w"]) == (w["in_h"], w["in_w"])


def _has_strips(w):
    if w["out_w"] < _PIXELS or w["kernel_h"] * w["kernel_w"] == 1:
        return False
    return 4 * _PIXELS * math.ceil(w["out_w"] / _PIXELS) <= 5 * w["out_w"]


def _slides(w):
    return w["kernel_h"] > w["stride_h"] and w["dilation_h"] == 1


def _tiles(w):
    if _has_strips(w):
        return w["batch"] * w["out_h"] * math.ceil(w["out_w"] / _PIXELS)
    return math.ceil(w["batch"] * w["out_h"] * w["out_w"] / _PIXELS)


def _packing(w):
    # Of a strip, some rows of taps are there already, and in a row some columns.
    rows, taps = w["kernel_h"], w["kernel_w"]
    fresh = taps
    if _has_strips(w):
        rows = min(rows, w["stride_h"]) if _slides(w) else rows
        if w["stride_w"] % w["dilation_w"] == 0:
            fresh = min(taps, w["stride_w"] // w["dilation_w"])
    return rows * (w["in_c"] * (fresh * _PACKED + (taps - fresh) * _SHIFTED) + _CALL)
