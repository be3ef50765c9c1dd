"""The only file that asks which Keras backend runs."""

import contextlib
import importlib

import keras
import numpy as np

from keras_prune import float_bits

DIFFERENTIATED = ("jax", "tensorflow", "torch")


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


def widest_integer():
    """The largest integer type of compiled steps, as str: JAX has no 64 bits unless asked to."""
    return "int32" if keras.backend.backend() == "jax" else "int64"


def sorts_fast():
    """Whether `top_k` is faster than counting again and again: on compilers it is not."""
    return keras.backend.backend() == "torch"


def compiled(function):
    """A function of tensors, compiled where Keras would run its operations one by one.

    Keras compiles steps on TensorFlow for accelerators alone. On processors that suits most
    operations, but not a loop over large tensors.
    """
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    if any(device.device_type != "CPU" for device in tf.config.list_physical_devices()):
        return function
    return tf.function(function, jit_compile=True, reduce_retracing=True)


def random_numbers_kept():
    """Context after which random numbers go on as if nothing had been drawn in it.

    On torch, layers draw from its global generator and not from a state of their own.
    """
    if keras.backend.backend() != "torch":
        return contextlib.nullcontext()
    import torch

    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    return torch.random.fork_rng(devices)


def nonzero_marks(tensor, eps=0.0):
    """Float32 tensor of a tensor's shape: 1 where it is above `eps` in absolute terms, else 0.

    NaN counts as zero. No gradient flows through it.
    """
    if keras.backend.backend() == "torch" and not eps and tensor.is_floating_point():
        # Twice as fast as comparing, which passes through single bytes.
        return tensor.detach().sign().abs_().float()
    return keras.ops.cast(keras.ops.greater(keras.ops.abs(tensor), eps), "float32")


def intercept_gradients(optimizer, run):
    """Let a function change every gradient that an optimizer gets.

    Args:
        optimizer: `keras.optimizers.Optimizer` that wraps no other.
        run: Callable(gradient, variable, scale) -> gradient. The gradient may be `None` and is
            `scale` times the true one; the variable comes as `seen_as` says.
    """
    kind = type(optimizer)
    if _replicas(optimizer) > 1:

        def reduced(pairs):
            pairs = kind._all_reduce_sum_gradients(optimizer, pairs)
            return [(run(gradient, variable, 1.0), variable) for gradient, variable in pairs]

        vars(optimizer)["_all_reduce_sum_gradients"] = reduced
        return

    def apply(grads, trainable_variables=None):
        if trainable_variables is not None:
            trainable_variables = list(trainable_variables)
        variables = trainable_variables or optimizer._trainable_variables
        scale = optimizer.loss_scale_factor or 1.0
        pairs = zip(grads, variables, strict=True)
        grads = [run(gradient, variable, scale) for gradient, variable in pairs]
        return kind.apply(optimizer, grads, trainable_variables)

    vars(optimizer)["apply"] = apply


def seen_as(optimizer, variable):
    """What `run` of `intercept_gradients` gets for a variable of the optimizer."""
    return variable.value if _replicas(optimizer) > 1 else variable


def release_gradients(optimizer):
    """Undo `intercept_gradients`."""
    vars(optimizer).pop("apply", None)
    vars(optimizer).pop("_all_reduce_sum_gradients", None)


def _replicas(optimizer):
    """How many replicas of a model share the steps of an optimizer, by `tf.distribute`."""
    strategy = getattr(optimizer, "_distribution_strategy", None)
    return 1 if strategy is None else strategy.num_replicas_in_sync


def to_numpy(variable):
    """The value of a variable as float32, whatever its own dtype."""
    # Cast here: JAX would compile a cast for every shape.
    with np.errstate(over="ignore"):
        return np.array(float_bits.values(variable), "float32")  # torch shares its memory


def gradient_function(loss, count):
    """Make the function that differentiates a loss.

    Args:
        loss: Callable(values, batch) -> scalar tensor. Must not change any variable.
        count: Int. The first `count` values are differentiated, the others held.

    Returns:
        Callable(values, batch) -> list of `count` tensors, the gradients.
    """
    return _derivatives().gradient_function(loss, count)


def hessian_product_function(loss, count):
    """Make the function that multiplies a loss's Hessian with a vector.

    Args:
        loss: Callable(values, batch) -> scalar tensor. Must not change any variable.
        count: Int. The Hessian is that of the first `count` values.

    Returns:
        Callable(values, vectors, batch) -> list of `count` tensors, the product H v.
    """
    return _derivatives().hessian_product_function(loss, count)


def jacobian_function(outputs, count):
    """Make the function that differentiates every output of a model.

    Args:
        outputs: Callable(values, inputs) -> tensor (outputs,). Must not change any variable.
        count: Int. The first `count` values are differentiated, the others held.

    Returns:
        Callable(values, inputs) -> list of `count` tensors (outputs, *shape of the value).
    """
    return _derivatives().jacobian_function(outputs, count)


def pullback(function, values, cotangent):
    """Gradients of the sum of `function(values) * cotangent`.

    Args:
        function: Callable(list of tensors) -> tensor. Must not change any variable.
        values: List of float tensors.
        cotangent: Tensor of the shape of the result.

    Returns:
        List of tensors of the shapes of the values.
    """
    return _derivatives().pullback(function, values, cotangent)


def _derivatives():
    name = keras.backend.backend()
    if name not in DIFFERENTIATED:
        raise ValueError(
            "Criteria that look at data differentiate the loss, which works on the Keras backends "
            f"{sorted(DIFFERENTIATED)}. Received: backend={name!r}"
        )
    return importlib.import_module(f"keras_prune.derivatives.on_{name}")
