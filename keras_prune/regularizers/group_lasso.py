"""Group lasso: whole units of a kernel are drawn to zero."""

import keras
import numpy as np

from keras_prune.granularity import Auto, Slices
from keras_prune.granularity import get as _granularity
from keras_prune.layer_views import view_shape
from keras_prune.registry import PACKAGE
from keras_prune.regularizers.penalty import check_strength
from keras_prune.regularizers.units import Units, at_least_float32
from keras_prune.weights import PrunableWeight


@keras.saving.register_keras_serializable(package=PACKAGE)
class GroupLasso(keras.regularizers.Regularizer):
    """Penalty on the L2 norms of units: filters, channels, shapes, blocks, whole layers.

        strength * sum over units G of sqrt(size of G) * ||w_G||

    The norm is not squared, so its gradient w_G / ||w_G|| does not fade as a unit gets small.
    A plain gradient step makes units small and never exactly zero: prune them afterwards, or
    use `kp.ProximalGroupLasso`. From [Wen et al., 2016](https://arxiv.org/abs/1608.03665),
    equation 4, and for the sizes [Yuan & Lin, 2006](
    https://doi.org/10.1111/j.1467-9868.2005.00532.x).

    Pass it to a layer as `kernel_regularizer`, or put it on the kernels of a model that is
    built already with `kp.RegularizeCallback` or `kp.LossPenalty`. The first sees only a
    tensor and takes the last axis for the outputs and the one before it for the inputs, as in
    `Dense` and `Conv`; the others know what the axes of each layer mean (transposed and
    grouped convolutions, `EinsumDense`, cells of recurrent layers) and leave the outputs of
    the model alone.

    Example:

    ```python
    keras.layers.Conv2D(32, 3, kernel_regularizer=kp.GroupLasso("filter", 1e-3))
    model.fit(x, y, callbacks=[kp.RegularizeCallback(kp.GroupLasso("channel", 1e-3))])
    ```

    Args:
        granularity: Str or `Granularity`. The units, see `kp.Pruner`. `"unstructured"` makes
            it the L1 penalty. `NM` is refused: which units compete is beyond a penalty.
            Defaults to `"filter"`.
        strength: Float >= 0. Defaults to `0.01`, as in Keras.
        scale_by_size: Bool. Whether a unit's norm counts sqrt(size) times, so that one strength
            suits units of any size. Defaults to `True`.

    Raises:
        ValueError: If an argument is wrong or, when called, the tensor has no such units.
    """

    def __init__(self, granularity="filter", strength=0.01, scale_by_size=True):
        self.granularity = check_units("granularity", granularity)
        self.strength = check_strength("strength", strength)
        self.scale_by_size = bool(scale_by_size)

    def __call__(self, x):
        return self.on(_plain_weight(x, self.granularity))(x)

    def on(self, weight):
        """The penalty for one kernel of a model.

        Args:
            weight: `PrunableWeight`.

        Returns:
            Callable(tensor of the weight's shape) -> scalar tensor.
        """
        units = Units(weight, self.granularity)
        factors = self.strength * unit_factors(units, self.scale_by_size)

        def penalty(value):
            value = keras.ops.convert_to_tensor(value)
            norms = units.norms(at_least_float32(value))
            total = keras.ops.sum(keras.ops.multiply(norms, factors))
            return keras.ops.cast(total, value.dtype)

        return penalty

    def get_config(self):
        return {
            "granularity": keras.saving.serialize_keras_object(self.granularity),
            "strength": self.strength,
            "scale_by_size": self.scale_by_size,
        }


def unit_factors(units, scale_by_size):
    """How often the norm of each unit counts: float32 array that broadcasts to the norms."""
    return np.sqrt(units.sizes) if scale_by_size else np.ones(1, "float32")


def check_units(name, identifier):
    """The granularity of that name, if its units alone decide."""
    granularity = _granularity(identifier)
    if isinstance(granularity, Auto):
        raise ValueError(
            f"{granularity!r} chooses a shape when it sees a layer, and a penalty must know its "
            f"units before: name the shape itself. Received: {name}={identifier!r}"
        )
    if granularity.sparsity is not None:
        raise ValueError(
            f"{granularity!r} lets units compete in windows, which a penalty cannot see: use "
            f"`kp.ADMM`. Received: {name}={identifier!r}"
        )
    return granularity


def _plain_weight(tensor, granularity):
    """A kernel (*window, inputs, outputs), as far as a tensor alone tells."""
    last = len(tensor.shape) - 1
    if last < 1:
        raise ValueError(
            f"A kernel has two axes or more: inputs and outputs. Received: shape={tensor.shape}"
        )
    weight = PrunableWeight(None, tensor, outputs=(last,), inputs=(last - 1,))
    if isinstance(granularity, Slices):
        reason = granularity.reason(len(view_shape(weight, granularity)))
        if reason:
            raise ValueError(
                f"{granularity!r} has no units in this kernel: {reason}. "
                f"Received: shape={tuple(tensor.shape)}"
            )
    return weight
