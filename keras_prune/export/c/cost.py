"""Instruction estimates, and the choice between dense weights and the sparse stream.

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
    vector_column: float  # one input row: per column
    vector_dense: float  # per weight
    vector_pair: float  # per stored pair
    vector_row: float  # per output row
    depthwise: float  # depthwise convolution: per multiply-accumulate
    output: float  # per output
    channel: float  # per channel and output row


_LONG_MULTIPLY = Costs(8, 170, 22, 10, 12, 200, 6, 3.3, 6.1, 100, 4, 25, 110)
_SHORT_MULTIPLY = Costs(4, 100, 24, 16, 18, 600, 8, 6, 8, 250, 8, 120, 150)


@dataclasses.dataclass(frozen=True)
class Choice:
    """An encoding and the instructions that it is estimated to take."""

    encoding: str
    instructions: int


def choose(target, matrix, stream_bytes, pixels, taps=1):
    """Choose between dense weights and the stream.

    The stream is taken when the product of both ratios, of bytes and of instructions, is below
    1: what is smaller and faster always wins, and a small loss in one must buy more in the other.

    Args:
        target: `Target`.
        matrix: int8 array (rows, columns).
        stream_bytes: Int or `None`. Size of the packed stream; `None` leaves the weights dense.
        pixels: Int. Output pixels, or input rows of a dense layer.
        taps: Int. Kernel height times width. Defaults to `1`.

    Returns:
        A `Choice`.
    """
    costs = _costs(target)
    per_weight, per_pair = costs.tile_dense, costs.tile_pair
    if pixels == 1 and taps == 1:
        per_weight, per_pair = costs.vector_dense, costs.vector_pair
    dense = _instructions(costs, matrix, matrix.size * per_weight, pixels, taps)
    if stream_bytes is None:
        return Choice("dense", dense)
    pairs = (stream_bytes - 2 * matrix.shape[0]) // 2
    sparse = _instructions(costs, matrix, pairs * per_pair, pixels, taps)
    if stream_bytes * sparse < matrix.size * dense:
        return Choice("stream", sparse)
    return Choice("dense", dense)


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


def _instructions(costs, matrix, products, pixels, taps):
    rows, columns = matrix.shape
    if pixels == 1 and taps == 1:
        return round(products + rows * costs.vector_row + columns * costs.vector_column)
    tiles = math.ceil(pixels / costs.tile_pixels)
    packing = taps * costs.tile_tap + columns * costs.tile_column
    return round(tiles * (products + rows * costs.tile_row + packing))
