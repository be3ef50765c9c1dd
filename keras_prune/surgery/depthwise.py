"""Data-free acceleration: a convolution becomes a depthwise one and one with windows of 1."""

import keras
import numpy as np

from keras_prune import backend
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

_DEPTHWISE = {
    keras.layers.Conv1D: keras.layers.DepthwiseConv1D,
    keras.layers.Conv2D: keras.layers.DepthwiseConv2D,
}


def approximate_by_depthwise(model, rank=1, filters=None):
    """Copy a model with depthwise separable convolutions in the place of its convolutions.

    The window of each input channel c over all N outputs is a matrix W_c (window, N). Its
    truncated singular value decomposition W_c ~ D_c P_c gives a depthwise layer with `rank`
    windows for every channel, and behind it a layer with a window of 1 and the bias and
    activation of the old one. Of the weights, and of the multiply-accumulates,
    rank / N + rank / window are left; the kernel with rank = min(window, N) is the same as before.
    Neither data nor training are needed: the last layers of a network mostly bear a rank of 1
    or 2, the first ones do not, so that a part of the energy says more than a number.

    From [Li et al., 2019](https://arxiv.org/abs/1812.08374).

    Example:

    ```python
    small, report = kp.approximate_by_depthwise(model, rank=0.9)
    print(report)
    ```

    Args:
        model: Built `keras.Model`. It stays as it is.
        rank: Int: windows for each channel; or float in (0, 1): as few as keep this part of the
            squared singular values of a layer. Defaults to `1`.
        filters: Regex string, list of them, or callable(layer) -> bool. Defaults to all
            layers.

    Returns:
        Tuple of a `keras.Model` that is not compiled, and a `kp.ReplacementReport`. `Conv1D` and
        `Conv2D` are replaced where that makes them cheaper.

    Raises:
        ValueError: If an argument is wrong or no layer can be replaced.
    """
    rank = check_rank(rank)

    def make(layer, kernel):
        return _hindrance(layer) or unsuitable(layer) or depthwise_layers(layer, kernel, rank)

    return replace_kernels(model, "Depthwise layers", filters, tuple(_DEPTHWISE), make)


def depthwise_layers(layer, kernel, rank):
    """The two layers that stand in for one.

    Args:
        layer: Built `keras.layers.Conv1D` or `Conv2D`.
        kernel: Float array, its kernel.
        rank: Int or float, see `factors`.

    Returns:
        Tuple of a list of two layers, what they are in words, and the kernel that does the same.
    """
    first, second = factors(grouped(kernel, kernel.shape[-2]), rank)
    rank = first.shape[-1]
    depthwise = _DEPTHWISE[type(layer)](
        **window_arguments(layer),
        depth_multiplier=rank,
        depthwise_regularizer=layer.kernel_regularizer,
        name=f"{layer.name}_depthwise",
    )
    windows = np.moveaxis(first, 0, -2).reshape(*kernel.shape[:-1], rank)
    bias = backend.to_numpy(layer.bias) if layer.use_bias else None
    layers = pair(layer, depthwise, windows, second.reshape(-1, kernel.shape[-1]), bias)
    return layers, f"depthwise of rank {rank}", ungrouped(first @ second, kernel.shape)


def _hindrance(layer):
    if layer.padding == "causal":
        return "depthwise layers know no causal padding"
    if len(set(layer.strides)) > 1:
        return "depthwise layers take the same stride along all axes"
    if set(layer.kernel_size) == {1}:
        return "it has a window of 1 already"
    return None
