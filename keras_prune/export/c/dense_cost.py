"""Instruction estimates of FULLY_CONNECTED.

The constants are instructions counted under QEMU for the portable kernels, gcc -O3.
"""

import dataclasses

from keras_prune.export.c import tile_cost


@dataclasses.dataclass(frozen=True)
class Costs:
    """Instructions of the inner loops, for one input row."""

    dense_weight: float  # dense: per weight
    dense_row: float  # and per output row, requantisation included
    stream_input: float  # as a stream: per input
    stream_pair: float  # per stored pair
    stream_row: float  # and per output row
    columns_input: float  # by columns: per input, live or not
    columns_live: float  # per live input
    columns_pair: float  # per stored pair of a live input
    columns_row: float  # and per output row


_LONG_MULTIPLY = Costs(3.0, 36, 6.0, 5.8, 46, 7.7, 17.6, 6.8, 26)
_SHORT_MULTIPLY = Costs(5.8, 156, 9.4, 8.8, 185, 14.1, 33, 9.8, 145)


def dense(target, matrix, batch):
    """Estimate dense weights (rows, columns) times `batch` input rows."""
    if batch > 1:
        return tile_cost.dense(target, matrix, batch)
    costs = _costs(target)
    return matrix.size * costs.dense_weight + matrix.shape[0] * costs.dense_row


def stream(target, matrix, stored_bytes, batch):
    """Estimate the same weights packed by rows into so many bytes."""
    if batch > 1:
        return tile_cost.stream(target, matrix, stored_bytes, batch)
    costs, (rows, cols) = _costs(target), matrix.shape
    pairs = stored_bytes / 2 - rows
    return cols * costs.stream_input + pairs * costs.stream_pair + rows * costs.stream_row


def columns(target, matrix, stored_bytes, batch, live):
    """Estimate the same weights packed by columns, a share `live` of the inputs not zero."""
    costs, (rows, cols) = _costs(target), matrix.shape
    inputs = cols * (costs.columns_input + live * costs.columns_live)
    products = live * (stored_bytes / 2 - cols) * costs.columns_pair
    return batch * (inputs + products + rows * costs.columns_row)


def _costs(target):
    return _LONG_MULTIPLY if target.long_multiply else _SHORT_MULTIPLY
