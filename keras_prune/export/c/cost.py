"""Instruction estimates, and the choice between dense weights and the sparse formats.

The constants are instructions counted under QEMU for the portable kernels, gcc -O3.
"""

import dataclasses
import math

TILE_BYTES = 16  # bytes of scratch for every column of a convolution's weight matrix


@dataclasses.dataclass(frozen=True)
class Costs:
    """Instructions of the inner loops."""

    tile_pixels: int  # pixels served by one pass over the weights
    tile_tap: float  # packing a tile: per tap of the kernel
    tile_column: float  # and per column
    tile_dense: float  # per weight and tile
    tile_pair: float  # per stored pair and tile
    tile_row: float  # per output row and tile, requantisation included
    dense_weight: float  # one input row, dense: per weight
    dense_row: float  # and per output row
    stream_input: float  # the same as a stream: per input
    stream_pair: float  # per stored pair
    stream_row: float  # and per output row
    columns_input: float  # the same by columns: per input, live or not
    columns_live: float  # per live input
    columns_pair: float  # per stored pair of a live input
    columns_row: float  # and per output row
    depthwise: float  # depthwise convolution: per multiply-accumulate
    output: float  # per output
    channel: float  # per channel and output row


_TILES = (8, 170, 22, 10, 12, 200)
_VECTORS = (3.0, 36, 6.0, 5.8, 46, 7.7, 17.6, 6.8, 26)
_LONG_MULTIPLY = Costs(*_TILES, *_VECTORS, 4, 25, 110)
_SHORT_TILES = (4, 100, 24, 16, 18, 600)
_SHORT_VECTORS = (5.8, 156, 9.4, 8.8, 185, 14.1, 33, 9.8, 145)
_SHORT_MULTIPLY = Costs(*_SHORT_TILES, *_SHORT_VECTORS, 8, 120, 150)


@dataclasses.dataclass(frozen=True)
class Choice:
    """An encoding and the instructions that it is estimated to take."""

    encoding: str
    instructions: int


def choose(target, matrix, sizes, pixels, taps=1, live=1.0):
    """Choose between dense weights and the sparse formats.

    The smallest product of bytes and instructions is taken: what is smaller and faster always
    wins, and a small loss in one must buy more in the other.

    Args:
        target: `Target`.
        matrix: int8 array (rows, columns).
        sizes: Dict of `"stream"` or `"columns"` to the bytes of the packed weights.
        pixels: Int. Output pixels, or input rows of a dense layer.
        taps: Int. Kernel height times width. Defaults to `1`.
        live: Float. The share of inputs that are not zero. Defaults to `1.0`.

    Returns:
        A `Choice`.
    """
    costs, (rows, columns) = _costs(target), matrix.shape
    pairs = {"stream": sizes.get("stream", 0) / 2 - rows}
    pairs["columns"] = sizes.get("columns", 0) / 2 - columns
    if pixels == 1 and taps == 1:
        candidates = {
            "dense": matrix.size * costs.dense_weight + rows * costs.dense_row,
            "stream": columns * costs.stream_input
            + pairs["stream"] * costs.stream_pair
            + rows * costs.stream_row,
        }
    else:
        candidates = {
            "dense": _tiles(costs, matrix, matrix.size * costs.tile_dense, pixels, taps),
            "stream": _tiles(costs, matrix, pairs["stream"] * costs.tile_pair, pixels, taps),
        }
    inputs = columns * (costs.columns_input + live * costs.columns_live)
    products = live * pairs["columns"] * costs.columns_pair
    candidates["columns"] = pixels * (inputs + products + rows * costs.columns_row)
    sizes = {"dense": matrix.size, **sizes}
    best = min(sizes, key=lambda encoding: sizes[encoding] * candidates[encoding])
    return Choice(best, round(candidates[best]))


def depthwise_instructions(target, macs, outputs, rows):
    """Estimate the instructions of a depthwise convolution.

    Args:
        target: `Target`.
        macs: Int. Multiply-accumulates.
        outputs: Int. Output values.
        rows: Int. Output rows times channels.

    Returns:
        An int.
    """
    costs = _costs(target)
    return round(costs.depthwise * macs + costs.output * outputs + costs.channel * rows)


def _costs(target):
    return _LONG_MULTIPLY if target.long_multiply else _SHORT_MULTIPLY


def _tiles(costs, matrix, products, pixels, taps):
    rows, columns = matrix.shape
    packing = taps * costs.tile_tap + columns * costs.tile_column
    return math.ceil(pixels / costs.tile_pixels) * (products + rows * costs.tile_row + packing)
