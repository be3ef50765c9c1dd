"""LossPenalty: a regularizer of the loss, on the kernels of a model that is built already."""

import keras

from keras_prune.regularizers import links
from keras_prune.regularizers.penalty import PENALTIES, Penalty
from keras_prune.targets import find_kernels


@PENALTIES.register()
class LossPenalty(Penalty):
    """Adds a Keras regularizer to the kernels of a model, for as long as it is attached.

    The penalty is part of the loss, as if the layers had been made with `kernel_regularizer`,
    and comes on top of one that they have. What is saved knows nothing of it. Gradient steps
    on it make weights small and never exactly zero; see `kp.ProximalL1` for that.

    Wherever the loss is compiled into a function of one's own, attach before.

    Example:

    ```python
    model.fit(x, y, callbacks=[kp.RegularizeCallback(keras.regularizers.L1(1e-4))])

    with kp.LossPenalty(kp.GroupLasso("filter", 1e-3)).attach(model):
        model.fit(x, y)
    ```

    Args:
        regularizer: `keras.regularizers.Regularizer`, such as `keras.regularizers.L1(1e-4)` or
            `kp.GroupLasso("filter")`, or what `keras.regularizers.get` understands.
    """

    def __init__(self, regularizer):
        self.regularizer = keras.regularizers.get(regularizer)
        if self.regularizer is None:
            raise ValueError(f"There is nothing to add. Received: regularizer={regularizer}")

    def get_config(self):
        return {"regularizer": keras.regularizers.serialize(self.regularizer)}

    def __repr__(self):
        return f"LossPenalty({type(self.regularizer).__name__})"

    def _check_optimizer(self, optimizer):
        """The loss has no need of an optimizer."""

    def _enter(self, filters, total_steps):
        self._links = self._penalties(filters)
        for variable, link in self._links:
            links.insert(variable, "regularizer", link)

    def _leave(self):
        for variable, link in self._links:
            links.remove(variable, "regularizer", link)

    def _penalties(self, filters):
        """List of pairs: a variable, and what it adds to the loss."""
        granularity = getattr(self.regularizer, "granularity", None)
        self.weights = find_kernels(self.model, filters, granularity)
        return [(weight.variable, Added(self._on(weight))) for weight in self.weights]

    def _on(self, weight):
        """The regularizer, told which axes of the kernel are which where it asks for it."""
        on = getattr(self.regularizer, "on", None)
        return self.regularizer if on is None else on(weight)


class Added:
    """A regularizer and the one that was there before."""

    def __init__(self, regularizer):
        self.regularizer = regularizer
        self.inner = None

    def __call__(self, value):
        penalty = self.regularizer(value)
        return penalty if self.inner is None else penalty + self.inner(value)
