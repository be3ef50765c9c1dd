"""A shortcut that fits its input to another size without a weight."""

import keras
from keras import ops

from keras_prune.registry import PACKAGE


@keras.saving.register_keras_serializable(package=PACKAGE)
class ParameterFreeShortcut(keras.layers.Layer):
    """Fits a feature map to other sizes: every `strides`-th position, zeros for new channels.

    Channels that are too many are left out, the last ones first. This is the shortcut of option A
    in [He et al., 2015](https://arxiv.org/abs/1512.03385), section 4.2, also for blocks whose
    output is narrower than their input: it costs no weight and no multiplication, whatever
    the widths.

    Example:

    ```python
    y = keras.layers.Conv2D(24, 3, strides=2, padding="same")(x)
    y = keras.layers.Add()([y, kp.ParameterFreeShortcut(24, strides=2)(x)])
    ```

    Args:
        filters: Int. Channels of the output.
        strides: Int. Defaults to `1`.

    Input shape: Tensor (batch, rows, columns, channels).

    Output shape: Tensor (batch, ceil(rows / strides), ceil(columns / strides), filters).
    """

    def __init__(self, filters, strides=1, **kwargs):
        super().__init__(**kwargs)
        for name, value in (("filters", filters), ("strides", strides)):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(
                    f"Argument `{name}` must be an int >= 1. Received: {name}={value!r}"
                )
        self.channels, self.strides = filters, strides

    def build(self, input_shape):
        if len(input_shape) != 4 or input_shape[-1] is None:
            raise ValueError(
                "`ParameterFreeShortcut` needs inputs (batch, rows, columns, channels) with a "
                f"known number of channels. Received: input_shape={input_shape}"
            )

    def call(self, inputs):
        outputs = inputs[:, :: self.strides, :: self.strides, : self.channels]
        missing = self.channels - inputs.shape[-1]
        if missing <= 0:
            return outputs
        return ops.pad(outputs, [[0, 0], [0, 0], [0, 0], [0, missing]])

    def compute_output_shape(self, input_shape):
        batch, *sizes, _ = input_shape
        sizes = [None if size is None else -(-size // self.strides) for size in sizes]
        return (batch, *sizes, self.channels)

    def get_config(self):
        return {**super().get_config(), "filters": self.channels, "strides": self.strides}
