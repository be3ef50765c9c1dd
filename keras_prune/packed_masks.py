"""Masks at one bit a weight."""

import collections.abc
import math

import numpy as np


class PackedMasks(collections.abc.Sequence):
    """A list of bool arrays of fixed shapes, all True at first, that keeps one bit an entry.

    Example:

    ```python
    masks = PackedMasks([(2, 3)])
    masks[0] = np.array([[True, False, True], [False, False, True]])
    masks[0].sum(), masks.kept    # 3, [3]
    ```

    Args:
        shapes: Iterable of tuples of ints.

    Attributes:
        kept: List of ints. The number of entries that are True, of every mask.
    """

    def __init__(self, shapes):
        self._shapes = list(shapes)
        self._bits = [None] * len(self._shapes)
        self.kept = [math.prod(shape) for shape in self._shapes]

    def __len__(self):
        return len(self._shapes)

    def __getitem__(self, index):
        """A new bool array: writing to it changes no mask."""
        shape = self._shapes[index]
        if self._bits[index] is None:
            return np.ones(shape, bool)
        flat = np.unpackbits(self._bits[index], count=math.prod(shape))
        return flat.view(bool).reshape(shape)

    def __setitem__(self, index, keep):
        size = math.prod(self._shapes[index])
        self.kept[index] = int(np.count_nonzero(keep))
        self._bits[index] = None if self.kept[index] == size else np.packbits(keep)
