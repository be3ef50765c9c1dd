"""Functions that see, and may change, the gradient of a weight before it is applied.

A penalty adds a gradient of its own here, a statistic adds up what it sees. This runs inside
the compiled training step on every backend, in `fit` and in loops of one's own. A
`LossScaleOptimizer` has taken its scale away by then; clipping comes later, and so does the
mean of accumulated gradients. (Where several replicas share a step, gradients are clipped and
accumulated first: only then does Keras add the replicas up.)
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
    if _HOOKS not in vars(inner):
        vars(inner)[_HOOKS] = {}
        backend.intercept_gradients(inner, _runner(vars(inner)[_HOOKS]))
    key = id(backend.seen_as(inner, variable))
    vars(inner)[_HOOKS].setdefault(key, []).append(hook)


def remove(optimizer, variable, hook):
    """Take a hook away; without any the optimizer is as it was before `add`."""
    inner = host(optimizer)
    hooks = vars(inner).get(_HOOKS, {})
    key = id(backend.seen_as(inner, variable))
    if hook in hooks.get(key, ()):
        hooks[key].remove(hook)
    if not any(hooks.values()):
        backend.release_gradients(inner)
        vars(inner).pop(_HOOKS, None)


def _runner(hooks):
    def run(gradient, variable, scale):
        found = hooks.get(id(variable), ())
        if gradient is None or not found:
            return gradient
        gradient = keras.ops.convert_to_tensor(gradient) / scale  # an Embedding's may be sparse
        for hook in found:
            gradient = hook(gradient)
        return gradient * scale

    return run
