"""The `sparsity` table of a TensorFlow Lite tensor, read and made."""

import itertools

import numpy as np

from keras_prune.export.sparse_encoding import (
    CSR,
    DENSE,
    Level,
    SparseLayout,
    decode,
    index_dtype,
)


def from_schema(sparsity, shape):
    """Read a `SparsityParametersT` from a file.

    Args:
        sparsity: `SparsityParametersT`.
        shape: Tuple of int. The tensor's dense shape.

    Returns:
        `(layout, levels)`.

    Raises:
        ValueError: If it is incomplete or in an order that no runtime reads.
    """
    metadata = sparsity.dimMetadata or []
    order = _integers(sparsity.traversalOrder)
    block_map = _integers(sparsity.blockMap)
    rank = len(shape)
    if sorted(order) != list(range(rank + len(block_map))) or len(metadata) != len(order):
        raise ValueError("the traversal order of its sparsity does not fit its shape")
    if order[rank:] != tuple(range(rank, len(order))):
        raise ValueError("its blocks are not innermost and in order")
    block_sizes = tuple(level.denseSize for level in metadata[rank:])
    for axis, block in zip(block_map, block_sizes, strict=True):
        if not 0 <= axis < rank or block < 1 or shape[axis] % block:
            raise ValueError("the blocks of its sparsity do not divide its shape")
    if any(a >= b for a, b in itertools.pairwise(block_map)):
        raise ValueError("the block map of its sparsity does not rise")
    formats = tuple(level.format for level in metadata)
    if not set(formats) <= {DENSE, CSR} or CSR in formats[rank:]:
        raise ValueError("a level of its sparsity has an unknown format")
    layout = SparseLayout(order, formats, block_map, block_sizes)
    return layout, [_level_from_schema(level) for level in metadata]


def _level_from_schema(level):
    if level.format == DENSE:
        return Level(DENSE, level.denseSize)
    vectors = [level.arraySegments, level.arrayIndices]
    if any(vector is None for vector in vectors):
        raise ValueError("a level of its sparsity has no indices")
    segments, indices = (np.asarray(v.values if v.values is not None else [], int) for v in vectors)
    return Level(CSR, 0, segments, indices)


def _integers(vector):
    return () if vector is None else tuple(int(value) for value in vector)


def decode_sparse(values, shape, sparsity):
    """Decode a tensor with the sparsity that a file gives it; see `decode`."""
    layout, levels = from_schema(sparsity, shape)
    return decode(values, shape, layout, levels)


def to_schema(layout, levels, tables):
    """Make the `SparsityParametersT` of an encoded tensor.

    Args:
        layout: `SparseLayout`.
        levels: List of `Level`.
        tables: The schema module.

    Returns:
        A `SparsityParametersT`.
    """
    sparsity = tables.SparsityParametersT()
    sparsity.traversalOrder = np.array(layout.traversal_order, np.int32)
    if layout.block_map:
        sparsity.blockMap = np.array(layout.block_map, np.int32)
    sparsity.dimMetadata = [_level_to_schema(level, tables) for level in levels]
    return sparsity


def _level_to_schema(level, tables):
    entry = tables.DimensionMetadataT()
    entry.format = level.format
    entry.denseSize = level.size
    if level.format == CSR:
        entry.arraySegmentsType, entry.arraySegments = _index_vector(level.segments, tables)
        entry.arrayIndicesType, entry.arrayIndices = _index_vector(level.indices, tables)
    return entry


def _index_vector(values, tables):
    dtype = index_dtype(values)
    name = {"uint8": "Uint8Vector", "uint16": "Uint16Vector", "int32": "Int32Vector"}[dtype.name]
    vector = getattr(tables, f"{name}T")()
    vector.values = values.astype(dtype)
    return getattr(tables.SparseIndexVector, name), vector
