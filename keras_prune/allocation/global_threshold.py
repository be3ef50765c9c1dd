"""Global: one threshold over all layers."""

import numpy as np

from keras_prune.allocation.allocation import ALLOCATIONS, Allocation
from keras_prune.allocation.survivors import survivors
from keras_prune.layer_views import shapes_of
from keras_prune.ranking import keep_best, keep_units
from keras_prune.registry import check_sparsity

_SCALES = {
    "none": None,
    "layer_l2": lambda scores: np.sqrt(np.sum(np.square(scores))),
    "layer_sum": np.sum,
    "layer_mean": np.mean,
    "layer_max": np.max,
}


@ALLOCATIONS.register("global")
class Global(Allocation):
    """One threshold over all layers: the weakest units of the whole model go.

    The total is exact; a layer's share depends on its scores. The best unit of every layer
    survives, so that no layer is cut through. Needs scores that compare between layers, as
    magnitudes do under one initialization scheme. Where they do not, `normalize` divides
    the scores of a layer by a number of the layer: the L2 norm, sum, mean or maximum of
    |score| over the weights that are left.

    Example:

    ```python
    kp.prune(model, 0.8, allocation="global")
    kp.prune(model, 0.9, allocation=kp.Global("layer_l2", min_kept=0.02))
    ```

    Args:
        normalize: Str. `"none"`, `"layer_l2"`, `"layer_sum"`, `"layer_mean"` or
            `"layer_max"`. Defaults to `"none"`.
        min_kept: Float in [0, 1). Fraction of its weights that every layer keeps, rounded
            up to whole units; at least one unit. Defaults to `0.0`.
    """

    def __init__(self, normalize="none", min_kept=0.0):
        if normalize not in _SCALES:
            raise ValueError(
                f"Argument `normalize` must be one of {list(_SCALES)}. "
                f"Received: normalize={normalize!r}"
            )
        self.normalize = normalize
        self.min_kept = check_sparsity("min_kept", min_kept)

    def check(self, weights, sparsity):
        if sparsity > 1.0 - self.min_kept + 1e-9:
            raise ValueError(
                "Every layer cannot keep more than what is left of all. Received: "
                f"sparsity={sparsity}, min_kept={self.min_kept}"
            )

    def amounts(self, views, granularity, sparsity, weights=None):
        if granularity.unit is not None:
            return self._streamed(views, granularity, sparsity)
        pairs = zip(shapes_of(granularity, views, weights), views, strict=True)
        pooled = [shape.pool(self._normalized(*view), view[1]) for shape, view in pairs]
        scores = [scores.ravel().copy() for scores, _ in pooled]
        sizes = [sizes.ravel() for _, sizes in pooled]
        totals = np.array([layer.sum() for layer in sizes])
        safe = np.zeros(len(views))
        if not granularity.expendable:
            safe[:] = [self._protect(*layer) for layer in zip(scores, sizes, strict=True)]
        keep = keep_units(np.concatenate(scores), np.concatenate(sizes), sparsity * totals.sum())
        ends = np.cumsum([layer.size for layer in scores])[:-1]
        kept = [layer[mask].sum() for layer, mask in zip(sizes, np.split(keep, ends), strict=True)]
        return list(1.0 - np.maximum(kept, safe) / totals)

    def _streamed(self, views, granularity, sparsity):
        """The same where all units have one size: of their scores, one layer is in memory."""
        safe = np.zeros(len(views))

        def protected(index):
            scores, alive = views[index]
            pooled, _ = granularity.pool(self._normalized(scores, alive), alive)
            pooled = pooled.ravel("K")
            if not granularity.expendable:
                safe[index] = self._protect_units(pooled)
            return pooled

        kept, units = survivors(lambda: map(protected, range(len(views))), sparsity)
        return list(1.0 - np.maximum(kept, safe) / units)

    def _protect_units(self, scores):
        """Lift the best units, all of one size, above all others; returns their number."""
        if self.min_kept == 0.0:
            scores[np.argmax(scores)] = np.inf
            return 1
        count = int(np.ceil(self.min_kept * scores.size))
        best = keep_best(scores, scores.size - count) & (scores > -np.inf)
        scores[best] = np.inf
        return np.count_nonzero(best)

    def _normalized(self, scores, alive):
        if self.normalize == "none":
            return scores
        left = np.abs(scores[alive], dtype=np.float64)
        scale = _SCALES[self.normalize](left) if left.size else 0.0
        return scores / scale if scale > 0.0 else scores

    def _protect(self, scores, sizes):
        """Lift the best units of a layer above all others; returns the weights they have."""
        if self.min_kept == 0.0:
            best = np.argmax(scores, keepdims=True)
        else:
            order = np.argsort(-scores, kind="stable")
            before = np.cumsum(sizes[order]) - sizes[order]
            best = order[before < self.min_kept * sizes.sum()]
            best = best[scores[best] > -np.inf]
        scores[best] = np.inf
        return sizes[best].sum()
