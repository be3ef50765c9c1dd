"""Units that are cut together, and the tensors that carry them."""

import dataclasses

import numpy as np


class Units:
    """All units of a model, joined where they can only be cut together (union-find).

    Attributes:
        protected: Dict from the root of a group to the sentence that says why it stays.
    """

    def __init__(self):
        self.parents = []
        self.protected = {}

    def __len__(self):
        return len(self.parents)

    def new(self, count):
        """Make units. Returns their ids, int array (count,)."""
        first = len(self.parents)
        self.parents.extend(range(first, first + count))
        return np.arange(first, first + count)

    def find(self, unit):
        """Int. The root of the group of a unit."""
        root = unit
        while self.parents[root] != root:
            root = self.parents[root]
        while self.parents[unit] != root:
            self.parents[unit], unit = root, self.parents[unit]
        return root

    def roots(self, ids):
        """Int array. The roots of the groups of many units."""
        return np.array([self.find(int(unit)) for unit in ids], int)

    def join(self, ids, others):
        """Units of the same position in both are cut together from now on."""
        for one, other in zip(ids, others, strict=True):
            one, other = self.find(int(one)), self.find(int(other))
            if one != other:
                self.parents[other] = one
                reason = self.protected.pop(other, None)
                if reason is not None:
                    self.protected.setdefault(one, reason)

    def protect(self, ids, reason):
        """The groups of these units stay; the first reason counts."""
        for unit in ids:
            self.protected.setdefault(self.find(int(unit)), reason)


@dataclasses.dataclass(eq=False)
class Signal:
    """One tensor: where its units lie and what they are where nothing varies.

    Args:
        shape: Tuple of ints or `None`, without the batch axis.
        axis: Int. The axis of `shape` that counts units.
        ids: Int array (shape[axis],). The unit of each position; one may stand at several.
        constant: Float array (shape[axis],). The value that the position has for every input
            and at every place; NaN where it varies.
        bordered: Bool array (shape[axis],). Whether the value is so only within a border of
            zeros, which padding has added.
    """

    shape: tuple
    axis: int
    ids: np.ndarray
    constant: np.ndarray
    bordered: np.ndarray

    @classmethod
    def varying(cls, shape, axis, ids):
        """A signal of which nothing is known to be constant."""
        return cls(shape, axis, ids, np.full(len(ids), np.nan), np.zeros(len(ids), bool))

    def replace(self, **changes):
        """The signal with some fields changed."""
        return dataclasses.replace(self, **changes)

    def settled(self):
        """Float array. The constants that hold up to the border; NaN for the others."""
        return np.where(self.bordered, np.nan, self.constant)
