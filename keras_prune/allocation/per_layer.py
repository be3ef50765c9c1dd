"""PerLayer: a table by regular expression."""

import re

from keras_prune.allocation.allocation import ALLOCATIONS, Allocation
from keras_prune.registry import check_sparsity


@ALLOCATIONS.register()
class PerLayer(Allocation):
    """Every layer gets the sparsity that a table says.

    A pattern is searched for in the path of the kernel as reports print it, for instance
    `"conv2d/kernel"` in `"sequential/conv2d/kernel"`; the first that is found counts. (Leave
    the model's own name out: Keras gives a loaded model another path.) The table alone says how
    much: leave the pruner's `sparsity` at its default. (It becomes the largest number of
    the table, and a schedule on its way to it takes every layer along in proportion.)

    Example:

    ```python
    kp.prune(model, None, allocation=kp.PerLayer({"conv2d/": 0.5, "dense": 0.9}))
    ```

    Args:
        table: Dict from regex strings to floats in [0, 1).
        default: Float in [0, 1) or `None`. For kernels that no pattern is found in; `None`
            leaves them dense. Defaults to `None`.
    """

    def __init__(self, table, default=None):
        if not isinstance(table, dict) or not table:
            raise ValueError(
                "Argument `table` must be a dict from regex strings to sparsities. "
                f"Received: table={table!r}"
            )
        for pattern in table:
            _check_pattern(pattern)
        self.table = {key: check_sparsity(f"table[{key!r}]", table[key]) for key in table}
        self.default = None if default is None else check_sparsity("default", default)

    @property
    def sparsity(self):
        """Float. The largest sparsity that the table gives to a layer."""
        return max(self.default or 0.0, *self.table.values(), 0.0)

    def check(self, weights, sparsity):
        paths = [weight.path for weight in weights]
        for pattern in self.table:
            if not any(re.search(pattern, path) for path in paths):
                raise ValueError(
                    f"A pattern of `PerLayer` is found in none of the kernels {paths}. "
                    f"Received: table={{{pattern!r}: {self.table[pattern]}}}"
                )

    def amounts(self, views, granularity, sparsity, weights=None):
        return self.asked(weights, sparsity)

    def asked(self, weights, sparsity):
        progress = sparsity / self.sparsity if self.sparsity else 0.0
        return [self._look_up(weight.path) * progress for weight in weights]

    def _look_up(self, path):
        for pattern, value in self.table.items():
            if re.search(pattern, path):
                return value
        return self.default or 0.0


def _check_pattern(pattern):
    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ValueError(
            f"A key of `table` is no regular expression ({error}). Received: {pattern!r}"
        ) from error
