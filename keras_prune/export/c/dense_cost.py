"""Instruction estimates of FULLY_CONNECTED.

The constants are least squares over instructions counted under QEMU, gcc -O3, for layers of
10 to 300 outputs and 64 to 784 inputs, dense and with 50 % to 95 % zeros.
"""

import dataclasses

from keras_prune.export.c import tile_cost


@dataclasses.dataclass(frozen=True)
class Loops:
    """Instructions of a kernel for one input row: per input, stored item and output row.

    An item is what the inner loop takes: a weight, a pair of a stream, or a block.
    """

    input: float
    item: float
    row: float

    def estimate(self, cols, items, rows):
        """Return the instructions for one input row."""
        return cols * self.input + items * self.item + rows * self.row


@dataclasses.dataclass(frozen=True)
class Units:
    """Instructions of a kernel for groups: per unit of 64 columns, and those of a rest, per row."""

    unit: float
    rest: float
    rest_group: float
    row: float

    def estimate(self, cols, m):
        """Return the instructions for one row of groups of `m` columns."""
        units, rest = divmod(-(-cols // m), 64 // m)
        return self.row + units * self.unit + (self.rest + rest * self.rest_group) * (rest > 0)


@dataclasses.dataclass(frozen=True)
class Costs:
    """The kernels of a family of processors; by columns, `live` is for each input not zero."""

    dense: Loops
    stream: Loops
    columns: Loops
    live: float
    blocks: Loops | None = None
    twins: Loops | None = None  # an item is four twins; the stream of the others comes on top
    groups: dict | None = None  # from the size of a group to Units


_DSP = Costs(
    dense=Loops(1.5, 1.37, 17.1),
    stream=Loops(0.4, 3.64, 17.1),
    columns=Loops(7.8, 6.82, 9.1),
    live=16.2,
    blocks=Loops(1.5, 6.31, 21.9),
    twins=Loops(2.8, 17.6, 14),
    groups={4: Units(65, 35, 11, 26.1), 8: Units(34, 35, 11, 26.1)},
)
_LONG_MULTIPLY = Costs(
    dense=Loops(6.5, 2.86, 60),
    stream=Loops(0.7, 5.03, 42),
    columns=Loops(7.8, 6.82, 32),
    live=16.3,
)
_SHORT_MULTIPLY = Costs(
    dense=Loops(8.2, 5.08, 120),
    stream=Loops(0.9, 6.64, 118),
    columns=Loops(13.0, 9.97, 80),
    live=32.5,
)
_HOST = dataclasses.replace(_LONG_MULTIPLY, stream=Loops(5.5, 5.76, 51))


def dense(target, matrix, batch):
    """Estimate dense weights (rows, columns) times `batch` input rows."""
    if batch > 1 and not target.dsp:
        return tile_cost.dense(target, matrix, batch)
    rows, cols = matrix.shape
    fours = rows + -rows % 4 if target.dsp else rows  # the DSP takes four rows at a time
    return batch * _costs(target).dense.estimate(cols, fours * cols, rows)


def stream(target, matrix, stored_bytes, batch=1):
    """Estimate the same weights packed by rows into so many bytes, one input row at a time."""
    rows, cols = matrix.shape
    return batch * _costs(target).stream.estimate(cols, stored_bytes / 2 - rows, rows)


def twins(target, matrix, fours, pairs, batch):
    """Estimate so many times four twins, and a stream of so many pairs."""
    rows, cols = matrix.shape
    costs = _costs(target)
    work = costs.twins.estimate(cols, fours, rows) + costs.stream.estimate(0, pairs, rows)
    return batch * work


def blocks(target, matrix, stored_bytes, batch):
    """Estimate the same weights packed by blocks; a block takes about five bytes."""
    rows, cols = matrix.shape
    return batch * _costs(target).blocks.estimate(cols, (stored_bytes - 4 * rows) / 5, rows)


def groups(target, matrix, m, batch):
    """Estimate the same weights packed by groups of `m` inputs with one weight each."""
    return batch * matrix.shape[0] * _costs(target).groups[m].estimate(matrix.shape[1], m)


def columns(target, matrix, stored_bytes, batch, live):
    """Estimate the same weights packed by columns, a share `live` of the inputs not zero."""
    costs, (rows, cols) = _costs(target), matrix.shape
    products = live * (stored_bytes / 2 - cols)
    return batch * (costs.columns.estimate(cols, products, rows) + live * cols * costs.live)


def _costs(target):
    if target.is_host:
        return _HOST
    if target.dsp:
        return _DSP
    return _LONG_MULTIPLY if target.long_multiply else _SHORT_MULTIPLY
