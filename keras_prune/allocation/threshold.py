"""Threshold: sparsity follows from the spread of the weights, or of their scores."""

import numpy as np

from keras_prune.allocation.allocation import ALLOCATIONS, Allocation
from keras_prune.layer_views import shapes_of


@ALLOCATIONS.register("threshold")
class Threshold(Allocation):
    """Each layer loses the weights below a threshold of its own.

    The threshold is c * std(w) from [Han et al., 2015](https://arxiv.org/abs/1506.02626),
    or mean(|w|) + c * std(|w|). It is computed at every update over all weights of the
    kernel, pruned ones too: training that moves weights below it makes the layer sparser at
    the next update, and pruning twice without training changes nothing under Han's rule
    where weights are spread around zero.

    The sparsity follows from the threshold. The pruner's `sparsity`, and with it the
    schedule, is a ceiling that no layer goes beyond: set it high (`0.99`) for the threshold
    to decide alone. The report counts as asked what the threshold asked at the last update.

    With the criterion `"magnitude"` and single weights exactly the weights below the
    threshold go. Other criteria and shapes prune as many, by their own scores.

    With `of="scores"` it is the criterion's scores that are compared, pooled over the units of
    the granularity, those that are left: exactly the units below center + c * std go. Network
    trimming ([Hu et al., 2016](https://arxiv.org/abs/1607.03250)) prunes the filters whose
    `kp.APoZ` is more than a standard deviation above the mean, which is a score more than one
    below it: `kp.Threshold(-1.0, "mean", of="scores")`. Every update looks at what is left and
    prunes anew, so take a schedule of few updates, `kp.OneShot` or `kp.Iterative`.

    Example:

    ```python
    kp.prune(model, 0.99, allocation=kp.Threshold(1.0))
    kp.prune(model, 0.99, allocation=kp.Threshold(0.5, center="mean"))
    kp.prune(
        model,
        0.99,
        criterion="apoz",
        granularity="filter",
        allocation=kp.Threshold(-1.0, "mean", of="scores"),
        data=x,
    )
    ```

    Args:
        c: Float. Standard deviations from the center. Defaults to `1.0`.
        center: Str. `"zero"`: c * std(w). `"mean"`: mean(|w|) + c * std(|w|). Defaults to
            `"zero"`.
        of: Str. `"weights"`: the threshold is that of the weights, as above. `"scores"`: that
            of the units' scores s, c * std(s) or mean(s) + c * std(s), signs and all. Defaults
            to `"weights"`.
    """

    ceiling = True

    def __init__(self, c=1.0, center="zero", of="weights"):
        if not isinstance(c, (int, float)) or isinstance(c, bool) or not np.isfinite(c):
            raise ValueError(f"Argument `c` must be a finite number. Received: c={c}")
        if center not in ("zero", "mean"):
            raise ValueError(
                f'Argument `center` must be "zero" or "mean". Received: center={center!r}'
            )
        if of not in ("weights", "scores"):
            raise ValueError(f'Argument `of` must be "weights" or "scores". Received: of={of!r}')
        self.c = c
        self.center = center
        self.of = of

    def threshold(self, values):
        """The magnitude below which weights go.

        Args:
            values: Float array. The weights of one kernel.

        Returns:
            A float.
        """
        values = np.asarray(values, np.float64)
        if self.center == "zero":
            return float(self.c * values.std())
        magnitudes = np.abs(values)
        return float(magnitudes.mean() + self.c * magnitudes.std())

    def amounts(self, views, granularity, sparsity, weights=None):
        if self.of == "weights":
            return [min(sparsity, self._fraction(weight.numpy())) for weight in weights]
        pairs = zip(shapes_of(granularity, views, weights), views, strict=True)
        return [min(sparsity, self._below(*shape.pool(*view))) for shape, view in pairs]

    def _fraction(self, values):
        return float(np.mean(np.abs(values) < self.threshold(values)))

    def _below(self, scores, sizes):
        """The fraction of the weights in units below the threshold; pruned ones score -inf."""
        left = scores[scores > -np.inf].astype(np.float64)
        if not left.size:
            return 1.0
        center = left.mean() if self.center == "mean" else 0.0
        # Units that all score the same differ by rounding alone.
        threshold = center + self.c * left.std() - 1e-12 * np.abs(left).max()
        return float(sizes[scores < threshold].sum() / sizes.sum())
