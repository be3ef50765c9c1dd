"""SNIP: pruning at initialization by connection sensitivity."""

import numpy as np

from keras_prune.criteria.criterion import CRITERIA
from keras_prune.criteria.data_criterion import DataCriterion


@CRITERIA.register("snip")
class SNIP(DataCriterion):
    """Scores a weight by its share of the whole model's sensitivity, |w g| / sum |w g|.

    w g is the derivative of the loss with respect to a factor 1 on the weight. The largest
    shares stay; they sum to 1 over all kernels and do not change when the loss is scaled.
    From [Lee et al., 2019](https://arxiv.org/abs/1810.02340), equation 4 and algorithm 1:
    prune a model as it was initialized, on a mini-batch or more of training data, with
    `allocation="global"`, then train it from the same weights. Biases are not pruned.

    Example:

    ```python
    callback = kp.PruneCallback(
        sparsity=0.95,
        criterion="snip",
        allocation="global",
        schedule=kp.ConstantSparsity(begin_step=0, end_step=0),  # once, before the first step
        data=(x[:100], y[:100]),
    )
    model.fit(x, y, callbacks=[callback])
    ```

    Args:
        loss: Str, `keras.losses.Loss` or callable(y, y_pred). Defaults to what the model is
            compiled with.
        training: Bool. Whether layers work as in training. Defaults to `False`, as in the
            authors' code.
        batch_size: Int. Examples a batch, where `data` is a tuple of arrays. The mean of the
            gradients is that over all batches. Defaults to `32`.
    """

    def scores(self, weights, probe=None):
        gradients = probe.gradients(weights)
        effects = [np.abs(w.numpy() * g) for w, g in zip(weights, gradients, strict=True)]
        total = sum(effect.sum(dtype=np.float64) for effect in effects)
        return [effect / np.float32(total or 1.0) for effect in effects]
