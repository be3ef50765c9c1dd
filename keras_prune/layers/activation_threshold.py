"""ActivationThreshold: activations above one number pass, whatever the sample."""

import keras
from keras import ops

from keras_prune.registry import PACKAGE


@keras.saving.register_keras_serializable(package=PACKAGE)
class ActivationThreshold(keras.layers.Layer):
    """Sets activations to zero that are not above a fixed threshold, in absolute terms.

        y_j = a_j if |a_j| > threshold else 0

    The static twin of `kp.layers.WinnerTakeAll`: cheaper, but how many pass depends on the scale
    of every sample. The gradient passes where the activation does; NaN passes, to be seen. From
    [Yang et al., 2019](https://arxiv.org/abs/1906.07875).

    A program that loads a saved model with this layer must import `keras_prune.layers` before.

    Example:

    ```python
    x = keras.layers.Dense(300, activation="relu")(x)
    x = kp.layers.ActivationThreshold(0.07)(x)
    ```

    Args:
        threshold: Float >= 0. With `0` all pass.
        **kwargs: What every Keras layer takes: `name`, `dtype`.

    Input shape: Any.

    Output shape: The same.
    """

    masks_activations = True  # what counts activations looks behind it

    def __init__(self, threshold, **kwargs):
        super().__init__(**kwargs)
        number = isinstance(threshold, (int, float)) and not isinstance(threshold, bool)
        if not number or not 0.0 <= threshold < float("inf"):
            raise ValueError(
                f"Argument `threshold` must be a number >= 0. Received: threshold={threshold!r}"
            )
        self.threshold = float(threshold)
        self.supports_masking = True

    def call(self, inputs):
        loses = ops.abs(ops.cast(inputs, "float32")) <= self.threshold
        return ops.where(loses, ops.zeros_like(inputs), inputs)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}
