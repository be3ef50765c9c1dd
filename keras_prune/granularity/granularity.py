"""What a granularity is, and the choice of whole units."""

import numpy as np

from keras_prune.ranking import keep_units
from keras_prune.registry import Configurable, Registry

GRANULARITIES = Registry("granularity", also=("1x4", "2:4", "auto"))


class Granularity(Configurable):
    """Base class: pools the scores of weights into units and decides on whole units.

    Subclasses write `pool` and `expand`, or `select` where units compete only locally.

    Attributes:
        sparsity: Float or `None`. The sparsity that the shape itself fixes, if it does.
        unit: Int or `None`. Number of weights in a unit, where it is the same in every kernel.
        full_view: Bool. False: arrays come as (outputs, positions, inputs), the window of a
            convolution in one axis. True: as (groups, outputs, *window, inputs).
        expendable: Bool. True if a layer may lose all its weights.
        takes_outputs: Bool. True if outputs of a layer go as a whole; pruners spare the
            kernels that make the model's outputs then.
        coupled: Bool. True if outputs that can only be cut together go together, and emit
            nothing any more.
        takes_inputs: Bool. True if units are inputs, and have weights of every output.
    """

    sparsity = None
    unit = None
    full_view = False
    expendable = False
    takes_outputs = False
    coupled = False
    takes_inputs = False

    def pool(self, scores, alive):
        """Score the units.

        Args:
            scores: Float array (outputs, positions, inputs). Higher = keep.
            alive: Bool array of that shape. False where a weight is already pruned.

        Returns:
            Two arrays of one shape: the units' scores (mean over their weights, `-inf`
            where all are pruned already), in memory of their own, and their number of weights.
        """
        raise NotImplementedError(f"`{type(self).__name__}` must implement `pool`.")

    def expand(self, keep, shape):
        """Spread decisions on units back to weights.

        Args:
            keep: Bool array, one value a unit, as `pool` shaped it.
            shape: Tuple (outputs, positions, inputs).

        Returns:
            Bool array of shape `shape`.
        """
        raise NotImplementedError(f"`{type(self).__name__}` must implement `expand`.")

    def units(self, shape):
        """Which unit every weight belongs to.

        Args:
            shape: Tuple of ints, as the arrays that `pool` takes.

        Returns:
            Int array of that shape; the units count from 0 to the number of units - 1.
        """
        ones = np.ones(shape, np.float32)
        pooled, _ = self.pool(ones, ones.astype(bool))
        return self.expand(np.arange(pooled.size).reshape(pooled.shape), shape)

    def select(self, scores, alive, sparsity):
        """Choose the weights to keep.

        The fraction of pruned weights is the nearest to `sparsity` that whole units allow.
        Among equal scores the lower index survives. One unit always survives: a layer
        without any weight would cut the network.

        Args:
            scores: Float array (outputs, positions, inputs). Higher = keep.
            alive: Bool array of that shape. False where a weight is already pruned.
            sparsity: Float in [0, 1).

        Returns:
            Bool array of that shape, False where `alive` is.
        """
        pooled, sizes = self.pool(scores, alive)
        keep = keep_units(pooled.ravel(), sizes.ravel(), sparsity * scores.size)
        return self.expand(keep.reshape(pooled.shape), scores.shape) & alive

    def of(self, weight):
        """The shape of one kernel: this one, unless every kernel has its own.

        Args:
            weight: `PrunableWeight`.

        Returns:
            A `Granularity` that has units.
        """
        del weight
        return self

    def settle(self, weights, asked, sparsity):
        """Hear which kernels are to be pruned, and how far in the end.

        Args:
            weights: List of `PrunableWeight`, those that are pruned.
            asked: List of floats, one a kernel; `None` where only all together are asked.
            sparsity: Float in [0, 1). What all together are asked.
        """

    def amount(self, weight, sparsity):
        """What `select` is asked of one kernel so that it ends where it is meant to."""
        del weight
        return sparsity

    def skip(self, shape):
        """Why a kernel of shape (outputs, positions, inputs) cannot take this shape, or `None`."""
        del shape
        return None

    def slack(self, shape):
        """Weights by which whole units may miss the sparsity of a kernel of that shape."""
        del shape
        return 1


GRANULARITIES.base = Granularity


def check_positive(name, value):
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"Argument `{name}` must be an int >= 1. Received: {name}={value}")
    return value
