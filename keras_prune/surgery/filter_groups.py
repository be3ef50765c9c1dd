"""Filter group approximation: a convolution becomes one in groups and one with windows of 1."""

import keras
import numpy as np

from keras_prune import backend
from keras_prune.reconstruction.batches import batches_of
from keras_prune.reconstruction.layer_inputs import layer_hessians
from keras_prune.surgery.cheaper_layers import replace_kernels
from keras_prune.surgery.grouped_svd import (
    check_rank,
    factors,
    grouped,
    pair,
    ungrouped,
    unsuitable,
    window_arguments,
)

_KINDS = (keras.layers.Conv1D, keras.layers.Conv2D)


def approximate_by_groups(
    model, groups, rank=None, filters=None, data=None, damping=1e-3, batch_size=128
):
    """Copy a model with convolutions in groups in the place of its convolutions.

    A convolution with kernel W becomes two, without anything in between: the first, with the same
    window, has `groups` groups and `rank` filters for each; the second has a window of 1
    and as many filters as before. With the inputs cut into groups, W_i ~ D_i P_i is the
    truncated singular value decomposition of each group's matrix (window * inputs of the group,
    outputs), so the change of the kernel is the smallest possible for these shapes. For C
    inputs and N outputs, of a window of k weights, k * (C / groups) * M + M * N weights are left
    of k * C * N, with M = groups * rank. One group is a plain low-rank approximation, C groups are
    what `kp.approximate_by_depthwise` makes.

    With `data`, the change of the layer's outputs on them is made small in place of the change of
    the kernel: the decomposition is that of L^T W_i, where L L^T = X_i^T X_i / n are the second
    moments of the group's inputs, and the second layer then becomes the least-squares solution
    for all groups together, its bias too. No labels are needed.

    Filter groups are from [Peng et al., 2018](https://arxiv.org/abs/1807.11254).

    Example:

    ```python
    small, report = kp.approximate_by_groups(model, groups=4, rank=0.95)
    print(report)
    ```

    Args:
        model: Built `keras.Model`. It stays as it is.
        groups: Int, or callable(layer) -> int, or `None` for a layer that is to stay. Groups of
            inputs.
        rank: Int: filters of each group; or float in (0, 1): as few as keep this part of the
            squared singular values. Defaults to `None`: as many as the group has inputs.
        filters: Regex string, list of them, or callable(layer) -> bool. Defaults to all
            layers.
        data: Inputs like those the model will see: an array, a tuple (x, y) (y is ignored), or
            an iterable of such batches. Defaults to `None`.
        damping: Float >= 0. Part of the mean of the second moments' diagonal that is added to it.
            Defaults to `1e-3`.
        batch_size: Int. Samples in a batch, where `data` are arrays. Defaults to `128`.

    Returns:
        Tuple of a `keras.Model` that is not compiled, and a `kp.ReplacementReport`. `Conv1D` and
        `Conv2D` are replaced where that makes them cheaper.

    Raises:
        ValueError: If an argument is wrong or no layer can be replaced.
    """
    rank = None if rank is None else check_rank(rank)
    number = isinstance(damping, (int, float)) and not isinstance(damping, bool)
    if not number or not 0.0 <= damping < np.inf:
        raise ValueError(f"Argument `damping` must be a number >= 0. Received: damping={damping!r}")
    if not callable(groups):
        _check_groups(groups)
    batches = None if data is None else batches_of(data, batch_size)

    def make(layer, kernel):
        count = groups(layer) if callable(groups) else groups
        if count is None:
            return "left out by `groups`"
        inputs = kernel.shape[-2]
        if inputs % _check_groups(count):
            return f"its inputs, {inputs}, are no multiple of {count}"
        reason = unsuitable(layer)
        if reason is not None:
            return reason
        moments = None
        if batches is not None:
            moments = layer_hessians(model, [layer], batches)[0]
            if moments is None:
                return "the data never reach it"
            mean = np.trace(moments) / len(moments)
            moments = moments + (damping * mean + 1e-12) * np.eye(len(moments))
        return group_layers(layer, kernel, count, rank or inputs // count, moments)

    return replace_kernels(model, "Filter groups", filters, _KINDS, make)


def group_layers(layer, kernel, groups, rank, moments=None):
    """The two convolutions that stand in for one.

    Args:
        layer: Built `keras.layers.Conv1D` or `Conv2D`.
        kernel: Float array, its kernel.
        groups: Int that divides the inputs.
        rank: Int or float, see `factors`.
        moments: Float array (rows, rows), positive definite, the second moments of what the
            layer multiplies its kernel with (and of the 1 of its bias), or `None`.

    Returns:
        Tuple of a list of two layers, what they are in words, and the kernel that does the same.
    """
    bias = backend.to_numpy(layer.bias).astype(np.float64) if layer.use_bias else None
    matrices = grouped(kernel, groups)
    if moments is None:
        first, second = factors(matrices, rank)
    else:
        roots = _roots(moments, kernel.shape, groups)
        whitened, second = factors(roots @ matrices, rank)
        first = np.linalg.solve(roots, whitened)
        second, bias = _refit(first, kernel, bias, moments)
    rank = first.shape[-1]
    windows = first.reshape(groups, *kernel.shape[:-2], -1, rank)
    convolution = type(layer)(
        groups * rank,
        **window_arguments(layer),
        groups=groups,
        kernel_regularizer=layer.kernel_regularizer,
        name=f"{layer.name}_groups",
    )
    side_by_side = np.concatenate(list(windows), axis=-1)
    pointwise = second.reshape(groups * rank, -1)
    layers = pair(layer, convolution, side_by_side, pointwise, bias)
    return layers, f"{groups} groups of rank {rank}", ungrouped(first @ second, kernel.shape)


def _check_groups(groups):
    whole = isinstance(groups, (int, np.integer)) and not isinstance(groups, bool)
    if not whole or groups < 1:
        raise ValueError(
            "Argument `groups` must be an int of at least 1, or a callable that takes a layer and "
            f"returns one. Received: groups={groups!r}"
        )
    return int(groups)


def _roots(moments, shape, groups):
    """Roots L^T of the second moments of each group's inputs, an array (groups, rows, rows)."""
    size = int(np.prod(shape[:-1]))
    numbers = grouped(np.arange(size).reshape(*shape[:-1], 1), groups)[..., 0]  # rows of a group
    return np.stack([np.linalg.cholesky(moments[np.ix_(own, own)]).T for own in numbers])


def _refit(first, kernel, bias, moments):
    """The best second layer behind a first one, by least squares over all groups together.

    Returns:
        Tuple of an array (groups, rank, outputs) and the bias, or `None`.
    """
    groups, _, rank = first.shape
    outputs = kernel.shape[-1]
    # Columns of the first layer as one matrix: zero beyond the inputs of their own group.
    apart = first[..., None, :] * np.eye(groups)[:, None, :, None]
    columns = ungrouped(apart.reshape(groups, -1, groups * rank), kernel.shape)
    columns = columns.reshape(-1, groups * rank)
    target = kernel.reshape(-1, outputs)
    if bias is not None:
        edge = np.zeros((len(columns), 1))
        columns = np.block([[columns, edge], [np.zeros((1, groups * rank)), np.ones((1, 1))]])
        target = np.concatenate([target, bias[None]])
    root = np.linalg.cholesky(moments).T
    found = np.linalg.lstsq(root @ columns, root @ target, rcond=None)[0]
    second = found[: groups * rank].reshape(groups, rank, outputs)
    return second, (None if bias is None else found[-1])
