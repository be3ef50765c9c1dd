"""WinnerTakeAll: of every sample's activations only the largest pass."""

import functools
import math

import keras
import numpy as np
from keras import ops

from keras_prune import backend
from keras_prune.granularity.granularity import check_positive
from keras_prune.registry import PACKAGE

# Integers of a float's size, and infinity's bit pattern.
_PATTERNS = {
    "float16": ("int16", 0x7C00),
    "bfloat16": ("int16", 0x7F80),
    "float32": ("int32", 0x7F800000),
}


@keras.saving.register_keras_serializable(package=PACKAGE)
class WinnerTakeAll(keras.layers.Layer):
    """Lets the largest activations of every sample pass and sets the others to zero.

    Of the n activations of a sample, k = round(rate n) win, by absolute value:

        y_j = a_j if |a_j| > theta else 0, theta the (k + 1)-th largest |a|

    which is the Euclidean projection on k activations that are not zero. The threshold is another
    one for every sample, in training and in inference alike; the gradient passes through the
    winners alone. Activations that equal the threshold lose, so that with ties, and where fewer
    than k are not zero, fewer than k pass. NaN passes, to be seen. From [Yang et al.,
    2019](https://arxiv.org/abs/1906.07875).

    With `sample=0.1` the threshold is predicted from a tenth of the activations: theta is the
    (round(0.1 k) + 1)-th largest among them, and about k pass. Which activations are looked at is
    drawn once, by `seed`.

    It stands behind the non-linearity, or takes its place:

    Example:

    ```python
    x = keras.layers.Dense(300, activation="relu")(x)
    x = kp.layers.WinnerTakeAll(0.12)(x)

    x = keras.layers.Dense(300, activation=kp.layers.WinnerTakeAll(0.12, activation="relu"))(x)
    ```

    A program that loads a saved model with this layer must import `keras_prune.layers` before.

    Args:
        rate: Float in [0, 1]. The share of the activations that wins. With `1` all pass.
        sample: Float in (0, 1] or `None`. The share of the activations that the threshold is
            predicted from. Defaults to `None`: all of them, exactly.
        seed: Int >= 0 or `None`. What the sample is drawn by. Defaults to one drawn from numpy's
            global generator, which the layer's config holds.
        groups: Int >= 1. Neighbouring channels form so many groups, and in each the share `rate`
            wins. Defaults to `1`: all channels together.
        axis: Int. The axis of the channels, for `groups`. Defaults to `-1`.
        activation: What `keras.layers.Dense` takes. Applied first. Defaults to `None`.
        **kwargs: What every Keras layer takes: `name`, `dtype`.

    Input shape: Tensor (batch, ...) of any rank from 2 on, sizes known but for the batch.

    Output shape: The same.
    """

    masks_activations = True  # what counts activations looks behind it

    def __init__(self, rate, sample=None, seed=None, groups=1, axis=-1, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = check_share("rate", rate)
        self.sample = None if sample is None else check_share("sample", sample, above_zero=True)
        if seed is not None and (not _is_int(seed) or seed < 0):
            raise ValueError(f"Argument `seed` must be an int >= 0. Received: seed={seed!r}")
        check_positive("groups", groups)
        if not _is_int(axis) or axis == 0:
            raise ValueError(
                f"Argument `axis` must be an int, and not 0, the batch. Received: axis={axis!r}"
            )
        self.seed = int(np.random.randint(2**31)) if seed is None and sample is not None else seed
        self.groups, self.axis = groups, axis
        self.activation = keras.activations.get(activation)
        self.supports_masking = True

    def build(self, input_shape):
        sizes = input_shape[1:]
        if not sizes or None in sizes:
            raise ValueError(
                "`WinnerTakeAll` counts the activations of a sample: it needs inputs of known "
                f"sizes, (batch, ...). Received: input_shape={tuple(input_shape)}"
            )
        if not -len(input_shape) < self.axis < len(input_shape):
            raise ValueError(
                f"`WinnerTakeAll` has no axis {self.axis} for its groups. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        if input_shape[self.axis] % self.groups:
            raise ValueError(
                f"{input_shape[self.axis]} channels do not form groups of one size. "
                f"Received: groups={self.groups}, input_shape={tuple(input_shape)}"
            )
        axis = self.axis % len(input_shape)
        run = math.prod(input_shape[axis:]) // self.groups
        self._grouped = (math.prod(input_shape[1:axis]), self.groups, run)
        size = math.prod(sizes) // self.groups
        count = math.floor(self.rate * size + 0.5)
        self._places = None
        if self.sample is not None and 0 < count < size:
            few = max(1, round(self.sample * size))
            chosen = np.random.default_rng(self.seed).choice(size, few, replace=False)
            self._places = np.sort(chosen).astype("int32")
            # Not all win, and where there are enough, some do.
            count, size = min(max(round(count * few / size), 1), few - 1), few
        self._count, self._size = count, size

    def call(self, inputs):
        inputs = self.activation(inputs)
        if self._count == self._size:
            return inputs
        if self.groups > 1:
            grouped = ops.reshape(inputs, (-1, *self._grouped))
            return ops.reshape(self._winners(grouped), (-1, *inputs.shape[1:]))
        return self._winners(inputs)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "rate": self.rate,
            "sample": self.sample,
            "seed": self.seed,
            "groups": self.groups,
            "axis": self.axis,
            "activation": keras.activations.serialize(self.activation),
        }

    def _winners(self, inputs):
        scores = ops.abs(ops.stop_gradient(inputs))
        return ops.where(scores <= self._thresholds(scores), ops.zeros_like(inputs), inputs)

    def _thresholds(self, scores):
        """What each score must exceed; broadcasts against the scores."""
        if self.groups == 1:
            flat = ops.reshape(scores, (-1, math.prod(scores.shape[1:])))
            return ops.reshape(self._threshold(flat), (-1, *[1] * len(scores.shape[1:])))
        outer, groups, run = self._grouped
        # (batch, outer, groups, run) to (batch, groups, values of a group)
        of_groups = ops.reshape(ops.transpose(scores, (0, 2, 1, 3)), (-1, groups, outer * run))
        return ops.reshape(self._threshold(of_groups), (-1, 1, groups, 1))

    def _threshold(self, scores):
        """The largest score that loses, of the last axis, which stays with size 1."""
        if self._places is not None:
            scores = ops.take(scores, self._places, axis=-1)
        dtype = keras.backend.standardize_dtype(scores.dtype)
        # Files hold one sample, and stock operators.
        if scores.shape[0] != 1 and dtype in _PATTERNS and not backend.sorts_fast():
            found = _bisected_of(self._size, self._count)(ops.reshape(scores, (-1, self._size)))
            return ops.reshape(found, (-1, *scores.shape[1:-1], 1))
        # The smallest losers would be fewer for high rates, but negation costs int8 files their
        # scale: they would compare in another one.
        wide = ops.cast(scores, "float64" if dtype == "float64" else "float32")
        return ops.cast(ops.top_k(wide, self._count + 1)[0][..., -1:], dtype)


@functools.cache
def _bisected_of(size, count):
    del size  # a function for each, so that TensorFlow leaves open nothing but the batch
    return backend.compiled(functools.partial(_bisected, count=count))


def _bisected(scores, count):
    """The largest of each row that no more than `count` exceed, without sorting.

    The bit patterns of floats that are not negative are integers in the same order, so that as
    many halvings as they have bits find the one that is sought.

    Args:
        scores: Tensor (rows, n) of float16, bfloat16 or float32, >= 0. NaN ranks above all.
        count: Int below n.

    Returns:
        Tensor (rows, 1) of the same type.
    """
    dtype = keras.backend.standardize_dtype(scores.dtype)
    integers, infinity = _PATTERNS[dtype]
    patterns = ops.view(scores, integers)
    low = ops.zeros_like(patterns[..., :1])
    high = low + ops.cast(infinity, integers)

    def halve(_, bounds):
        low, high = bounds
        middle = low + (high - low) // 2
        exceeding = ops.sum(ops.cast(patterns > middle, "int32"), axis=-1, keepdims=True)
        too_low = exceeding > count
        return ops.where(too_low, middle + 1, low), ops.where(too_low, high, middle)

    low, _ = ops.fori_loop(0, infinity.bit_length(), halve, (low, high))
    return ops.view(low, dtype)


def check_share(name, value, above_zero=False):
    """Raise a ValueError unless an argument is a number from 0 to 1; returns it as float."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0.0 <= value <= 1.0 or (above_zero and value == 0.0):
        raise ValueError(
            f"Argument `{name}` must be a number from 0{' (not itself)' if above_zero else ''} "
            f"to 1. Received: {name}={value!r}"
        )
    return float(value)


def _is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)
