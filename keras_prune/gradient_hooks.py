"""Functions that see, and may change, the gradient of a weight before it is applied.

A penalty adds a gradient of its own here, a statistic adds up what it sees. This runs inside
the compiled training step on every backend, in `fit` and in loops of one's own. A
`LossScaleOptimizer` has taken its scale away by then; clipping comes later, and so does the
mean of accumulated gradients.
"""

import keras

from keras_prune import backend
from keras_prune.optimizer_variables import host

_HOOKS = "_keras_prune_gradient_hooks"


def add(optimizer, variable, hook):
    """Let a hook see the gradient of one weight at every step.

    Args:
        optimizer: Built `keras.optimizers.Optimizer`.
        variable: `keras.Variable`, one of those that the optimizer trains.
        hook: Callable(gradient) -> gradient. Other variables that it reads or assigns must
            come from `optimizer_variables.add`: JAX takes all others for constants. Where
            several replicas share a step, it sees the sum of their gradients.
    """
    inner = host(optimizer)
    hooks = vars(inner).setdefault(_HOOKS, {})
    hooks.setdefault(id(variable), []).append(hook)
    vars(inner)["apply"] = _hooked(inner, hooks)


def remove(optimizer, variable, hook):
    """Take a hook away; without any the optimizer is as it was before `add`."""
    inner = host(optimizer)
    hooks = vars(inner).get(_HOOKS, {})
    if hook in hooks.get(id(variable), ()):
        hooks[id(variable)].remove(hook)
    if not any(hooks.values()):
        vars(inner).pop("apply", None)
        vars(inner).pop(_HOOKS, None)


def _hooked(optimizer, hooks):
    def apply(grads, trainable_variables=None):
        if trainable_variables is not None:
            trainable_variables = list(trainable_variables)
        variables = trainable_variables or optimizer._trainable_variables
        pairs = zip(grads, variables, strict=True)
        seen = [_run(optimizer, hooks.get(id(v), ()), gradient) for gradient, v in pairs]
        return type(optimizer).apply(optimizer, seen, trainable_variables)

    return apply


def _run(optimizer, hooks, gradient):
    if gradient is None or not hooks:
        return gradient
    scale = optimizer.loss_scale_factor or 1.0
    replicas = backend.replicas()
    before = keras.ops.convert_to_tensor(gradient) / scale  # an Embedding's may be sparse
    total = after = backend.sum_over_replicas(before)
    for hook in hooks:
        after = hook(after)
    if replicas == 1:
        return after * scale
    # Keras adds the replicas up once more: each brings its share of what the hooks changed.
    return (before + (after - total) / replicas) * scale
