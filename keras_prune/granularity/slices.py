"""Slices of a kernel: vectors, kernels, channels, filters, shapes, whole layers, rows, columns.

Every slice takes some axes of the full view (groups, outputs, *window, inputs) as a whole.
All slices of one kernel have the same number of weights, so their count is exact.
"""

import math

import numpy as np

from keras_prune.float_bits import choose
from keras_prune.granularity.granularity import GRANULARITIES, Granularity


class Slices(Granularity):
    """Base class: whole slices of a kernel live or die; one of every layer survives.

    Slices of one layer compete by the Lp norm of their weights' scores. Between layers
    (`kp.Global`) that norm is divided by size ** (1 / p), so that a long slice has no
    advantage. Where a criterion gives scores below zero, they count against their slice.

    Subclasses write `axes` and, where some kernels have no such slice, `reason`.

    Args:
        norm: Number > 0. The p of the Lp norm. Defaults to `1`.
    """

    full_view = True

    def __init__(self, norm=1):
        number = isinstance(norm, (int, float)) and not isinstance(norm, bool)
        if not number or not 0 < norm < math.inf:
            raise ValueError(
                "Argument `norm` is the p of an Lp norm and must be positive and finite. "
                f"Received: norm={norm}"
            )
        self.norm = norm

    def axes(self, rank):
        """Axes of the full view that one slice takes whole.

        Args:
            rank: Int. Number of axes of the full view, 3 without a window.

        Returns:
            Tuple of ints.
        """
        raise NotImplementedError(f"`{type(self).__name__}` must implement `axes`.")

    def reason(self, rank):
        """Why a kernel with a full view of that rank has no such slices, or `None`."""
        del rank
        return None

    def norms(self, scores):
        """Lp norm of every slice: (sum |s| ** p) ** (1 / p) of scores that are not negative.

        Args:
            scores: Float array (groups, outputs, *window, inputs).

        Returns:
            Float64 array with size 1 on the axes of a slice: [3, 4] has norm 7 for p = 1 and
            5 for p = 2.
        """
        axes = self.axes(scores.ndim)
        if self.norm == 1:
            return scores.sum(axis=axes, keepdims=True, dtype=np.float64)
        powers = np.sign(scores) * np.abs(scores, dtype=np.float64) ** self.norm
        sums = powers.sum(axis=axes, keepdims=True)
        return np.sign(sums) * np.abs(sums) ** (1.0 / self.norm)

    def pool(self, scores, alive):
        pooled = self.norms(choose(scores, alive))
        size = scores.size // pooled.size
        some_alive = alive.any(axis=self.axes(scores.ndim), keepdims=True)
        pooled = np.where(some_alive, pooled / size ** (1.0 / self.norm), -np.inf)
        return pooled, np.full(pooled.shape, size)

    def expand(self, keep, shape):
        return np.broadcast_to(keep, shape)

    def slack(self, shape):
        return math.prod(shape[axis] for axis in self.axes(len(shape)))

    def skip(self, shape):
        reason = self.reason(len(shape))
        if reason is None and self.slack(shape) == math.prod(shape):
            reason = f"the whole kernel is one {type(self).__name__.lower()}, and one must survive"
        return reason


@GRANULARITIES.register("filter")
class Filter(Slices):
    """Filters: all weights of one output channel, `kernel[..., o]`.

    The layer that makes the model's outputs is skipped where others can be pruned.

    `kp.shrink` cuts them out together with the channels that they feed. The scheme of
    [Li et al., 2016](https://arxiv.org/abs/1608.08710) with `norm=1`.

    Filters that can only be cut together, as those whose outputs meet in a residual sum, have one
    score: the mean over the layers, each in relation to its own mean. A pruned filter emits
    nothing: its bias, and the gamma and beta of the normalization behind it, are zero too,
    unless a `regrowth` may bring it back.

    Example:

    ```python
    kp.prune(model, 0.5, granularity=kp.Filter(norm=2))
    ```

    Args:
        norm: Number > 0. The p of the Lp norm that filters compete by. Defaults to `1`.
        coupled: Bool. With `False` every layer decides alone, and pruned filters keep their
            biases. Defaults to `True`.
    """

    takes_outputs = True

    def __init__(self, norm=1, coupled=True):
        super().__init__(norm)
        if not isinstance(coupled, bool):
            raise ValueError(
                f"Argument `coupled` must be `True` or `False`. Received: coupled={coupled!r}"
            )
        self.coupled = coupled

    def axes(self, rank):
        return tuple(range(2, rank))


