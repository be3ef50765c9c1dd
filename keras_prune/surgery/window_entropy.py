"""How many windows an input channel of a convolution needs.

Its sparsity says how much it weighs, the entropy of its windows how evenly they are spread: many
that lie together can share one.
"""

import numpy as np


def channel_values(kernel, alpha=1.0, neighbors=5):
    """How much each input channel of a kernel weighs, v_c.

    Args:
        kernel: Float array (*window, channels, filters).
        alpha: Float >= 0. Weight of the entropy. Defaults to `1.0`.
        neighbors: Int of at least 1. Defaults to `5`.

    Returns:
        Float array (channels,) in [0, 1].
    """
    windows = windows_of(kernel)
    sparsity = _scaled(np.abs(windows).sum(axis=(1, 2)), 1.0)
    entropy = _scaled(np.array([window_entropy(own, neighbors) for own in windows]), 0.0)
    return _scaled(np.sqrt(sparsity / (1.0 + alpha * entropy)), 1.0)


def window_entropy(windows, neighbors=5):
    """The entropy of how far windows lie from their nearest neighbours, e_c.

    Args:
        windows: Float array (filters, weights of a window).
        neighbors: Int of at least 1. Defaults to `5`.

    Returns:
        A float, from 0 for equal windows to log2(filters) for equally distant ones.
    """
    differences = windows[:, None] - windows[None]
    distances = np.sort(np.linalg.norm(differences, axis=-1), axis=1)
    density = distances[:, 1 : neighbors + 1].sum(axis=1)  # the first is that to itself
    total = density.sum()
    if total == 0.0:
        return 0.0
    parts = density[density > 0.0] / total
    return float(-(parts * np.log2(parts)).sum())


def kept_windows(values, filters, levels=4, shift=0):
    """How many windows each channel keeps, q_c.

    Args:
        values: Float array (channels,) in [0, 1].
        filters: Int. Windows that a channel has.
        levels: Int of at least 2. Defaults to `4`.
        shift: Int >= 0. Defaults to `0`.

    Returns:
        List of ints.
    """
    counts = []
    for value in np.asarray(values) * levels:
        if np.floor(value) == 0:
            counts.append(0)
        elif np.ceil(value) == levels:
            counts.append(filters)
        else:
            counts.append(-(-filters // 2 ** (levels - int(np.ceil(value)) + shift)))
    return counts


def windows_of(kernel):
    """The windows of a kernel, one row each.

    Args:
        kernel: Array (*window, channels, filters).

    Returns:
        Array (channels, filters, weights of a window).
    """
    *_, channels, filters = kernel.shape
    return kernel.reshape(-1, channels, filters).transpose(1, 2, 0)


def _scaled(values, flat):
    """Values from 0 to 1; `flat` throughout where they are all the same."""
    span = values.max() - values.min()
    return (values - values.min()) / span if span > 0.0 else np.full(values.shape, flat)
