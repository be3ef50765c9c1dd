"""The only file that asks which Keras backend runs."""

import contextlib

import keras
import numpy as np

from keras_prune import float_bits


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


def replicas():
    """Int. How many replicas of the model share the training step that runs here."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def sum_over_replicas(tensor):
    """The sum of a tensor over the replicas that share a step; each replica gets it."""
    if replicas() == 1:
        return tensor
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return tensor if context is None else context.all_reduce(tf.distribute.ReduceOp.SUM, tensor)


def to_numpy(variable):
    """The value of a variable as float32, whatever its own dtype."""
    # Cast here: JAX would compile a cast for every shape.
    with np.errstate(over="ignore"):
        return np.asarray(float_bits.values(variable), "float32")


def gradient_function(loss, count):
    """Make the function that differentiates a loss.

    Args:
        loss: Callable(values, batch) -> scalar tensor. Must not change any variable.
        count: Int. The first `count` values are differentiated, the others held.

    Returns:
        Callable(values, batch) -> list of `count` tensors, the gradients.
    """
    return _derivatives()[0](loss, count)


def hessian_product_function(loss, count):
    """Make the function that multiplies a loss's Hessian with a vector.

    Args:
        loss: Callable(values, batch) -> scalar tensor. Must not change any variable.
        count: Int. The Hessian is that of the first `count` values.

    Returns:
        Callable(values, vectors, batch) -> list of `count` tensors, the product H v.
    """
    return _derivatives()[1](loss, count)


def _tensorflow_gradient(loss, count):
    import tensorflow as tf

    def gradient(values, batch):
        values = [tf.convert_to_tensor(value) for value in values]
        kernels = values[:count]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(kernels)
            value = loss(values, batch)
        found = tape.gradient(value, kernels, unconnected_gradients="zero")
        return [tf.convert_to_tensor(array) for array in found]  # an Embedding's is sparse

    return gradient


def _tensorflow_hessian_product(loss, count):
    import tensorflow as tf

    gradient = _tensorflow_gradient(loss, count)

    def product(values, vectors, batch):
        values = [tf.convert_to_tensor(value) for value in values]
        kernels = values[:count]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(kernels)
            slopes = gradient(values, batch)
        found = tape.gradient(slopes, kernels, vectors, unconnected_gradients="zero")
        return [tf.convert_to_tensor(array) for array in found]

    return product


def _jax_gradient(loss, count):
    import jax

    return jax.jit(lambda values, batch: _jax_slopes(loss, count, values, batch)(values[:count]))


def _jax_hessian_product(loss, count):
    import jax

    def product(values, vectors, batch):
        slopes = _jax_slopes(loss, count, values, batch)
        return jax.jvp(slopes, (values[:count],), (vectors,))[1]

    return jax.jit(product)


def _jax_slopes(loss, count, values, batch):
    import jax

    return jax.grad(lambda kernels: loss([*kernels, *values[count:]], batch))


def _torch_gradient(loss, count):
    return lambda values, batch: _torch_slopes(loss, count, values, batch)[1]


def _torch_hessian_product(loss, count):
    import torch

    def product(values, vectors, batch):
        leaves, slopes = _torch_slopes(loss, count, values, batch, create_graph=True)
        # A loss that is linear in some kernel has a slope without history.
        curved = [(s, v) for s, v in zip(slopes, vectors, strict=True) if s.requires_grad]
        if not curved:
            return [torch.zeros_like(leaf) for leaf in leaves]
        slopes, vectors = zip(*curved, strict=True)
        return torch.autograd.grad(slopes, leaves, vectors, materialize_grads=True)

    return product


def _torch_slopes(loss, count, values, batch, create_graph=False):
    import torch

    leaves = [value.detach().requires_grad_() for value in values[:count]]
    others = [value.detach() for value in values[count:]]
    with torch.enable_grad():
        value = loss([*leaves, *others], batch)
        if not value.requires_grad:  # a constant
            return leaves, [torch.zeros_like(leaf) for leaf in leaves]
        slopes = torch.autograd.grad(
            value, leaves, create_graph=create_graph, materialize_grads=True
        )
    return leaves, slopes


_DERIVATIVES = {
    "tensorflow": (_tensorflow_gradient, _tensorflow_hessian_product),
    "jax": (_jax_gradient, _jax_hessian_product),
    "torch": (_torch_gradient, _torch_hessian_product),
}


def _derivatives():
    name = keras.backend.backend()
    if name not in _DERIVATIVES:
        raise ValueError(
            "Criteria that look at data differentiate the loss, which works on the Keras backends "
            f"{sorted(_DERIVATIVES)}. Received: backend={name!r}"
        )
    return _DERIVATIVES[name]
