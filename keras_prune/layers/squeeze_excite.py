"""SqueezeExcite: channels weighted by what the whole map says of them."""

import keras
from keras import ops

from keras_prune.granularity.granularity import check_positive
from keras_prune.registry import PACKAGE


@keras.saving.register_keras_serializable(package=PACKAGE)
class SqueezeExcite(keras.layers.Layer):
    """Multiplies every channel by a factor between 0 and 1 that the sample itself decides.

        z_c = mean_hw x_c,  s = sigmoid(W2 relu(W1 z)),  y_c = s_c x_c

    From [Hu, Shen & Sun, 2018](https://arxiv.org/abs/1709.01507). No factor is zero, so nothing is
    saved at run time; `kp.layers.FeatureBoosting` leaves channels out.

    Example:

    ```python
    x = keras.layers.Conv2D(64, 3, activation="relu")(x)
    x = kp.layers.SqueezeExcite(ratio=16)(x)
    ```

    A program that loads a saved model with this layer must import `keras_prune.layers` before.

    Args:
        ratio: Int >= 1. How many times fewer units W1 has than there are channels, at least one.
            Defaults to `16`.
        activation: What `keras.layers.Dense` takes, between W1 and W2. Defaults to `"relu"`.
        gate_activation: The same behind W2. Defaults to `"sigmoid"`.
        data_format: Str. `"channels_last"` or `"channels_first"`. Defaults to Keras's own.
        **kwargs: What every Keras layer takes: `name`, `dtype`, `trainable`.

    Input shape: Tensor (batch, ..., channels), of rank 3 and more.

    Output shape: The same.
    """

    def __init__(
        self, ratio=16, activation="relu", gate_activation="sigmoid", data_format=None, **kwargs
    ):
        super().__init__(**kwargs)
        self.ratio = check_positive("ratio", ratio)
        self.activation = keras.activations.get(activation)
        self.gate_activation = keras.activations.get(gate_activation)
        self.data_format = keras.config.image_data_format() if data_format is None else data_format
        if self.data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                'Argument `data_format` must be "channels_last" or "channels_first". '
                f"Received: data_format={data_format!r}"
            )

    def build(self, input_shape):
        axis = -1 if self.data_format == "channels_last" else 1
        if len(input_shape) < 3 or input_shape[axis] is None:
            raise ValueError(
                "`SqueezeExcite` needs inputs (batch, ..., channels) with a known number of "
                f"channels. Received: input_shape={tuple(input_shape)}"
            )
        channels, rank = input_shape[axis], len(input_shape)
        self._positions = tuple(n for n in range(1, rank) if n != axis % rank)
        shared = {"dtype": self.dtype_policy}
        self.reduce = keras.layers.Dense(
            max(1, channels // self.ratio), activation=self.activation, name="reduce", **shared
        )
        self.expand = keras.layers.Dense(
            channels, activation=self.gate_activation, name="expand", **shared
        )
        self.multiply = keras.layers.Multiply(name="multiply", **shared)
        self.reduce.build((None, channels))
        self.expand.build((None, self.reduce.units))

    def call(self, inputs):
        factors = self.expand(self.reduce(ops.mean(inputs, axis=self._positions)))
        for axis in self._positions:
            factors = ops.expand_dims(factors, axis)
        return self.multiply([inputs, factors])

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "ratio": self.ratio,
            "activation": keras.activations.serialize(self.activation),
            "gate_activation": keras.activations.serialize(self.gate_activation),
            "data_format": self.data_format,
        }
