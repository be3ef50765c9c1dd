"""Proximal operators: steps on a penalty that end in exact zeros."""

import keras

from keras_prune.regularizers.group_lasso import check_units, unit_factors
from keras_prune.regularizers.penalty import PENALTIES, check_strength
from keras_prune.regularizers.post_step import PostStep
from keras_prune.regularizers.units import Units
from keras_prune.targets import find_kernels


@PENALTIES.register()
class ProximalL1(PostStep):
    """Shrinks every weight towards zero after each update, and stops there.

        w <- sign(w) * (|w| - learning_rate * strength)_+

    This is the proximal operator of strength * |w|, the step of
    [ISTA](https://doi.org/10.1137/080716542): plain SGD with it minimizes the loss plus the L1
    penalty, and weights become exactly zero, which gradient steps on the penalty never do. With
    other optimizers it is decoupled from their scaling of gradients, as the weight decay of
    AdamW is. The learning rate is the optimizer's at that step, and only steps that update
    weights count (`gradient_accumulation_steps`).

    Weights may come back from zero. A `kp.PruneCallback` beside it keeps them there.

    Example:

    ```python
    model.fit(x, y, callbacks=[kp.RegularizeCallback(kp.ProximalL1(1e-3))])
    print(kp.sparsity(model))
    ```

    Args:
        strength: Float >= 0. The factor of the L1 norm in the loss.
    """

    def __init__(self, strength):
        self.strength = check_strength("strength", strength)

    def _find(self, filters):
        return find_kernels(self.model, filters)

    def _operator(self, weight):
        return lambda value, learning_rate: soft_threshold(value, learning_rate * self.strength)


@PENALTIES.register()
class ProximalL2(PostStep):
    """Divides every weight by a number above 1 after each update.

        w <- w / (1 + 2 * learning_rate * strength)

    The proximal operator of strength * w^2: an implicit step on the L2 penalty, stable for any
    strength. Weights become small and never zero. For the rest see `kp.ProximalL1`.

    Example:

    ```python
    model.fit(x, y, callbacks=[kp.RegularizeCallback(kp.ProximalL2(1e-3))])
    ```

    Args:
        strength: Float >= 0. The factor of the squared L2 norm in the loss.
    """

    def __init__(self, strength):
        self.strength = check_strength("strength", strength)

    def _find(self, filters):
        return find_kernels(self.model, filters)

    def _operator(self, weight):
        return lambda value, learning_rate: value / (1.0 + 2.0 * learning_rate * self.strength)


@PENALTIES.register()
class ProximalGroupLasso(PostStep):
    """Shrinks the norm of every unit towards zero after each update, and stops there.

        w_G <- (1 - learning_rate * strength * sqrt(size of G) / ||w_G||)_+ w_G

    The proximal operator of `kp.GroupLasso` with the same arguments, see there for the units:
    filters, channels, shapes, blocks, layers become exactly zero as a whole. For the rest see
    `kp.ProximalL1`. From [Wen et al., 2016](https://arxiv.org/abs/1608.03665) and
    [Parikh & Boyd, 2014](https://doi.org/10.1561/2400000003), section 6.5.4.

    Example:

    ```python
    model.fit(x, y, callbacks=[kp.RegularizeCallback(kp.ProximalGroupLasso("filter", 1e-3))])
    ```

    Args:
        granularity: Str or `Granularity`. The units. Defaults to `"filter"`.
        strength: Float >= 0. Defaults to `0.01`.
        scale_by_size: Bool. Whether a unit's norm counts sqrt(size) times. Defaults to `True`.
    """

    def __init__(self, granularity="filter", strength=0.01, scale_by_size=True):
        self.granularity = check_units("granularity", granularity)
        self.strength = check_strength("strength", strength)
        self.scale_by_size = bool(scale_by_size)

    def _find(self, filters):
        return find_kernels(self.model, filters, self.granularity)

    def _operator(self, weight):
        units = Units(weight, self.granularity)
        factors = self.strength * unit_factors(units, self.scale_by_size)
        return lambda value, rate: group_soft_threshold(
            value, keras.ops.multiply(rate, factors), units
        )


def soft_threshold(value, threshold):
    """sign(v) * (|v| - threshold)_+, with +0.0 for its zeros."""
    shrunk = value - keras.ops.sign(value) * threshold
    gone = keras.ops.abs(value) <= threshold  # false for NaN, which must not pass for zero
    return keras.ops.where(gone, keras.ops.zeros_like(value), shrunk)


def group_soft_threshold(value, thresholds, units):
    """(1 - threshold / ||v_G||)_+ v_G for every unit G, with +0.0 for its zeros.

    Args:
        value: Float tensor.
        thresholds: Float tensor that broadcasts against `units.norms(value)`.
        units: `Units` of the value.
    """
    norms = units.norms(value)
    gone = norms <= thresholds
    factors = keras.ops.where(gone, 0.0, 1.0 - thresholds / keras.ops.where(gone, 1.0, norms))
    factors = units.spread(factors)
    return keras.ops.where(factors <= 0.0, keras.ops.zeros_like(value), value * factors)
