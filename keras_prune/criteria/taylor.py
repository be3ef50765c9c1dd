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

    With `form="gates"` a unit is one gate that multiplies all its weights, and its score is
    the square of the gate's first-order effect, (sum of w dL/dw)^2, equation 9: weights whose
    effects cancel each other go together.

    Args:
        reduction: Str. `"scores"`: each batch has its own score, and these are averaged,
            mean((w g)^2), as in the paper. `"gradients"`: the gradients of all batches are
            averaged first, (w mean(g))^2. Defaults to `"scores"`.
        loss: Str, `keras.losses.Loss` or callable(y, y_pred). Defaults to what the model is
            compiled with.
        training: Bool. Whether layers work as in training. Defaults to `False`.
        batch_size: Int. Examples a batch, where `data` is a tuple of arrays. Defaults to `32`.
        form: Str. `"weights"`: the effects of a unit's weights are squared, then pooled.
            `"gates"`: they are added up, then squared. Both are the same for single weights.
            Defaults to `"weights"`.
    """

    def __init__(
        self, reduction="scores", loss=None, training=False, batch_size=32, form="weights"
    ):
        super().__init__(loss, training, batch_size)
        self.form = check_choice("form", form, ("weights", "gates"))
        self.reduction = check_choice("reduction", reduction, REDUCTIONS)

    @property
    def needs_units(self):
        return self.form == "gates"

    def scores(self, weights, probe=None, units=None):
        squares = {
            id(weight): np.square if units is None else _gates(units[index])
            for index, weight in enumerate(weights)
        }
        if self.reduction == "scores":
            return probe.gradients(weights, of=lambda w, g: squares[id(w)](w.numpy() * g))
        gradients = probe.gradients(weights)
        return [squares[id(w)](w.numpy() * g) for w, g in zip(weights, gradients, strict=True)]


def _gates(units):
    """Make the function that shares the squared sum of a unit out among its weights."""
    sizes = np.bincount(units.ravel())

    def square(effects):
        sums = np.bincount(units.ravel(), weights=effects.ravel())
        return (np.square(sums) / sizes)[units].astype(np.float32)

    return square
