"""How often the units of a layer were not zero."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class UnitCounts:
    """How often the units of one layer were not zero.

    Args:
        positions: Int. Values of each unit: examples times positions in the layer's map.
        nonzero: Int64 array (units,). How many of them were not zero.
    """

    positions: int
    nonzero: np.ndarray

    @property
    def density(self):
        """Float. The fraction of the layer's activations that were not zero."""
        return int(self.nonzero.sum()) / (self.positions * self.nonzero.size)

    def __add__(self, other):
        return UnitCounts(self.positions + other.positions, self.nonzero + other.nonzero)


def total_density(counts):
    """The density of several layers together.

    Args:
        counts: Iterable of `UnitCounts`.

    Returns:
        A float.
    """
    counts = list(counts)
    values = sum(count.positions * count.nonzero.size for count in counts)
    return sum(int(count.nonzero.sum()) for count in counts) / values
