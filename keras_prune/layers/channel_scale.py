"""ChannelScale: one factor a channel."""

import keras

from keras_prune import backend
from keras_prune.registry import PACKAGE


@keras.saving.register_keras_serializable(package=PACKAGE)
class ChannelScale(keras.layers.Layer):
    """Multiplies every channel by a trainable factor: y = x * gamma.

    Behind a layer without batch normalization the factors take the place of its `gamma`:
    `kp.SlimmingPenalty` draws them to zero and the criterion `"batch_norm_scale"` prunes the
    filters whose factors are small. From [Liu et al., 2017](https://arxiv.org/abs/1708.06519).

    A program that loads a saved model with this layer must import `keras_prune.layers` before.

    Example:

    ```python
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(20, 5),
            kp.ChannelScale(),
            keras.layers.ReLU(),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
    ```

    Args:
        axis: Int. The axis of the channels. Defaults to `-1`.
        gamma_initializer: Initializer of the factors. Defaults to `"ones"`.
        gamma_regularizer: Regularizer of the factors, or `None`. Defaults to `None`.
        gamma_constraint: Constraint of the factors, or `None`. Defaults to `None`.
        **kwargs: What every Keras layer takes: `name`, `dtype`, `trainable`.
    """

    scales_channels = True  # what looks for factors need not know this class

    def __init__(
        self,
        axis=-1,
        gamma_initializer="ones",
        gamma_regularizer=None,
        gamma_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(axis, int) or isinstance(axis, bool) or axis == 0:
            raise ValueError(
                f"Argument `axis` must be an int, and not 0, the batch. Received: axis={axis!r}"
            )
        self.axis = axis
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.gamma_regularizer = keras.regularizers.get(gamma_regularizer)
        self.gamma_constraint = keras.constraints.get(gamma_constraint)
        self.supports_masking = True

    def build(self, input_shape):
        rank = len(input_shape)
        if not -rank < self.axis < rank:
            raise ValueError(
                f"`ChannelScale` has no axis {self.axis} to scale. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError(
                "`ChannelScale` needs to know how many channels there are. "
                f"Received: input_shape={tuple(input_shape)}, axis={self.axis}"
            )
        self.gamma = self.add_weight(
            name="gamma",
            shape=(channels,),
            initializer=self.gamma_initializer,
            regularizer=self.gamma_regularizer,
            constraint=self.gamma_constraint,
        )
        self.input_spec = keras.layers.InputSpec(ndim=rank, axes={self.axis: channels})

    def call(self, inputs):
        shape = [1] * len(inputs.shape)
        shape[self.axis] = -1
        return inputs * keras.ops.reshape(self.gamma, shape)

    def compute_output_shape(self, input_shape):
        return input_shape

    def stock(self):
        """The stock `Rescaling` that does the same; its factors are constants."""
        gamma = backend.to_numpy(self.gamma)
        behind = [1] * (self.input_spec.ndim - 1 - self.axis % self.input_spec.ndim)
        scale = gamma.reshape(-1, *behind).tolist()
        return keras.layers.Rescaling(scale, name=self.name, dtype=self.dtype_policy)

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
            "gamma_regularizer": keras.regularizers.serialize(self.gamma_regularizer),
            "gamma_constraint": keras.constraints.serialize(self.gamma_constraint),
        }
