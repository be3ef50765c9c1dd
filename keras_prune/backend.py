"""The only file that asks which Keras backend runs."""

import contextlib

import keras
import numpy as np


def sync_state(model):
    """Bring the state of a running `fit()` back into the model's variables.

    JAX keeps the weights outside the model while an epoch runs. Every call costs one
    hand-over, so call it on the steps that change something, not on all.
    """
    if hasattr(model, "jax_state_sync"):
        model.jax_state_sync()


def optimizer_scope(optimizer):
    """Context in which a new variable of this optimizer is placed like its others."""
    if keras.backend.backend() == "tensorflow":
        return optimizer._distribution_strategy.scope()
    return contextlib.nullcontext()


def to_numpy(variable):
    """The value of a variable as float32, whatever its own dtype."""
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(variable, "float32")))


def loss_gradients(model, loss, x, y, variables):
    """Gradients of a loss, without training the model: dropout is off, nothing is updated.

    Args:
        model: Built `keras.Model`.
        loss: Callable(y_true, y_pred), as in `compile`. Its values are averaged.
        x: Array or structure of arrays (batch, ...). The model's inputs.
        y: Array or structure of arrays (batch, ...). The targets.
        variables: List of trainable `keras.Variable` of the model.

    Returns:
        List of float32 arrays of the variables' shapes; zeros where the loss does not depend
        on the variable.
    """
    gradients = _GRADIENTS[keras.backend.backend()](model, loss, x, y, variables)
    return [
        np.zeros(variable.shape, "float32") if gradient is None else to_numpy(gradient)
        for variable, gradient in zip(variables, gradients, strict=True)
    ]


def _mean_loss(loss, y, outputs):
    return keras.ops.mean(keras.ops.cast(loss(y, outputs), "float32"))


def _tensorflow_gradients(model, loss, x, y, variables):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        value = _mean_loss(loss, y, model(x, training=False))
    return tape.gradient(value, [variable.value for variable in variables])


def _jax_gradients(model, loss, x, y, variables):
    import jax

    state = [variable.value for variable in model.non_trainable_variables]
    others = {id(variable): variable.value for variable in model.trainable_variables}

    def value(values):
        given = others | {id(v): new for v, new in zip(variables, values, strict=True)}
        trainable = [given[id(variable)] for variable in model.trainable_variables]
        outputs, _ = model.stateless_call(trainable, state, x, training=False)
        return _mean_loss(loss, y, outputs)

    return jax.grad(value)([variable.value for variable in variables])


def _torch_gradients(model, loss, x, y, variables):
    import torch

    value = _mean_loss(loss, y, model(x, training=False))
    return torch.autograd.grad(value, [v.value for v in variables], allow_unused=True)


_GRADIENTS = {
    "tensorflow": _tensorflow_gradients,
    "jax": _jax_gradients,
    "torch": _torch_gradients,
}
