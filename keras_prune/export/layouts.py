"""Which sparse layouts a weight may take, and the one that makes the smallest file."""

import itertools

from keras_prune.export.sparse_encoding import CSR, DENSE, SparseLayout, encode, nbytes

BLOCKS = (2, 4, 8, 16)
LARGE = 1 << 21


def candidates(shape):
    """List the layouts that are tried for a weight.

    A weight is (units, inputs) or (outputs, height, width, inputs). Single values are indexed along
    the last dimension met, in several orders: rows shorter than 256 need one byte a value, and
    fewer rows need fewer segments. Whole rows, columns, and blocks of 2, 4, 8 or 16 values
    along the inputs, the outputs, or both, are indexed once.

    Args:
        shape: Tuple of int.

    Returns:
        List of `SparseLayout`, without repetition.
    """
    rank = len(shape)
    found = []
    for order in _orders(rank):
        found += [SparseLayout(order, formats) for formats in _formats(rank)]
    for block_map, sizes in _blocks(shape):
        inner = tuple(range(rank, rank + len(sizes)))
        for order in _orders(rank)[:2]:
            for formats in ((DENSE,) * (rank - 1) + (CSR,), (CSR,) * rank):
                formats = formats + (DENSE,) * len(sizes)
                found.append(SparseLayout(order + inner, formats, block_map, sizes))
    return list(dict.fromkeys(found))


def smallest(array):
    """Find the smallest encoding of an array.

    Args:
        array: Array, (units, inputs) or (outputs, height, width, inputs).

    Returns:
        `(bytes, layout, values, levels)`, the bytes those of values and indices together.
    """
    layouts = candidates(array.shape)
    if array.size > LARGE:  # an hour-long search would save little: rows and blocks only
        layouts = [layout for layout in layouts if layout.formats.count(CSR) == 1]
    best = None
    for layout in layouts:
        values, levels = encode(array, layout)
        size = nbytes(values, levels)
        if best is None or size < best[0]:
            best = size, layout, values, levels
    return best


def _orders(rank):
    last = rank - 1
    forward = tuple(range(rank))
    orders = [forward, (last, *range(last)), (0, last, *range(1, last)), (*range(1, rank), 0)]
    return list(dict.fromkeys(orders))


def _formats(rank):
    rows = (DENSE,) * (rank - 1) + (CSR,)
    whole = (CSR,) + (DENSE,) * (rank - 1)
    second = (DENSE, CSR) + (DENSE,) * (rank - 2)
    nested = (DENSE, CSR) * (rank // 2) + (DENSE,) * (rank % 2)
    tree = (DENSE,) + (CSR,) * (rank - 1)
    return list(dict.fromkeys([rows, whole, second, nested, tree, (CSR,) * rank]))


def _blocks(shape):
    last = len(shape) - 1
    for size in BLOCKS:
        for axis in (0, last):
            if _divides(size, shape[axis]):
                yield (axis,), (size,)
    for outer, inner in itertools.product(BLOCKS, BLOCKS):
        if outer * inner <= 64 and _divides(outer, shape[0]) and _divides(inner, shape[last]):
            yield (0, last), (outer, inner)


def _divides(block, size):
    return size % block == 0 and size > block
