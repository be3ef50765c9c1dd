"""What SET and RigL have in common: as many weights grow as are dropped."""

import numpy as np

from keras_prune.registry import check_sparsity
from keras_prune.regrowth.regrowth import Regrowth


class Exchange(Regrowth):
    """Base class: every update drops the worst weights and lets as many others grow.

    The layers keep their sparsities. A weight that grows begins at zero and without momentum;
    one that was dropped may be chosen again and goes on then.

    The worst are those of the smallest magnitude, whatever the criterion. Subclasses write
    `growth`.

    Args:
        fraction: Float in [0, 1). The part of a layer's weights that is exchanged.
    """

    takes_windows = False

    def __init__(self, fraction):
        self.fraction = check_sparsity("fraction", fraction)

    def check(self, criterion, granularity, allocation):
        if granularity.sparsity is not None:
            raise ValueError(
                f"{type(self).__name__} exchanges units of a whole layer, and {granularity!r} "
                f"prunes within small groups. Received: granularity={granularity!r}"
            )
        if granularity.takes_outputs or granularity.expendable:
            raise ValueError(
                f"What {type(self).__name__} lets grow begins at zero, and a unit of zeros "
                'alone has no gradient to learn from: use regrowth="ste". '
                f"Received: granularity={granularity!r}"
            )

    def growth(self, update):
        """Score the pruned weights: higher = grow.

        Args:
            update: `MaskUpdate`.

        Returns:
            List of float arrays of the shapes of the weights, not negative.
        """
        raise NotImplementedError(f"`{type(self).__name__}` must implement `growth`.")

    def exchanged(self, update):
        """The fraction of a layer's weights that this update exchanges."""
        del update
        return self.fraction

    def update(self, update):
        update.prune(revive=False)
        fraction = self.exchanged(update)
        if fraction == 0.0:
            return
        for index, growth in enumerate(self.growth(update)):
            _exchange(update, index, growth, fraction)


def _exchange(update, index, growth, fraction):
    """Drop the worst and grow the best of one layer."""
    store = update.store
    weight, keep = store.weights[index], store.keep[index]
    granularity = update.granularity.of(weight)
    full = granularity.full_view
    sparsity = 1.0 - np.count_nonzero(keep) / keep.size
    if sparsity == 0.0:
        return
    alive = weight.to_view(keep, full)
    magnitudes = weight.to_view(abs(weight.numpy()), full)
    left = granularity.select(magnitudes, alive, sparsity + fraction * (1.0 - sparsity))
    # What is left outbids everything that could grow.
    bids = np.asarray(weight.to_view(growth, full), np.float64)
    bids = np.where(left, 2.0 * bids.sum() + 1.0, bids)
    chosen = granularity.select(bids, np.ones_like(alive), sparsity)
    chosen = weight.from_view(np.ascontiguousarray(chosen))
    store.assign(index, keep & chosen)
    store.revive(index, chosen & ~keep)
