"""Layers on Arm cores with the vector extension MVE (Helium): what their kernels need and cost.

Weights are taken sixteen at a time, single ones (`lanes`) or 1x4 blocks (`lanes4`). The constants
are instructions counted under QEMU on a Cortex-M55, gcc -O3.
"""

import math

import numpy as np

from keras_prune.export.c.weighted import PORTABLE, Candidate, worth_packing

FOLDER = "kernels/armv81m"
_PIXELS = 8  # of a tile, which meets all weights at once
_CHANNEL_BYTES = 16
_NAMES = {1: ("lanes", "bytes"), 4: ("lanes4", "words")}  # encoding, kernel
_GROUP_BYTES = {1: 34, 4: 24}

_CONV_GROUP = {1: 29, 4: 21}  # per group of sixteen weights and tile
_CONV_ROW = 30  # per channel and tile, requantisation included
_CHANNEL = 12  # per channel
_TAPS = 72  # per pixel and row of taps
_SIXTEEN = 3  # per sixteen bytes that are copied
_EIGHT, _EIGHT_HEADER = 8, 18  # rows that a dense layer takes together
_DENSE_GROUP = {1: 6.25, 4: 4.25}  # per group of a dense layer
_DENSE_EIGHT = 31  # per eight rows, requantisation included
_DENSE = 70  # per input


def convolutions(matrix, w):
    """Return the kernels that could compute a convolution.

    Args:
        matrix: int8 array (rows, columns) of its weights.
        w: Dict of the fields of `spk_window2d`.

    Returns:
        A list of `Candidate`.
    """
    tiles = math.ceil(w["batch"] * w["out_h"] * w["out_w"] / _PIXELS)
    found = []
    for block, packed in _packed(matrix, w["in_c"]):
        groups = _groups(packed, len(matrix), block)
        work = groups * _CONV_GROUP[block] + len(matrix) * _CONV_ROW + _packing(w, block)
        encoding, name = _NAMES[block]
        sources = [f"conv2d_s8_{name}", f"rows_s8_{name}", "conv_lanes_s8", "pack_s8"]
        found.append(
            Candidate(
                encoding,
                f"spk_conv2d_s8_{name}__mve",
                tuple(f"{FOLDER}/{source}.c" for source in sources),
                packed,
                tiles * work + len(matrix) * _CHANNEL,
                scratch_bytes(w),
                folds_offset=True,
            )
        )
    return found


def dense_layers(matrix, batch):
    """Return the kernels that could compute a dense layer of a weight matrix (rows, columns)."""
    from keras_prune.runtime.vector_packers import order_lanes_s8

    rows, found = len(matrix), []
    if rows > 1 << 16:
        return found
    for block, packed in _packed(matrix, matrix.shape[1]):
        encoding, name = _NAMES[block]
        eights = np.frombuffer(order_lanes_s8(packed.tobytes(), rows, block), np.uint8)
        count = math.ceil(rows / _EIGHT)
        groups = (eights.size - count * _EIGHT_HEADER) / _GROUP_BYTES[block]
        work = groups * _DENSE_GROUP[block] + count * _DENSE_EIGHT + _DENSE
        sources = ("fully_connected_s8_eights", "requantize_rows_s8")
        found.append(
            Candidate(
                encoding,
                f"spk_fully_connected_s8_{name}__mve",
                (
                    *(f"{FOLDER}/{source}.c" for source in sources),
                    f"{PORTABLE}/requantize_rows_s8.c",
                ),
                eights,
                batch * work,
                scratch_bytes=4 * rows,
                folds_offset=True,
                rounds_up="rows",
            )
        )
    return found


def scratch_bytes(w):
    """Bytes of scratch of a convolution.

    Args:
        w: Dict of the fields of `spk_window2d`.

    Returns:
        An int.
    """
    row_columns = w["kernel_w"] * w["in_c"]
    padded = -(-row_columns // 16) * 16
    return w["out_c"] * _CHANNEL_BYTES + padded + w["kernel_h"] * row_columns * _PIXELS


def _packed(matrix, channels):
    # (block, array) of each form that holds the matrix; blocks are of neighbouring channels.
    from keras_prune.runtime.vector_packers import pack_lanes_s8

    if not worth_packing(matrix):
        return
    for block in (1, 4):
        if channels % block == 0 and matrix.shape[1] // block <= 1 << 16:
            yield block, np.frombuffer(pack_lanes_s8(matrix, block), np.uint8)


def _groups(packed, rows, block):
    return (packed.size - 2 * rows) / _GROUP_BYTES[block]


def _packing(w, block):
    taps, strides = w["kernel_h"] * w["kernel_w"], w["stride_h"] * w["stride_w"]
    if block == 1 and taps * strides == 1 and (w["out_h"], w["out_w"]) == (w["in_h"], w["in_w"]):
        return 0
    sixteens = math.ceil(w["kernel_w"] * w["in_c"] / 16)
    return _PIXELS * w["kernel_h"] * (_TAPS + sixteens * _SIXTEEN)
