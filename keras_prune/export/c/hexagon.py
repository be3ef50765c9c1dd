"""CONV_2D for Hexagon's vector unit, which sums four products at once.

Dense rows go four by four, sparse ones as blocks of four neighbouring columns, or as any four
columns. The constants are packets counted under QEMU.
"""

import numpy as np

from keras_prune.export.c.weighted import PORTABLE, Candidate, bias_values, worth_packing

_TILE = 128  # pixels served by one pass over the weights
_WORDS = 32  # pixels of a vector
_CHANNELS = 64  # of which two pixels share a vector
SOURCES = (
    "kernels/hexagon/conv2d_hvx.c",
    "kernels/hexagon/copy_hvx.c",
    "kernels/hexagon/flat_planes_hvx.c",
    "kernels/hexagon/pack_hvx.c",
    "kernels/hexagon/planes_hvx.c",
    "kernels/hexagon/transpose_hvx.c",
    f"{PORTABLE}/conv2d_s8_fours.c",
)
_FOUR_ROWS = 8  # packets of four columns of four dense rows, and one tile
_FOUR = 4  # of a stored four and one tile
_ROW = 15  # of an output row and one tile: requantisation, and back to NHWC
_PACKED, _HALF_PACKED = 1070, 650  # of 128 input channels, or up to 64, and one tile: packing
_PLANAR = 3  # more, of an input channel and one tile, where bytes are packed
# Of 128 channels and of a channel, and one tile: packing of words, of bytes, where vectors hold
# whole pixels, or pixels whole vectors.
_REGULAR = {False: (390, 2.6), True: (145, 3.5)}
_TILE_ONCE, _PLANES_ONCE = 90, 600
_COLUMN, _PLANAR_COLUMN, _SINGLE_COLUMN = 1.3, 1.05, 2.1  # of a column of a tile that is copied
_COPY = 2.2  # of an input channel, one tile, and a column of the kernel: shifted planes
_ROW_ONCE, _COLUMN_ONCE = 9, 0.6  # of a row and a column, whatever the number of tiles


def candidates(weights, window):
    """Return the kernels that could compute a convolution.

    Args:
        weights: int8 array of shape `(out, kernel_h, kernel_w, in)`.
        window: List of the fields of `spk_window2d`.

    Returns:
        A list of `Candidate`.
    """
    from keras_prune.runtime.vector_packers import fours_scratch_hvx, pack_fours_s8

    matrix = padded_matrix(weights)

    def candidate(encoding, name, values, products, indices=0):
        spread = name == "fours"
        packets = packets_of(window, matrix, products, spread)
        packets += _ROW_ONCE * len(matrix) + _COLUMN_ONCE * matrix.shape[1]
        sources = (f"kernels/hexagon/conv2d_s8_{name}_hvx.c", *SOURCES)
        scratch = fours_scratch_hvx([value for _, value in window], indices)
        return Candidate(encoding, f"spk_conv2d_s8_{name}__hvx", sources, values, packets, scratch)

    rows = _four_by_four(matrix)
    found = [candidate("dense", "rows4", rows, rows.size / 4 * _FOUR_ROWS)]
    for name, spread in (("blocks", False), ("fours", True)):
        if worth_packing(matrix) and matrix.shape[1] < 1 << 16:
            packed = np.frombuffer(pack_fours_s8(matrix, spread), np.uint32)
            stored = int(packed[0])
            indices = stored * (4 if spread else 1)
            found.append(candidate(name, name, packed, stored * _FOUR, indices))
    return found


def padded_matrix(weights):
    """Return int8 weights `(out, kernel_h, kernel_w, in)` as rows of fours of input channels."""
    padded = np.pad(weights, ((0, 0), (0, 0), (0, 0), (0, -weights.shape[3] % 4)))
    return padded.reshape(len(weights), -1)


def packets_of(window, matrix, products, spread=False):
    """Return the packets of a layer, but for what is done once.

    Args:
        window: List of the fields of `spk_window2d`.
        matrix: int8 array (rows, columns), as `padded_matrix` gives it.
        products: Packets in which a tile is multiplied.
        spread: Bool. True for unstructured weights, which want planes of single channels.
    """
    shape = dict(window)
    tiles, copied = _tiles(shape)
    rows, columns = matrix.shape
    channels = columns // (shape["kernel_h"] * shape["kernel_w"])
    packets = products + _ROW * rows + _packing(shape, channels, spread) + _TILE_ONCE
    if copied == "bytes" and not spread:
        packets += _COPY * channels * (shape["kernel_w"] - 1)
    elif copied != "never":
        single = _SINGLE_COLUMN if shape["kernel_w"] == 1 else _PLANAR_COLUMN
        packets += columns * (single if spread and _is_flat(shape) else _COLUMN)
    return tiles * packets + (_PLANES_ONCE if copied == "bytes" else 0)


def _packing(shape, channels, spread):
    # Packets that pack the pixels of a tile.
    whole, rest = divmod(channels, 2 * _CHANNELS)
    regular = not rest or (not whole and rest >= 16 and rest & (rest - 1) == 0)
    if regular and shape["in_c"] == channels and _is_flat(shape):
        chunk, channel = _REGULAR[spread]
        return chunk * max(whole, 1) + channel * channels
    packed = whole * _PACKED + (_PACKED if rest > _CHANNELS else _HALF_PACKED if rest else 0)
    return packed + _PLANAR * channels * spread


def _is_flat(shape):
    return shape["stride_h"] == shape["stride_w"] == 1 and shape["out_w"] <= shape["in_w"]


def _tiles(shape):
    # How many tiles there are (see spk/planes_hvx.h), and whether they are copied.
    flat = _is_flat(shape)
    reach = (shape["kernel_w"] - 1) * shape["dilation_w"] // shape["stride_w"]
    pitch = shape["in_w"] if flat else shape["out_w"] + reach
    tiles = shape["batch"] * -(-shape["out_h"] * pitch // _TILE)
    if shape["kernel_h"] == shape["kernel_w"] == 1 and flat:
        return tiles, "never"
    return tiles, "bytes" if flat and pitch % _WORDS == 0 else "all"


def _four_by_four(matrix):
    # (rows / 4, columns / 4, 4, 4), and one four of zeros that the kernel loads ahead.
    rows, columns = matrix.shape
    whole = np.pad(matrix, ((0, -rows % 4), (0, 0)))
    ordered = whole.reshape(-1, 4, columns // 4, 4).transpose(0, 2, 1, 3)
    return np.append(ordered.reshape(-1), np.zeros(16, np.int8)).view(np.uint32)


def folded_bias(step, node, matrix, source):
    """Return the bias for inputs that the kernels read as `input + 128`.

    Args:
        step: `Step` that keeps the constant.
        node: `Node` of the convolution.
        matrix: int8 array (rows, columns) of its weights.
        source: Input `Tensor`.

    Returns:
        A `Constant`.
    """
    return step.constant("bias", "int32_t", folded_bias_values(node, matrix, source))


def folded_bias_values(node, matrix, source):
    """Return what `folded_bias` keeps, as an int64 array."""
    offset = (source.zero_point + 128) * matrix.sum(axis=1, dtype=np.int64)
    return bias_values(node, matrix) - offset
