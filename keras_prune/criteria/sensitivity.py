"""Sensitivity: weights whose removal moves the loss least matter least."""

import numpy as np

from keras_prune.criteria.criterion import CRITERIA
from keras_prune.criteria.data_criterion import DataCriterion, check_choice

REDUCTIONS = ("gradients", "scores")


@CRITERIA.register("sensitivity")
class Sensitivity(DataCriterion):
    """Scores a weight by what its removal does to the loss, to first order: |w dL/dw|.

    The static masks of JPNet ([Yang et al., 2019](https://arxiv.org/abs/1906.07875)). Scores
    compare between layers, so `allocation="global"` has a meaning without a normalization.
    Near a minimum the mean gradient is near zero and tells little: use
    `reduction="scores"` there, or a criterion of second order.

    Example:

    ```python
    kp.prune(model, 0.8, criterion=kp.Sensitivity(), data=(x, y), allocation="global")
    ```

    Args:
        reduction: Str. `"gradients"`: the gradients of all batches are averaged, then
            multiplied, |w mean(g)|. `"scores"`: each batch has its own score, and these
            are averaged, mean(|w g|). Defaults to `"gradients"`.
        loss: Str, `keras.losses.Loss` or callable(y, y_pred). Defaults to what the model is
            compiled with.
        training: Bool. Whether layers work as in training. Defaults to `False`.
        batch_size: Int. Examples a batch, where `data` is a tuple of arrays. Defaults to `32`.
    """

    def __init__(self, reduction="gradients", loss=None, training=False, batch_size=32):
        super().__init__(loss, training, batch_size)
        self.reduction = check_choice("reduction", reduction, REDUCTIONS)

    def scores(self, weights, probe=None):
        if self.reduction == "scores":
            return probe.gradients(weights, of=lambda weight, g: np.abs(weight.numpy() * g))
        gradients = probe.gradients(weights)
        return [np.abs(w.numpy() * g) for w, g in zip(weights, gradients, strict=True)]
