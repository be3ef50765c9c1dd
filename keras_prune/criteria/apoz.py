"""APoZ: outputs that are zero most of the time matter least."""

import warnings

import numpy as np

from keras_prune.analysis.unit_zeros import MAKES_OUTPUTS, count_unit_zeros, unit_activations
from keras_prune.batches import check_data, inputs_of, labelled
from keras_prune.criteria.criterion import CRITERIA, Criterion, spread
from keras_prune.criteria.data_criterion import check_positive


@CRITERIA.register("apoz")
class APoZ(Criterion):
    """Scores a filter by how often its activations are not zero: 1 - APoZ.

    The average percentage of zeros of filter c is

        APoZ_c = sum over examples and positions of 1[a_c = 0] / (examples * positions)

    for the activations a behind the first non-linearity that follows the layer, before any
    pooling, as `kp.cost` has them: the mean of the scores of a layer is its
    `activation_density`. Zeros are counted in integers over all of the data, so the batches do
    not matter. From [Hu et al., 2016](https://arxiv.org/abs/1607.03250), which prunes what is
    more than a standard deviation above the mean of its layer, see `kp.Threshold`.

    Layers that no non-linearity follows alone are skipped, and so are those that make the
    model's outputs, where others can be pruned.

    Example:

    ```python
    kp.prune(model, 0.5, criterion="apoz", granularity="filter", data=x)
    ```

    Args:
        eps: Float >= 0. Activations with |a| <= eps count as zero. A leaky ReLU, a sigmoid or
            a GELU makes no zeros but small numbers. Defaults to `0.0`.
        batch_size: Int. Examples a batch, where `data` are arrays. Defaults to `32`.
    """

    needs_data = True
    scores_outputs = True

    def __init__(self, eps=0.0, batch_size=32):
        number = isinstance(eps, (int, float)) and not isinstance(eps, bool)
        if not number or not 0.0 <= eps < float("inf"):
            raise ValueError(f"Argument `eps` must be a finite number >= 0. Received: eps={eps!r}")
        self.eps = eps
        self.batch_size = check_positive("batch_size", batch_size)

    def check_data(self, data):
        if data is None:
            raise ValueError(
                f"Criterion {self!r} looks at data: pass `data`, an array x, a tuple of arrays "
                "(x, y) or an iterable of batches (x, y); labels are not read. Received: data=None"
            )
        check_data(labelled(data))

    def skip(self, model, weights, data):
        x = next(inputs_of(data, 1))
        reasons = [reason for _, reason in unit_activations(model, weights, x)]
        spare = any(reason is None for reason in reasons)  # else the outputs are all there is
        return {
            id(weight): reason
            for weight, reason in zip(weights, reasons, strict=True)
            if reason is not None and (spare or reason != MAKES_OUTPUTS)
        }

    def probe(self, model, data):
        def count(weights):
            return count_unit_zeros(model, weights, inputs_of(data, self.batch_size), self.eps)

        return count

    def scores(self, weights, probe=None):
        counts = probe(weights)
        busy = [w.path for w, (zeros, _) in zip(weights, counts, strict=True) if not zeros.any()]
        if busy:
            warnings.warn(
                "No activation of a layer is zero, so its filters all score the same: pass `eps`, "
                f"or leave the layer out through `filters`. Received: eps={self.eps} for {busy}",
                stacklevel=2,
            )
        return [
            spread(weight, (total - zeros) / np.float64(total))
            for weight, (zeros, total) in zip(weights, counts, strict=True)
        ]
