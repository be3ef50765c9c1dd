"""A kernel as a sum of products, one for each group of its inputs: W_i ~ D_i P_i.

The truncated singular value decomposition is the best such product of a rank; the squared error
is the sum of the squares of the singular values that are left out (Eckart and Young).
"""

import numpy as np


def grouped(kernel, groups):
    """See a kernel as one matrix for each group of its inputs.

    Args:
        kernel: Array (*window, inputs, outputs).
        groups: Int that divides the inputs.

    Returns:
        Array (groups, window * inputs / groups, outputs).
    """
    *window, inputs, outputs = kernel.shape
    parts = kernel.reshape(*window, groups, inputs // groups, outputs)
    return np.moveaxis(parts, -3, 0).reshape(groups, -1, outputs)


def ungrouped(matrices, shape):
    """Undo `grouped`.

    Args:
        matrices: Array (groups, window * inputs / groups, outputs).
        shape: Shape of the kernel, but for the outputs.

    Returns:
        Array (*window, inputs, outputs).
    """
    groups, _, outputs = matrices.shape
    *window, inputs, _ = shape
    parts = matrices.reshape(groups, *window, inputs // groups, outputs)
    return np.moveaxis(parts, 0, -3).reshape(*window, inputs, outputs)


def factors(matrices, rank):
    """The best products of a rank, the singular values shared out evenly between the factors.

    Args:
        matrices: Float array (groups, rows, outputs).
        rank: Int, at most as many as are kept; or float in (0, 1): the smallest rank that keeps
            this part of the sum of the squared singular values of all groups.

    Returns:
        Tuple of arrays (groups, rows, rank) and (groups, rank, outputs).
    """
    left, values, right = np.linalg.svd(matrices, full_matrices=False)
    rank = _rank(values, rank)
    roots = np.sqrt(values[:, :rank])
    return left[..., :rank] * roots[:, None], roots[..., None] * right[:, :rank]


def _rank(values, rank):
    full = values.shape[1]
    if isinstance(rank, int):
        return min(rank, full)
    kept = np.cumsum((values**2).sum(axis=0))
    return min(full, int(np.searchsorted(kept, rank * kept[-1])) + 1)


def check_rank(rank):
    """Refuse what is neither a rank nor a part of the energy."""
    if isinstance(rank, (int, np.integer)) and not isinstance(rank, bool) and rank >= 1:
        return int(rank)
    if isinstance(rank, float) and 0.0 < rank < 1.0:
        return rank
    raise ValueError(
        "Argument `rank` must be an int of at least 1, or a float in (0, 1), the part of the "
        f"squared singular values to keep. Received: rank={rank!r}"
    )


def unsuitable(layer):
    """Why the kernel of a convolution cannot be a product of others, or `None`."""
    if layer.kernel.constraint is not None:
        return "a constraint holds its kernel, which a product of kernels cannot keep"
    return None


def pair(layer, first, kernel, pointwise, bias):
    """Fill a layer, and one with windows of 1 behind it, that do what another layer does.

    Args:
        layer: `keras.layers.Conv1D` or `Conv2D`, the original.
        first: Layer with a kernel and no bias, not yet built.
        kernel: Array, its kernel.
        pointwise: Array (outputs of the first, outputs): the kernel of the other.
        bias: Array (outputs,) or `None`.

    Returns:
        List of two layers.
    """
    second = type(layer)(
        layer.filters,
        1,
        data_format=layer.data_format,
        activation=layer.activation,
        use_bias=layer.use_bias,
        kernel_regularizer=layer.kernel_regularizer,
        bias_regularizer=layer.bias_regularizer,
        activity_regularizer=layer.activity_regularizer,
        bias_constraint=layer.bias_constraint,
        dtype=layer.dtype_policy,
        name=f"{layer.name}_pointwise",
    )
    _build(first, layer.kernel.shape[-2])
    _build(second, pointwise.shape[0])
    first.kernel.assign(kernel)
    second.kernel.assign(pointwise.reshape(second.kernel.shape))
    if layer.use_bias:
        second.bias.assign(bias)
    return [first, second]


def window_arguments(layer):
    """The arguments that say how a convolution moves its window."""
    return {
        "kernel_size": layer.kernel_size,
        "strides": layer.strides,
        "padding": layer.padding,
        "data_format": layer.data_format,
        "dilation_rate": layer.dilation_rate,
        "use_bias": False,
        "dtype": layer.dtype_policy,
    }


def _build(layer, channels):
    open_sizes = (None,) * layer.rank
    last = layer.data_format == "channels_last"
    shape = (None, *open_sizes, channels) if last else (None, channels, *open_sizes)
    layer.build(shape)
