"""Operators on weights that run in the compiled step, right after the optimizer's update."""

import keras

from keras_prune import optimizer_variables
from keras_prune.regularizers import links
from keras_prune.regularizers.penalty import Penalty
from keras_prune.regularizers.units import at_least_float32
from keras_prune.regularizers.updates import learning_rate_of, updater, where_updated


class PostStep(Penalty):
    """Base class: changes a weight after every update of it.

    The operator works as a constraint on the kernel. It comes before the user's own
    constraint, which so holds in the end, and before masks, whose zeros stay. Subclasses write
    `_find` and `_operator`.
    """

    def _find(self, filters):
        """List of `PrunableWeight` to act on."""
        raise NotImplementedError(f"`{type(self).__name__}` must implement `_find`.")

    def _operator(self, weight):
        """Callable(float32 tensor, learning rate) -> tensor, for one weight."""
        raise NotImplementedError(f"`{type(self).__name__}` must implement `_operator`.")

    def _enter(self, filters, total_steps):
        self.weights = self._find(filters)
        self._links = [
            PostStepConstraint(self._operator(weight), updater(self.optimizer, weight.variable))
            for weight in self.weights
        ]
        for weight, link in zip(self.weights, self._links, strict=True):
            links.insert(weight.variable, "constraint", link, below=(PostStepConstraint,))

    def _leave(self):
        for weight, link in zip(self.weights, self._links, strict=True):
            links.remove(weight.variable, "constraint", link)

    def end_epoch(self, logs):
        self._project_averages()
        return {}

    def _project_averages(self):
        """Take the zeros of the weights over into their moving averages.

        An average remembers what a weight was before the operator. (`SwapEMAWeights` may have
        swapped the two: zero in either is zero in both.)
        """
        averages = optimizer_variables.averages(self.optimizer)
        for weight in self.weights:
            average = averages.get(id(weight.variable))
            if average is not None:
                pair = (weight.variable, average)
                zero = keras.ops.logical_or(*(keras.ops.equal(v.value, 0.0) for v in pair))
                for variable in pair:
                    zeros = keras.ops.zeros_like(variable.value)
                    variable.assign(keras.ops.where(zero, zeros, variable.value))


class PostStepConstraint:
    """Runs an operator on a weight where the step has updated it, then what stood below.

    Args:
        operator: Callable(float32 tensor, learning rate) -> tensor.
        optimizer: `keras.optimizers.Optimizer` that updates the weight.
    """

    def __init__(self, operator, optimizer):
        self.operator = operator
        self.optimizer = optimizer
        self.inner = None

    def __call__(self, value):
        value = keras.ops.convert_to_tensor(value)
        new = self.operator(at_least_float32(value), learning_rate_of(self.optimizer))
        value = where_updated(self.optimizer, keras.ops.cast(new, value.dtype), value)
        return value if self.inner is None else self.inner(value)
