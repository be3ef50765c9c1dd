"""Which optimizer updates a weight, how fast, and whether it does so in this step."""

import keras

from keras_prune.optimizer_variables import host


def updater(optimizer, variable):
    """The optimizer that updates a variable; `MultiOptimizer` holds several."""
    inner = host(optimizer)
    if not hasattr(inner, "optimizers"):
        return inner
    return inner.optimizers[inner._var_to_optimizer_idx[inner._var_key(variable)]]


def learning_rate_of(single):
    """The learning rate of the running step, as float32 tensor."""
    return keras.ops.cast(single.learning_rate, "float32")


def updates_now(single):
    """Whether the running step updates weights: a bool tensor, or `True` for every step.

    An optimizer with `gradient_accumulation_steps` does so in the last of them only. Holds in
    gradient hooks and constraints, which come before Keras counts the step.
    """
    steps = single.gradient_accumulation_steps
    if not steps:
        return True
    return keras.ops.equal((single._iterations + 1) % steps, 0)


def where_updated(single, new, old):
    """`new` in a step that updates weights, `old` in one that does not."""
    now = updates_now(single)
    return new if now is True else keras.ops.where(now, new, old)
