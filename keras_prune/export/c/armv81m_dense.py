"""Dense layers on Arm cores with the vector extension MVE: what their kernels need and cost.

The constants are instructions counted under QEMU on a Cortex-M55, gcc -O3.
"""

import math

import numpy as np

from keras_prune.export.c.weighted import PORTABLE, Candidate

FOLDER = "kernels/armv81m"
_EIGHT, _LANES, _PIXELS = 8, 16, 3

_EIGHT_ROWS = 32  # of a dense layer, requantisation included
_SIXTEEN_INPUTS = 19  # times eight rows
_INPUT = 70  # a dense layer, per input
_PAIR = 21  # two channels of three pixels
_SIXTEEN_TAPS = 12  # of them
_SCALED = 12  # four channels of a pixel
_TILE, _CHUNK = 110, 130  # per tile, and for every 64 channels of it
_CHUNK_CHANNELS = 64
_TAPS, _COPIED = 72, 3  # packing a pixel: per row of taps, per sixteen bytes
_CHANNEL = 6  # of a convolution
_DEPTHWISE = 53  # sixteen channels of a pixel, requantisation included
_TWO_TAPS = 23  # of them
_POINTER, _PIXEL = 10, 80  # per tap and pixel, and per pixel
_DEPTHWISE_CHANNEL = 25


def dense_layer(matrix, batch):
    """Return the kernel of a dense layer of a weight matrix (rows, columns), or `None`."""
    rows, cols = matrix.shape
    if rows > 1 << 16 or cols > 1 << 19:
        return None
    eights, sixteens = math.ceil(rows / _EIGHT), math.ceil(cols / _LANES)
    copied = sixteens * _LANES if cols % _LANES else 0
    work = eights * (_EIGHT_ROWS + sixteens * _SIXTEEN_INPUTS) + _INPUT + copied * 3 / _LANES
    sources = (f"{FOLDER}/fully_connected_s8_dense.c", f"{FOLDER}/requantize_rows_s8.c")
    return Candidate(
        "dense",
        "spk_fully_connected_s8_dense__mve",
        (*sources, f"{PORTABLE}/requantize_rows_s8.c"),
        _by_eights(matrix),
        batch * work,
        scratch_bytes=4 * rows + copied,
        folds_offset=True,
        rounds_up="rows",
    )


def _by_eights(matrix):
    # (eights, header and (sixteens, 8, 16)); rows that fill up the last are the last one again.
    rows, cols = matrix.shape
    order = np.minimum(np.arange(rows + -rows % _EIGHT), rows - 1).reshape(-1, _EIGHT)
    whole = np.pad(matrix, ((0, 0), (0, -cols % _LANES)))[order]
    sixteens = whole.shape[2] // _LANES
    weights = whole.reshape(-1, _EIGHT, sixteens, _LANES).transpose(0, 2, 1, 3)
    header = np.full((len(order), 1 + _EIGHT), sixteens, "<u2")
    header[:, 1:] = order
    parts = header.view(np.uint8), weights.reshape(len(order), -1).view(np.uint8)
    return np.concatenate(parts, axis=1).reshape(-1)


def convolution(matrix, w):
    """Return the kernel of a convolution, or `None`.

    Args:
        matrix: int8 array (rows, columns) of its weights.
        w: Dict of the fields of `spk_window2d`.

    Returns:
        A `Candidate`.
    """
    rows, cols = matrix.shape
    if rows < 2:
        return None
    pixels = w["batch"] * w["out_h"] * w["out_w"]
    together = _PIXELS if pixels >= _PIXELS else 1
    sixteens = math.ceil(w["kernel_w"] * w["in_c"] / _LANES)
    packing = w["kernel_h"] * (_TAPS + sixteens * _COPIED)
    if is_pointwise(w):
        packing = 0
    pairs = math.ceil(rows / 2) * (_PAIR + math.ceil(cols / _LANES) * _SIXTEEN_TAPS)
    scaling = math.ceil(rows / 4) * _SCALED
    tile = _TILE + math.ceil(rows / _CHUNK_CHANNELS) * _CHUNK + pairs
    tile += together * (packing + scaling)
    row_columns = w["kernel_w"] * w["in_c"]
    padded = row_columns + -row_columns % _LANES
    return Candidate(
        "dense",
        "spk_conv2d_s8_dense__mve",
        (f"{FOLDER}/conv2d_s8_dense.c", f"{FOLDER}/pack_s8.c"),
        matrix.reshape(-1),
        math.ceil(pixels / together) * tile + rows * _CHANNEL,
        scratch_bytes=padded + w["kernel_h"] * row_columns * _PIXELS,
        folds_offset=True,
    )


def is_pointwise(w):
    """Whether the pixels of a convolution lie in its input as the kernels want them."""
    once = w["kernel_h"] * w["kernel_w"] * w["stride_h"] * w["stride_w"] == 1
    return once and (w["out_h"], w["out_w"]) == (w["in_h"], w["in_w"])


def depthwise(weights, w):
    """Return the kernel of a depthwise convolution, or `None`.

    Args:
        weights: int8 array (1, kernel_h, kernel_w, channels).
        w: Dict of the fields of `spk_window2d`.

    Returns:
        A `Candidate`.
    """
    channels = w["out_c"]
    if w["in_c"] != channels or (weights == -128).any():
        return None
    taps = w["kernel_h"] * w["kernel_w"]
    pairs, sixteens = math.ceil(taps / 2), math.ceil(channels / _LANES)
    pixel = sixteens * (_DEPTHWISE + pairs * _TWO_TAPS) + taps * _POINTER + _PIXEL
    pixels = w["batch"] * w["out_h"] * w["out_w"]
    return Candidate(
        "dense",
        "spk_depthwise_conv2d_s8_dense__mve",
        (f"{FOLDER}/depthwise_conv2d_s8_dense.c", f"{FOLDER}/depthwise_pixels_s8.c"),
        _by_sixteens(weights.reshape(taps, channels)),
        pixels * pixel + channels * _DEPTHWISE_CHANNEL,
        # Pointers have eight bytes where the project is tried on a large machine.
        scratch_bytes=16 * pairs + sixteens * 12 * _LANES + channels,
        folds_offset=True,
    )


def _by_sixteens(weights):
    # (sixteens, taps made even, 16): the last sixteen ends with the channels.
    taps, channels = weights.shape
    starts = np.minimum(np.arange(0, channels, _LANES), max(channels - _LANES, 0))
    whole = np.pad(weights, ((0, taps % 2), (0, max(_LANES - channels, 0))))
    return np.stack([whole[:, start : start + _LANES] for start in starts]).reshape(-1)
