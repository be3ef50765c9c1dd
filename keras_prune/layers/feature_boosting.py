"""FeatureBoosting: each sample computes only the channels that matter to it."""

import keras
import numpy as np
from keras import ops

from keras_prune import backend
from keras_prune.layers.winner_take_all import check_share
from keras_prune.registry import PACKAGE

_KINDS = (keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)


@keras.saving.register_keras_serializable(package=PACKAGE)
class FeatureBoosting(keras.layers.Wrapper):
    """Boosts the channels of a convolution that a sample needs and leaves the others out.

    What goes into the convolution predicts how salient each of its output channels will be, and
    only the share `density` of them, those with the largest predictions, are kept:

        s_c = mean_hw |x_c|,  g = relu(s phi + rho),  pi = g where g > theta, else 0
        y = activation(pi (norm(conv(x)) + beta))

    theta is the (k + 1)-th largest of a sample's g, k = ceil(density channels); norm is batch
    normalization without a factor. A channel whose pi is zero need not be computed, and its zeros
    need not be read by the layer behind: of the multiply-accumulates about the product of both
    densities is left, which `kp.cost` counts on data. The choice passes no gradient, the
    factors do. From [Gao et al., 2019](https://arxiv.org/abs/1810.05331).

    Training begins with all channels; `kp.FeatureBoostingSchedule` lowers the density.

    Example:

    ```python
    convolution = keras.layers.Conv2D(64, 3, padding="same", use_bias=False)
    x = kp.layers.FeatureBoosting(convolution, density=0.5)(x)
    ```

    A program that loads a saved model with this layer must import `keras_prune.layers` before.

    Args:
        layer: `Conv1D`, `Conv2D`, `Conv3D` or `Dense` without bias and activation.
        density: Float in (0, 1]. The share of the channels that are kept. A weight of the
            layer, so that what is saved remembers it. Defaults to `1.0`.
        penalty: Float >= 0. The loss grows by this times the sum of g, a mean over samples.
            Defaults to `1e-8`.
        activation: What `keras.layers.Activation` takes. Defaults to `"relu"`.
        gate_initializer: Initializer of phi; rho begins at 1. Defaults to a truncated normal
            distribution of deviation 0.05.
        beta_initializer: Initializer of beta. Defaults to the constant 0.1.
        **kwargs: What every Keras layer takes: `name`, `dtype`, `trainable`.

    Input shape: That of `layer`.

    Output shape: That of `layer`.
    """

    def __init__(
        self,
        layer,
        density=1.0,
        penalty=1e-8,
        activation="relu",
        gate_initializer=None,
        beta_initializer=None,
        **kwargs,
    ):
        if not isinstance(layer, _KINDS) or (layer.use_bias, layer.activation) != (
            False,
            keras.activations.linear,
        ):
            raise ValueError(
                "`FeatureBoosting` wraps a Dense or convolutional layer without bias and "
                "activation, which come behind the normalization. "
                f"Received: layer={getattr(layer, 'name', layer)!r}"
            )
        super().__init__(layer, **kwargs)
        number = isinstance(penalty, (int, float)) and not isinstance(penalty, bool)
        if not number or not 0.0 <= penalty < float("inf"):
            raise ValueError(f"Argument `penalty` must be a number >= 0. Received: {penalty=!r}")
        self._first_density = check_share("density", density, above_zero=True)
        self.penalty = float(penalty)
        self.activation = keras.activations.get(activation)
        self.gate_initializer = keras.initializers.get(
            gate_initializer or keras.initializers.TruncatedNormal(stddev=0.05)
        )
        self.beta_initializer = keras.initializers.get(
            beta_initializer or keras.initializers.Constant(0.1)
        )

    @property
    def density(self):
        """Float. The share of the channels that are kept; may be set, in training too."""
        if not self.built:
            return self._first_density
        return float(np.round(backend.to_numpy(self._density), 6))

    @density.setter
    def density(self, value):
        value = check_share("density", value, above_zero=True)
        if self.built:
            self._density.assign(value)
        else:
            self._first_density = value

    def build(self, input_shape):
        super().build(input_shape)
        first = getattr(self.layer, "data_format", None) == "channels_first"
        axis, rank = (1 if first else -1), len(input_shape)
        output_shape = self.layer.compute_output_shape(input_shape)
        self._channels = output_shape[axis]
        self._positions = tuple(n for n in range(1, rank) if n != axis % rank)
        shared = {"dtype": self.dtype_policy}
        self.gate = keras.layers.Dense(
            self._channels,
            activation="relu",
            kernel_initializer=self.gate_initializer,
            bias_initializer="ones",
            name="gate",
            **shared,
        )
        self.norm = keras.layers.BatchNormalization(
            axis, scale=False, beta_initializer=self.beta_initializer, name="norm", **shared
        )
        self.multiply = keras.layers.Multiply(name="multiply", **shared)
        self.activate = keras.layers.Activation(self.activation, name="activate", **shared)
        self.gate.build((None, input_shape[axis]))
        self.norm.build(output_shape)
        self._density = self.add_weight(
            name="density",
            shape=(),
            initializer=keras.initializers.Constant(self._first_density),
            trainable=False,
            dtype="float32",
        )

    def call(self, inputs, training=None):
        saliencies = ops.abs(inputs)
        if self._positions:
            saliencies = ops.mean(saliencies, axis=self._positions)
        gates = self.gate(saliencies)
        if self.penalty:
            self.add_loss(self.penalty * ops.mean(ops.sum(ops.cast(gates, "float32"), axis=-1)))
        factors = self._winners(gates)
        for axis in self._positions:
            factors = ops.expand_dims(factors, axis)
        outputs = self.norm(self.layer(inputs), training=training)
        return self.activate(self.multiply([outputs, factors]))

    def _winners(self, gates):
        scores = ops.stop_gradient(ops.cast(gates, "float32"))
        # 0.7 times 10 is 7 and no more.
        count = ops.cast(ops.ceil(self._density * self._channels - 1e-3), "int32")
        # Sorting would negate, which costs int8 files the scale: they would compare in another.
        descending = ops.top_k(scores, self._channels)[0]
        place = ops.minimum(count, self._channels - 1)
        theta = ops.expand_dims(ops.take(descending, place, axis=-1), -1)
        theta = ops.where(count >= self._channels, -1.0, theta)
        return ops.where(ops.cast(gates, "float32") > theta, gates, ops.zeros_like(gates))

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "density": self.density,
            "penalty": self.penalty,
            "activation": keras.activations.serialize(self.activation),
            "gate_initializer": keras.initializers.serialize(self.gate_initializer),
            "beta_initializer": keras.initializers.serialize(self.beta_initializer),
        }
