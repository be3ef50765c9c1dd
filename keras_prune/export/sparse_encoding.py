"""The sparse tensor encoding of TensorFlow Lite: a tree of levels over the tensor's dimensions.

A tensor of shape (d_0, ..., d_{n-1}) is split along some dimensions into blocks: dimension
`block_map[k]` becomes d / b_k blocks of b_k, and the b_k form dimension n + k. The dimensions are
then stored in `traversal_order`, one level each. A DENSE level stores every index; a SPARSE_CSR
level stores, below every node of the level above, the indices that have a nonzero value
anywhere below them: `segments` (one more than there are nodes above) into `indices`. The last level
holds the values. The format follows the TACO compiler (Kjolstad et al., 2017,
https://dl.acm.org/doi/10.1145/3133901).
"""

import dataclasses

import numpy as np

DENSE, CSR = 0, 1


@dataclasses.dataclass(frozen=True)
class SparseLayout:
    """How a tensor is laid out: which dimension comes when, and how it is stored.

    Args:
        traversal_order: Tuple of int. Dimensions from the outermost level to the innermost; block
            dimensions are numbered behind the others and come last, in order.
        formats: Tuple of int, `DENSE` or `CSR`, one for each level.
        block_map: Tuple of int, rising. The dimensions that are split into blocks.
        block_sizes: Tuple of int. How long the blocks are along each of these.
    """

    traversal_order: tuple
    formats: tuple
    block_map: tuple = ()
    block_sizes: tuple = ()

    def __str__(self):
        letters = "".join("DS"[form] for form in self.formats)
        order = ",".join(map(str, self.traversal_order))
        blocks = "x".join(map(str, self.block_sizes))
        return f"{letters} order {order}" + (f" blocks {blocks}" if blocks else "")


@dataclasses.dataclass(frozen=True)
class Level:
    """One level of an encoded tensor.

    Args:
        format: `DENSE` or `CSR`.
        size: Int. The number of indices of a dense level, else 0.
        segments: Int array or `None`.
        indices: Int array or `None`.
    """

    format: int
    size: int = 0
    segments: np.ndarray | None = None
    indices: np.ndarray | None = None

    def nbytes(self):
        """Return the bytes of the index vectors in the file."""
        if self.format == DENSE:
            return 0
        return sum(len(v) * index_dtype(v).itemsize for v in (self.segments, self.indices))


def encode(array, layout):
    """Encode an array.

    Example:

    ```python
    layout = SparseLayout((0, 1), (DENSE, CSR))
    values, levels = encode(np.array([[0, 3], [0, 0]]), layout)
    # values [3], levels[1].segments [0, 1, 1], levels[1].indices [1]
    ```

    Args:
        array: Array of any shape.
        layout: `SparseLayout` whose block sizes divide the array's dimensions.

    Returns:
        `(values, levels)`: the stored values, a flat array, and a list of `Level`.

    Raises:
        ValueError: If a block size does not divide its dimension.
    """
    tree = np.ascontiguousarray(_split(array, layout).transpose(layout.traversal_order))
    kept = np.zeros(1, np.int64)  # the nodes of the level above, numbered as if all were dense
    levels = []
    for depth, form in enumerate(layout.formats):
        size = tree.shape[depth]
        nodes = (kept[:, None] * size + np.arange(size)).reshape(-1)
        if form == DENSE:
            levels.append(Level(DENSE, size))
            kept = nodes
            continue
        count = int(np.prod(tree.shape[: depth + 1]))
        alive = (tree.reshape(count, -1) != 0).any(axis=1)[nodes]
        segments = np.concatenate([[0], np.cumsum(alive.reshape(-1, size).sum(axis=1))])
        kept = nodes[alive]
        levels.append(Level(CSR, 0, segments, kept % size))
    return tree.reshape(-1)[kept], levels


def nbytes(values, levels):
    """Return the bytes that an encoded tensor takes in the file, indices included."""
    return values.nbytes + sum(level.nbytes() for level in levels)


def decode(values, shape, layout, levels):
    """Decode what `encode` returned, or a file holds, with every length checked.

    Args:
        values: Flat array.
        shape: Tuple of int.
        layout: `SparseLayout`.
        levels: List of `Level`.

    Returns:
        The dense array.

    Raises:
        ValueError: If the parts do not fit together.
    """
    sizes, strides = _level_sizes(shape, layout)
    longest = max([len(values)] + [len(level.segments) for level in levels if level.format == CSR])
    offsets = np.zeros(1, np.int64)
    for level, size, stride in zip(levels, sizes, strides, strict=True):
        if level.format == DENSE:
            if level.size != size or len(offsets) * size > longest:
                raise ValueError("a dense level of its sparsity does not fit its shape")
            offsets = (offsets[:, None] + stride * np.arange(size)).reshape(-1)
        else:
            offsets = _descend(offsets, level, size, stride)
    if len(offsets) != len(values):
        raise ValueError(f"its sparsity describes {len(offsets)} values, it has {len(values)}")
    dense = np.zeros(shape, values.dtype)
    dense.reshape(-1)[offsets] = values
    return dense


def _descend(offsets, level, size, stride):
    segments = np.asarray(level.segments, np.int64)
    indices = np.asarray(level.indices, np.int64)
    if len(segments) != len(offsets) + 1 or segments[0] != 0 or segments[-1] != len(indices):
        raise ValueError("the segments of its sparsity do not fit its indices")
    counts = np.diff(segments)
    if (counts < 0).any() or (counts > size).any():
        raise ValueError("the segments of its sparsity do not rise")
    if len(indices) and not 0 <= indices.min() <= indices.max() < size:
        raise ValueError("an index of its sparsity is out of range")
    inside = np.ones(len(indices), bool)
    inside[segments[:-1][counts > 0]] = False
    if (np.diff(indices, prepend=-1)[inside] <= 0).any():
        raise ValueError("the indices of its sparsity do not rise")
    return np.repeat(offsets, counts) + stride * indices


def _split(array, layout):
    shape, axes, block_axes = [], [], []
    blocks = dict(zip(layout.block_map, layout.block_sizes, strict=True))
    for axis, size in enumerate(array.shape):
        axes.append(len(shape))
        block = blocks.get(axis)
        if block is None:
            shape.append(size)
            continue
        if size % block:
            raise ValueError(
                f"The block must divide the dimension. Received: block={block}, size={size}"
            )
        block_axes.append(len(shape) + 1)
        shape += [size // block, block]
    return array.reshape(shape).transpose(axes + block_axes)


def _level_sizes(shape, layout):
    # A level's step through the flat dense array: an outer index steps over whole blocks.
    rank = len(shape)
    flat = [int(np.prod(shape[axis + 1 :])) for axis in range(rank)]
    blocks = dict(zip(layout.block_map, layout.block_sizes, strict=True))
    sizes = [size // blocks.get(axis, 1) for axis, size in enumerate(shape)]
    strides = [step * blocks.get(axis, 1) for axis, step in enumerate(flat)]
    sizes += layout.block_sizes
    strides += [flat[axis] for axis in layout.block_map]
    order = layout.traversal_order
    return [sizes[axis] for axis in order], [strides[axis] for axis in order]


def index_dtype(vector):
    """Return the narrowest of uint8, uint16 and int32 that holds every entry.

    The runtimes do not check for overflow, so segments and indices are each measured.
    """
    top = int(vector.max()) if len(vector) else 0
    return np.dtype(np.uint8 if top < 1 << 8 else np.uint16 if top < 1 << 16 else np.int32)
