"""Energy: what the removal of a unit moves the network."""

import numpy as np

from keras_prune.criteria import Criterion


class Energy(Criterion):
    """Scores that pool to the sum of squares of a unit: what its removal moves the network.

    Args:
        norm: Number > 0. The p of the Lp norm that the granularity pools by. Defaults to `1`.
    """

    def __init__(self, norm=1):
        self.norm = norm

    def score(self, weight):
        return self.of(weight.numpy())

    def of(self, value):
        """Float64 array of the value's shape: |v| ** (2 / p)."""
        return np.abs(value, dtype="float64") ** (2 / self.norm)
