"""The learning rate of an optimizer, which pruning in rounds scales."""

import keras


def check(optimizer):
    """Refuse an optimizer whose learning rate follows a schedule or function of its own."""
    for single in _optimizers(optimizer):
        if not isinstance(single._learning_rate, keras.Variable):
            kind = type(single._learning_rate).__name__
            raise ValueError(
                "`learning_rate_factor` needs an optimizer with a number for its learning rate, "
                f"not one that follows from the step. Received: learning_rate={kind}"
            )


def scale(optimizer, factor):
    """Multiply the learning rate, where training reads it on every backend.

    Args:
        optimizer: `keras.optimizers.Optimizer` that `check` let pass.
        factor: Float.
    """
    for single in _optimizers(optimizer):
        single.learning_rate = float(keras.ops.convert_to_numpy(single.learning_rate)) * factor


def _optimizers(optimizer):
    """Those that update weights: `LossScaleOptimizer` and `MultiOptimizer` wrap them."""
    while hasattr(optimizer, "inner_optimizer"):
        optimizer = optimizer.inner_optimizer
    return getattr(optimizer, "optimizers", [optimizer])
