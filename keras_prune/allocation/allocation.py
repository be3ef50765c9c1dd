"""What an allocation is, and how one is found by its name."""

from keras_prune.registry import Configurable, Registry

ALLOCATIONS = Registry("allocation")


class Allocation(Configurable):
    """Base class: shares a sparsity out among the layers.

    Attributes:
        sparsity: Float or `None`. The sparsity that the allocation itself fixes, if it does:
            pruners take it for theirs, and take no other.
        ceiling: Bool. True if the sparsity is no more than a ceiling. Reports then count as
            asked what the last update asked.
    """

    sparsity = None
    ceiling = False

    def amounts(self, views, granularity, sparsity, weights=None):
        """Sparsity of every layer.

        Args:
            views: List with one pair (scores, alive) a layer, arrays as `Granularity.pool`
                takes them.
            granularity: `Granularity`.
            sparsity: Float in [0, 1). What all layers together must reach.
            weights: List of `PrunableWeight` in the order of `views`, for allocations that
                look at names, shapes or values of weights. Defaults to `None`.

        Returns:
            List of floats, one a layer.
        """
        raise NotImplementedError(f"`{type(self).__name__}` must implement `amounts`.")

    def asked(self, weights, sparsity):
        """What is asked of every layer alone, as far as it is known before pruning.

        Args:
            weights: List of `PrunableWeight`.
            sparsity: Float in [0, 1).

        Returns:
            List of floats; `None` where only the layers together are asked.
        """
        del sparsity
        return [None] * len(weights)

    def check(self, weights, sparsity):
        """Refuse weights or a sparsity that this allocation cannot serve.

        Args:
            weights: List of `PrunableWeight`, those that are skipped too.
            sparsity: Float in [0, 1).
        """


ALLOCATIONS.base = Allocation
