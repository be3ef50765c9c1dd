"""Instruction estimates of convolutions, which serve a tile of pixels in one pass over weights.

The constants are instructions counted under QEMU for the portable kernels, gcc -O3.
"""

import dataclasses
import math

TILE_BYTES = 16  # bytes of scratch for every column of a convolution's weight matrix


@dataclasses.dataclass(frozen=True)
class Costs:
    """Instructions of the inner loops."""

    pixels: int  # pixels served by one pass over the weights
    tap: float  # packing a tile: per tap of the kernel
    column: float  # and per column
    dense: float  # per weight and tile
    pair: float  # per stored pair and tile
    row: float  # per output row and tile, requantisation included
    depthwise: float  # depthwise convolution: per multiply-accumulate
    output: float  # per output
    channel: float  # per channel and output row


_LONG_MULTIPLY = Costs(8, 170, 22, 10, 12, 200, 4, 25, 110)
_SHORT_MULTIPLY = Costs(4, 100, 18, 18.3, 15.4, 330, 8, 120, 150)


def dense(target, matrix, pixels, taps=1):
    """Estimate a convolution of dense weights (rows, columns) that gives so many pixels."""
    costs = _costs(target)
    return _tiles(costs, matrix, matrix.size * costs.dense, pixels, taps)


def stream(target, matrix, stored_bytes, pixels, taps=1):
    """Estimate the same weights packed into so many bytes."""
    costs = _costs(target)
    pairs = stored_bytes / 2 - matrix.shape[0]
    return _tiles(costs, matrix, pairs * costs.pair, pixels, taps)


def depthwise(target, macs, outputs, rows):
    """Estimate a depthwise convolution; `rows` counts output rows times channels."""
    costs = _costs(target)
    return round(costs.depthwise * macs + costs.output * outputs + costs.channel * rows)


def _costs(target):
    return _LONG_MULTIPLY if target.long_multiply else _SHORT_MULTIPLY


def _tiles(costs, matrix, products, pixels, taps):
    rows, columns = matrix.shape
    packing = taps * costs.tap + columns * costs.column
    return math.ceil(pixels / costs.pixels) * (products + rows * costs.row + packing)