@GRANULARITIES.register("channel")
class Channel(Slices):
    """Channels: all weights of one input channel, `kernel[..., i, :]`.

    In a grouped convolution a channel feeds the outputs of its own group alone.

    Example:

    ```python
    kp.prune(model, 0.5, granularity="channel")
    ```

    Args:
        norm: Number > 0. The p of the Lp norm that channels compete by. Defaults to `1`.
    """

    takes_inputs = True

    def axes(self, rank):
        return tuple(range(1, rank - 1))


@GRANULARITIES.register("kernel")
class Kernel(Slices):
    """Kernels: the window between one input and one output channel, `kernel[:, :, i, o]`.

    Layers without a window, such as `Dense`, are skipped.

    Example:

    ```python
    kp.prune(model, 0.7, granularity="kernel")
    ```

    Args:
        norm: Number > 0. The p of the Lp norm that kernels compete by. Defaults to `1`.
    """

    def axes(self, rank):
        return tuple(range(2, rank - 1))

    def reason(self, rank):
        return "no window: a kernel would be a single weight" if rank == 3 else None


@GRANULARITIES.register("vector")
class Vector(Slices):
    """Vectors: one row or column of a convolution's window.

    A row is `kernel[r, :, i, o]`, a column `kernel[:, s, i, o]`. Of a window with one axis
    the row is all, and there are no columns; of one with three axes rows and columns lie
    along the last two. Layers without a window, such as `Dense`, are skipped.

    Example:

    ```python
    kp.prune(model, 0.8, granularity=kp.Vector("column", norm=2))
    ```

    Args:
        along: Str. `"row"` or `"column"`. Defaults to `"row"`.
        norm: Number > 0. The p of the Lp norm that vectors compete by. Defaults to `1`.
    """

    def __init__(self, along="row", norm=1):
        super().__init__(norm)
        if along not in ("row", "column"):
            raise ValueError(
                f'Argument `along` must be "row" or "column". Received: along={along!r}'
            )
        self.along = along

    def axes(self, rank):
        return (rank - 2,) if self.along == "row" else (rank - 3,)

    def reason(self, rank):
        if rank == 3:
            return "no window to take vectors from"
        if rank == 4 and self.along == "column":
            return "a window with one axis has no columns"
        return None


@GRANULARITIES.register("shape")
class Shape(Slices):
    """Shapes: the same weight in every filter, `kernel[r, s, i, :]`.

    A shape is one column of the matrix that a convolution multiplies patches with, and one
    row `kernel[i, :]` of a `Dense` layer. From
    [Wen et al., 2016](https://arxiv.org/abs/1608.03665).

    Example:

    ```python
    kp.prune(model, 0.6, granularity="shape")
    ```

    Args:
        norm: Number > 0. The p of the Lp norm that shapes compete by. Defaults to `1`.
    """

    takes_inputs = True

    def axes(self, rank):
        return (1,)


@GRANULARITIES.register("row")
class Row(Slices):
    """Rows of a matrix: all weights of one input, `kernel[i, :]` of a `Dense` layer.

    Convolutions are skipped; their inputs are channels.

    Example:

    ```python
    kp.prune(model, 0.5, granularity="row", filters="dense")
    ```

    Args:
        norm: Number > 0. The p of the Lp norm that rows compete by. Defaults to `1`.
    """

    takes_inputs = True

    def axes(self, rank):
        return (1,)

    def reason(self, rank):
        return None if rank == 3 else "a convolution has channels, not rows"


@GRANULARITIES.register("column")
class Column(Slices):
    """Columns of a matrix: all weights of one unit, `kernel[:, o]` of a `Dense` layer.

    Convolutions are skipped; their outputs are filters. So is the layer that makes the
    model's outputs, where others can be pruned.

    Example:

    ```python
    kp.prune(model, 0.5, granularity=kp.Column(norm=2), filters="hidden")
    ```

    Args:
        norm: Number > 0. The p of the Lp norm that columns compete by. Defaults to `1`.
    """

    takes_outputs = True

    def axes(self, rank):
        return (2,)

    def reason(self, rank):
        return None if rank == 3 else "a convolution has filters, not columns"


@GRANULARITIES.register("layer")
class Layer(Slices):
    """Whole layers: a kernel is kept or goes altogether.

    Makes sense where a shortcut leads around the layer: name these layers in `filters`.
    Layers compete with one another, so it needs `allocation="global"`; the best of them
    survives. The layer that makes the model's outputs is skipped where others can be pruned.
    When another training begins, a kernel that is zero throughout counts as freshly
    initialized.

    Example:

    ```python
    kp.prune(model, 0.3, granularity="layer", allocation="global", filters="residual")
    ```

    Args:
        norm: Number > 0. The p of the Lp norm that layers compete by. Defaults to `1`.
    """

    expendable = True
    takes_outputs = True

    def axes(self, rank):
        return tuple(range(rank))

    def select(self, scores, alive, sparsity):
        return alive & (sparsity < 0.5)

    def skip(self, shape):
        return None
