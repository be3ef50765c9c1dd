"""The figures by which pruned networks are compared, from per-layer numbers alone."""

import numpy as np

BYTES_PER_WEIGHT = 4  # float32


def activation_density(sizes, densities):
    """The fraction of all activations that are not zero.

    Activations are the tensors behind the non-linearities and before any pooling; the
    logits count as dense.

    Example:

    ```python
    activation_density([300, 100, 10], [0.12, 0.24, 1.0])  # 0.1707
    ```

    Args:
        sizes: Sequence of numbers, one a layer. Activations of the layer.
        densities: Sequence of floats in [0, 1], one a layer.

    Returns:
        A float, sum_l size_l d_l / sum_l size_l.

    Raises:
        ValueError: If the sequences differ in length or a density is no fraction.
    """
    sizes, densities = _columns(sizes=sizes, densities=densities)
    _check_fractions(densities=densities)
    return float(sizes @ densities / sizes.sum())


def mac_density(macs, weight_densities, input_densities):
    """The fraction of the multiply-accumulates that is left, by the product rule.

    The rule takes the zeros of a layer's weights and those of its inputs for independent.

    Reference: Yang et al., [Joint Regularization on Activations and Weights for Efficient
    Neural Network Pruning](https://arxiv.org/abs/1906.07875).

    Args:
        macs: Sequence of numbers, one a layer. Multiply-accumulates of the dense layer.
        weight_densities: Sequence of floats in [0, 1]. Nonzero weights of the layer.
        input_densities: Sequence of floats in [0, 1]. Nonzero inputs of the layer.

    Returns:
        A float, sum_l MAC_l dW_l dA_{l-1} / sum_l MAC_l.

    Raises:
        ValueError: If the sequences differ in length or a density is no fraction.
    """
    left = operation_densities(weight_densities, input_densities)
    macs, left = _columns(macs=macs, densities=left)
    return float(macs @ left / macs.sum())


def operation_densities(weight_densities, input_densities):
    """The fraction of each layer's operations that is left: weights times inputs.

    Reference: the FLOP column of Han et al., [Learning both Weights and
    Connections](https://arxiv.org/abs/1506.02626), tables 3 to 5.

    Args:
        weight_densities: Sequence of floats in [0, 1], one a layer.
        input_densities: Sequence of floats in [0, 1]: for every layer the density of the
            activations before it, `1.0` for the first.

    Returns:
        Float array, one number a layer.

    Raises:
        ValueError: If the sequences differ in length or a density is no fraction.
    """
    weights, inputs = _columns(weight_densities=weight_densities, input_densities=input_densities)
    _check_fractions(weight_densities=weights, input_densities=inputs)
    return weights * inputs


def training_complexity(epochs, reductions):
    """What training a sequence of ever smaller networks costs, in epochs of the first one.

    Reference: Foldy-Porto et al., [Activation Density driven Energy-Efficient Pruning in
    Training](https://arxiv.org/abs/2002.02949). The last network is charged its whole
    training.

    Example:

    ```python
    training_complexity([100, 70, 210], [1.0, 6.0, 23.2])  # 120.7
    ```

    Args:
        epochs: Sequence of numbers. Epochs of training of each network.
        reductions: Sequence of floats > 0. How many times fewer operations than the first
            network each one has.

    Returns:
        A float, sum_i epochs_i / reduction_i.

    Raises:
        ValueError: If the sequences differ in length or a reduction is not positive.
    """
    epochs, reductions = _columns(epochs=epochs, reductions=reductions)
    if (reductions <= 0).any():
        raise ValueError(
            f"Argument `reductions` must be positive. Received: reductions={reductions.tolist()}"
        )
    return float((epochs / reductions).sum())


def convolution_costs(filters, maps, inputs=3, window=3):
    """Weights and multiply-accumulates of convolutions that follow one another.

    They follow from the configuration alone, as tables of shrunk networks count them: no
    biases, no normalization, and shortcuts that cost nothing.

    Example:

    ```python
    params, macs = convolution_costs([64, 64], [32, 32])
    compression(macs.sum(), convolution_costs([32, 16], [32, 32])[1].sum())  # 7.05
    ```

    Args:
        filters: Sequence of ints, one a layer.
        maps: Sequence of ints, one a layer. Rows, and columns, of its output.
        inputs: Int. Channels of the first layer's input. Defaults to `3`.
        window: Int. Rows, and columns, of the kernels. Defaults to `3`.

    Returns:
        Two float arrays, one number a layer: weights, and multiply-accumulates for one example.

    Raises:
        ValueError: If the sequences differ in length.
    """
    filters, maps = _columns(filters=filters, maps=maps)
    params = window**2 * np.concatenate([[inputs], filters[:-1]]) * filters
    return params, params * maps**2


def compression(params, nonzero_params):
    """How many times fewer weights are left. Infinite where none is."""
    return params / nonzero_params if nonzero_params else float("inf")


def memory_footprint(nonzero_params):
    """Bytes of the weights left as float32, their positions not counted."""
    return BYTES_PER_WEIGHT * nonzero_params


def _columns(**sequences):
    columns = [np.asarray(values, np.float64) for values in sequences.values()]
    lengths = {name: np.shape(values) for name, values in sequences.items()}
    if any(column.ndim != 1 or not column.size for column in columns) or (
        len({column.size for column in columns}) > 1
    ):
        names = " and ".join(f"`{name}`" for name in sequences)
        raise ValueError(
            f"{names} must hold one number for each layer, at least one. Received: {lengths}"
        )
    return columns


def _check_fractions(**columns):
    for name, column in columns.items():
        if not ((column >= 0) & (column <= 1)).all():
            raise ValueError(
                f"Argument `{name}` must hold fractions between 0 and 1. "
                f"Received: {name}={column.tolist()}"
            )
