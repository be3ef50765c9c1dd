"""Taylor: the squared change of the loss that a weight's removal makes."""

import numpy as np

from keras_prune.criteria.criterion import CRITERIA
from keras_prune.criteria.data_criterion import DataCriterion, check_choice
from keras_prune.criteria.sensitivity import REDUCTIONS


@CRITERIA.register("taylor")
class Taylor(DataCriterion):
    """Scores a weight by its squared first-order effect on the loss, (w dL/dw)^2.

    [Molchanov et al., 2019](https://arxiv.org/abs/1906.10771), equation 8, the sum over the
    weights of a unit: pooled over a block this is the mean of the squares, where
    `kp.Sensitivity` gives the mean of the absolute values.

    Example:

    ```python
    kp.prune(model, 0.8, criterion="taylor", granularity="1x4", data=(x, y))
    ```

    Args:
        reduction: Str. `"scores"`: each batch has its own score, and these are averaged,
            mean((w g)^2), as in the paper. `"gradients"`: the gradients of all batches are
            averaged first, (w mean(g))^2. Defaults to `"scores"`.
        loss: Str, `keras.losses.Loss` or callable(y, y_pred). Defaults to what the model is
            compiled with.
        training: Bool. Whether layers work as in training. Defaults to `False`.
        batch_size: Int. Examples a batch, where `data` is a tuple of arrays. Defaults to `32`.
    """

    def __init__(self, reduction="scores", loss=None, training=False, batch_size=32):
        super().__init__(loss, training, batch_size)
        self.reduction = check_choice("reduction", reduction, REDUCTIONS)

    def scores(self, weights, probe=None):
        if self.reduction == "scores":
            return probe.gradients(weights, of=lambda weight, g: np.square(weight.numpy() * g))
        gradients = probe.gradients(weights)
        return [np.square(w.numpy() * g) for w, g in zip(weights, gradients, strict=True)]
