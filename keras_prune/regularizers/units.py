"""The units of a weight inside the compiled step: their norms, and factors for each."""

import keras
import numpy as np

from keras_prune.layer_views import view_shape


class Units:
    """The units that a granularity cuts a weight into, as tensor operations.

    Where every unit takes some axes of the weight whole (filters, channels, shapes ...), sums
    run over these axes; else over segments.

    Args:
        weight: `PrunableWeight`.
        granularity: `Granularity` with `pool` and `expand`.

    Attributes:
        sizes: Float32 array that broadcasts against the result of `norms`: the number of
            weights in each unit.
    """

    def __init__(self, weight, granularity):
        shape = view_shape(weight, granularity)
        index = np.asarray(weight.from_view(granularity.units(shape)))
        sizes = np.bincount(index.ravel())
        self.count, self.shape = sizes.size, weight.shape
        self.axes = _whole_axes(index, sizes.size)
        self.index = None if self.axes is not None else index.astype("int32")
        self.sizes = sizes.astype("float32")
        if self.axes is not None:
            self.sizes = self.sizes[:1]  # all the same

    def norms(self, value):
        """L2 norm of every unit.

        Args:
            value: Float tensor of the weight's shape.

        Returns:
            Float tensor: size 1 on the axes of a unit, or (units,). Its gradient at a unit of
            zeros is zero.
        """
        if self.axes == ():
            return value * keras.ops.stop_gradient(keras.ops.sign(value))
        squares = keras.ops.square(value)
        if self.axes is not None:
            sums = keras.ops.sum(squares, axis=self.axes, keepdims=True)
        else:
            flat = keras.ops.reshape(squares, (-1,))
            sums = keras.ops.segment_sum(flat, self.index.ravel(), num_segments=self.count)
        # The root has no slope at zero: there it must not see the zero, nor the gradient it.
        none = sums <= 0.0
        return keras.ops.where(none, 0.0, keras.ops.sqrt(keras.ops.where(none, 1.0, sums)))

    def spread(self, factors):
        """Numbers of units, shaped as `norms` does -> a tensor that broadcasts to the weight."""
        if self.axes is not None:
            return factors
        return keras.ops.take(factors, self.index)


def _whole_axes(index, count):
    """Axes that every unit takes whole, or `None` if units are no product of axes."""
    axes = tuple(axis for axis in range(index.ndim) if not np.diff(index, axis=axis).any())
    others = [size for axis, size in enumerate(index.shape) if axis not in axes]
    return axes if np.prod(others, dtype=int) == count else None


def at_least_float32(value):
    """A tensor in float32 where it has fewer bits."""
    value = keras.ops.convert_to_tensor(value)
    dtype = keras.backend.standardize_dtype(value.dtype)
    return keras.ops.cast(value, "float32") if dtype in ("float16", "bfloat16") else value
