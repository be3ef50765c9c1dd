"""How much of each layer: one sparsity for all, or one threshold over all."""

import numpy as np

from keras_prune.granularity import keep_units
from keras_prune.registry import Configurable, Registry

ALLOCATIONS = Registry("allocation")


class Allocation(Configurable):
    """Base class: shares a sparsity out among the layers."""

    def amounts(self, views, granularity, sparsity):
        """Sparsity of every layer.

        Args:
            views: List with one pair (scores, alive) a layer, arrays (outputs, positions,
                inputs) as `Granularity.pool` takes them.
            granularity: `Granularity`.
            sparsity: Float in [0, 1). What all layers together must reach.

        Returns:
            List of floats, one a layer.
        """
        raise NotImplementedError(f"`{type(self).__name__}` must implement `amounts`.")


ALLOCATIONS.base = Allocation


@ALLOCATIONS.register("uniform")
class Uniform(Allocation):
    """The same sparsity in every layer.

    Example:

    ```python
    kp.prune(model, 0.8, allocation="uniform")
    ```
    """

    def amounts(self, views, granularity, sparsity):
        return [sparsity] * len(views)


@ALLOCATIONS.register("global")
class Global(Allocation):
    """One threshold over all layers: the weakest units of the whole model go.

    The total is exact; a layer's share depends on its scores. The best unit of every layer
    survives, so that no layer is cut through. Needs scores that compare between layers, as
    magnitudes do under one initialization scheme.

    Example:

    ```python
    kp.prune(model, 0.8, allocation="global")
    ```
    """

    def amounts(self, views, granularity, sparsity):
        pooled = [granularity.pool(scores, alive) for scores, alive in views]
        scores = [scores.ravel().copy() for scores, _ in pooled]
        sizes = [sizes.ravel() for _, sizes in pooled]
        totals = np.array([layer.sum() for layer in sizes])
        for layer in scores:
            layer[np.argmax(layer)] = np.inf
        keep = keep_units(np.concatenate(scores), np.concatenate(sizes), sparsity * totals.sum())
        ends = np.cumsum([layer.size for layer in scores])[:-1]
        kept = [layer[mask].sum() for layer, mask in zip(sizes, np.split(keep, ends), strict=True)]
        return list(1.0 - np.array(kept) / totals)
