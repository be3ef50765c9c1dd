"""Magnitude: small weights matter least."""

import numpy as np

from keras_prune.criteria.criterion import CRITERIA, Criterion


@CRITERIA.register("magnitude")
class Magnitude(Criterion):
    """Scores a weight by its absolute value, |w|.

    Pooled over a block this is the mean of the absolute values (L1). From
    [Han et al., 2015](https://arxiv.org/abs/1506.02626).

    Example:

    ```python
    kp.prune(model, 0.8, criterion=kp.Magnitude())
    ```
    """

    repeatable = True

    def score(self, weight):
        return np.abs(weight.numpy())
