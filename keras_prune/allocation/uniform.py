"""Uniform: the same in every layer."""

from keras_prune.allocation.allocation import ALLOCATIONS, Allocation


@ALLOCATIONS.register("uniform")
class Uniform(Allocation):
    """The same sparsity in every layer.

    Example:

    ```python
    kp.prune(model, 0.8, allocation="uniform")
    ```
    """

    def amounts(self, views, granularity, sparsity, weights=None):
        return [sparsity] * len(views)

    def asked(self, weights, sparsity):
        return [sparsity] * len(weights)
