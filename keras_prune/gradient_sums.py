"""Sums, over the steps of a training, of what gradients say about weights."""

import keras

from keras_prune import backend, gradient_hooks, optimizer_variables


class GradientSums:
    """Adds up one term a weight and step, inside the compiled training step.

    Args:
        weights: List of `PrunableWeight`.
        optimizer: Built `keras.optimizers.Optimizer`.
        term: Callable(value, gradient) -> tensor of the weight's shape. The value is that of
            the weight before the step, with what is hidden of it.
    """

    def __init__(self, weights, optimizer, term):
        self.weights = weights
        self.optimizer = optimizer
        kernels = [weight.variable for weight in weights]
        self.variables = optimizer_variables.add(optimizer, kernels, "zeros")
        pairs = zip(weights, self.variables, strict=True)
        self._hooks = [_hook(weight, total, term) for weight, total in pairs]
        for kernel, hook in zip(kernels, self._hooks, strict=True):
            gradient_hooks.add(optimizer, kernel, hook)

    def values(self):
        """The sums so far, a list of float32 arrays."""
        return [backend.to_numpy(variable) for variable in self.variables]

    def detach(self):
        """Give the optimizer back as it was."""
        for weight, hook in zip(self.weights, self._hooks, strict=True):
            gradient_hooks.remove(self.optimizer, weight.variable, hook)
        optimizer_variables.remove(self.optimizer, self.variables)

    def state(self):
        """The sums as dict of arrays."""
        return {f"sum/{index}": array for index, array in enumerate(self.values())}

    def restore(self, state):
        """Take the sums from what `state` returned."""
        for index, variable in enumerate(self.variables):
            variable.assign(state[f"sum/{index}"])


def _hook(weight, total, term):
    def hook(gradient):
        value = keras.ops.convert_to_tensor(weight.variable)
        if weight.hidden is not None:
            value = value + keras.ops.convert_to_tensor(weight.hidden)
        total.assign(total + keras.ops.cast(term(value, gradient), total.dtype))
        return gradient

    return hook
