"""ClusteredConv2D: a convolution whose filters share their windows."""

import keras
import numpy as np

from keras_prune.registry import PACKAGE


@keras.saving.register_keras_serializable(package=PACKAGE)
class ClusteredConv2D(keras.layers.Conv2D):
    """A `Conv2D` whose filters take their windows from a few for each input channel.

    Input channel c has `counts[c]` trainable windows, the centroids; an index says which of them
    filter n takes: kernel[:, :, c, n] = centroids[index[c, n]]. The gradient of a centroid is the
    sum of those of all filters that take it. A channel with a count of 0 is not read. The kernel
    is put together on every call, so training costs what that of a `Conv2D` does; a program that
    convolves each channel with its centroids alone, and then adds up by index, multiplies
    sum(counts) / (channels * filters) times as often. From
    [Li et al., 2019](https://arxiv.org/abs/1812.04368).

    `kp.cluster_kernels` puts such layers into a trained model, `kp.expand_clusters` makes
    `Conv2D` of them again. A program that loads a saved model with this layer must import
    `keras_prune.layers` before.

    Example:

    ```python
    layer = kp.ClusteredConv2D(64, 3, counts=[16, 64, 0])
    layer(np.ones((1, 8, 8, 3))).shape  # (1, 6, 6, 64)
    ```

    Args:
        filters: Int. Outputs.
        kernel_size: Int or tuple of two ints.
        counts: List of ints from 0 to `filters`, one for each input channel: its centroids.
        **kwargs: What `keras.layers.Conv2D` takes. The kernel's regularizer and constraint act on
            the centroids, of shape (sum(counts), *kernel_size). There are no groups.
    """

    def __init__(self, filters, kernel_size, counts, **kwargs):
        super().__init__(filters, kernel_size, **kwargs)
        counts = list(counts)
        whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in counts)
        if not whole or not all(0 <= n <= self.filters for n in counts) or not any(counts):
            raise ValueError(
                "Argument `counts` must be a list of ints from 0 to `filters`, not all of them 0. "
                f"Received: counts={counts}, filters={filters}"
            )
        if self.groups > 1 or self.lora_rank:
            raise ValueError(
                "`ClusteredConv2D` knows no groups of inputs and no LoRA. "
                f"Received: groups={self.groups}, lora_rank={self.lora_rank}"
            )
        self.counts = [int(n) for n in counts]

    def build(self, input_shape):
        axis = -1 if self.data_format == "channels_last" else 1
        if input_shape[axis] != len(self.counts):
            raise ValueError(
                "Argument `counts` must have one number for each input channel. "
                f"Received: input_shape={tuple(input_shape)}, {len(self.counts)} counts"
            )
        self.input_spec = keras.layers.InputSpec(min_ndim=4, axes={axis: len(self.counts)})
        self.compute_output_shape(input_shape)
        self.centroids = self.add_weight(
            name="centroids",
            shape=(sum(self.counts), *self.kernel_size),
            initializer=self._initial_centroids,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.index = self.add_weight(
            name="index",
            shape=(len(self.counts), self.filters),
            initializer=self._initial_index,
            dtype="int32",
            trainable=False,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def _initial_centroids(self, shape, dtype=None):
        """What the kernel's initializer makes of a kernel, one filter a centroid."""
        kernel = self.kernel_initializer((*shape[1:], len(self.counts), self.filters), dtype)
        windows = keras.ops.transpose(kernel, (2, 3, 0, 1))  # (channels, filters, *window)
        return keras.ops.concatenate([windows[c, :n] for c, n in enumerate(self.counts)])

    def _initial_index(self, shape, dtype=None):
        """The filters take the centroids of a channel in turn."""
        turns = np.arange(self.filters)
        rows, first = [], 0
        for count in self.counts:
            # Behind the last centroid stands a window of zeros.
            rows.append(first + turns % count if count else np.full(shape[1], sum(self.counts)))
            first += count
        return keras.ops.convert_to_tensor(np.stack(rows), dtype)

    @property
    def kernel(self):
        """Tensor (*kernel_size, channels, filters): the kernel of the `Conv2D` that is the same."""
        centroids = keras.ops.convert_to_tensor(self.centroids)
        table = keras.ops.concatenate([centroids, keras.ops.zeros_like(centroids[:1])])
        windows = keras.ops.take(table, self.index, axis=0)  # (channels, filters, *window)
        return keras.ops.transpose(windows, (2, 3, 0, 1))

    def enable_lora(self, *args, **kwargs):
        raise ValueError(
            "`ClusteredConv2D` knows no LoRA: its kernel has few weights as it is. "
            f"Received: layer={self.name}"
        )

    def save_own_variables(self, store):
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store):
        keras.layers.Layer.load_own_variables(self, store)

    def stock(self):
        """The stock `Conv2D` that does the same, with weights of its own."""
        config = self.get_config()
        del config["counts"]
        layer = keras.layers.Conv2D.from_config(config)
        layer.build(input_shape_of(self))
        layer.kernel.assign(self.kernel)
        if self.use_bias:
            layer.bias.assign(self.bias.value)
        return layer

    def get_config(self):
        return {**super().get_config(), "counts": list(self.counts)}


def input_shape_of(layer):
    """The shape that a built `Conv2D` can be built with again, as tuple."""
    channels = layer.kernel.shape[-2]
    last = layer.data_format == "channels_last"
    return (None, None, None, channels) if last else (None, channels, None, None)
