"""Unstructured: every weight for itself."""

import numpy as np

from keras_prune.granularity.granularity import GRANULARITIES, Granularity


@GRANULARITIES.register("unstructured")
class Unstructured(Granularity):
    """Single weights: the finest shape, the least loss of accuracy.

    Example:

    ```python
    kp.prune(model, 0.9, granularity="unstructured")
    ```
    """

    def pool(self, scores, alive):
        return np.where(alive, scores, -np.inf), np.ones(scores.shape, np.int8)

    def expand(self, keep, shape):
        return keep.reshape(shape)
