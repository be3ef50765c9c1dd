"""Unstructured: every weight for itself."""

import numpy as np

from keras_prune.float_bits import choose
from keras_prune.granularity.granularity import GRANULARITIES, Granularity
from keras_prune.ranking import keep_best, unit_count


@GRANULARITIES.register("unstructured")
class Unstructured(Granularity):
    """Single weights: the finest shape, the least loss of accuracy.

    Example:

    ```python
    kp.prune(model, 0.9, granularity="unstructured")
    ```
    """

    unit = 1

    def pool(self, scores, alive):
        scores = _floating(scores)
        pooled = scores.copy("K") if alive.all() else choose(scores, alive, -np.inf)
        return pooled, np.broadcast_to(1, scores.shape)

    def expand(self, keep, shape):
        return keep.reshape(shape)

    def select(self, scores, alive, sparsity):
        # Not raveled, as units are elsewhere: that would copy what is transposed in memory.
        pooled = scores if alive.all() else self.pool(scores, alive)[0]
        keep = keep_best(pooled, unit_count(sparsity * scores.size, 1, scores.size))
        return np.logical_and(keep, alive, out=keep)


def _floating(scores):
    return scores.astype(np.float64) if scores.dtype.kind in "iub" else scores
