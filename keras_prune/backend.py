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
