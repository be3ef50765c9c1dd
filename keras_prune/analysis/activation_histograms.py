"""How the activations of each layer are distributed."""

import dataclasses

import numpy as np

from keras_prune.analysis.activation_tensors import activations_of
from keras_prune.granularity.granularity import check_positive


@dataclasses.dataclass(frozen=True)
class ActivationHistogram:
    """The nonzero activations of one layer in bins; zeros are counted apart.

    Args:
        edges: Float array (bins + 1,).
        counts: Int64 array (bins,). Values beyond the edges are in the outermost bins.
        zeros: Int.
        unordered: Int. NaNs.
    """

    edges: np.ndarray
    counts: np.ndarray
    zeros: int
    unordered: int = 0

    @property
    def density(self):
        """Float. The fraction of the activations that are not zero."""
        live = int(self.counts.sum()) + self.unordered
        return live / (live + self.zeros)


def activation_histograms(model, data, bins=50, limits=None, filters=None, batch_size=32):
    """Count the activations of each layer in bins, in inference.

    Zeros are counted apart: after a ReLU or a mask there are more of them than of all others.
    With the `limits` of another model's histograms two can be laid over each other, see
    `activation_plots.plot_activation_histograms`.

    Example:

    ```python
    before = kp.activation_histograms(model, x)
    limits = {name: histogram.edges[[0, -1]] for name, histogram in before.items()}
    after = kp.activation_histograms(masked, x, limits=limits)
    both = {"dense": before, "masked": after}
    activation_plots.plot_activation_histograms(both, "histograms.png")
    ```

    Args:
        model: Built `keras.Model`.
        data: See `kp.activation_density`. Read twice without `limits`.
        bins: Int >= 1. Defaults to `50`.
        limits: Pair of floats for all layers, or a dict from names of layers to pairs: the
            outermost edges. Defaults to the smallest and the largest finite activation of each
            layer.
        filters: Regex string, list of them, or callable(layer) -> bool. Defaults to all layers
            with a kernel.
        batch_size: Int. Examples a batch where `data` are arrays. Defaults to `32`.

    Returns:
        Dict from names of layers to `kp.ActivationHistogram`.

    Raises:
        ValueError: If an argument is wrong, no layer matches, or `data` holds no example.
    """
    check_positive("bins", bins)

    def layers():
        for batch in activations_of(model, data, filters, batch_size):
            for found in batch:
                for name in found.names:
                    yield name, found.values.ravel()

    if limits is None:
        limits = _limits(layers())
    edges, sums = {}, {}
    for name, values in layers():
        if name not in edges:
            low, high = _pair(limits.get(name) if isinstance(limits, dict) else limits, name)
            edges[name] = np.linspace(low, high, bins + 1)
        ordered = values[~np.isnan(values)]
        live = ordered[ordered != 0.0]
        counts, _ = np.histogram(np.clip(live, *edges[name][[0, -1]]), edges[name])
        zeros, unordered = ordered.size - live.size, values.size - ordered.size
        before = sums.get(name, (0, 0, 0))
        sums[name] = (before[0] + counts, before[1] + zeros, before[2] + unordered)
    return {name: ActivationHistogram(edges[name], *sums[name]) for name in sums}


def _limits(layers):
    """Dict from names of layers to the smallest and the largest of their values."""
    found = {}
    for name, values in layers:
        finite = values[np.isfinite(values)]
        if finite.size:
            low, high = found.get(name, (np.inf, -np.inf))
            found[name] = (min(low, float(finite.min())), max(high, float(finite.max())))
        else:
            found.setdefault(name, (0.0, 0.0))
    # Where all values are the same, the edges still differ.
    return {
        name: pair if pair[0] < pair[1] else (pair[0], pair[0] + 1.0)
        for name, pair in found.items()
    }


def _pair(limits, name):
    pair = () if limits is None else tuple(limits)
    if len(pair) != 2 or not -np.inf < pair[0] < pair[1] < np.inf:
        raise ValueError(
            "Argument `limits` must be two numbers, the smaller first, or a dict from names of "
            f"layers to such pairs. Received: limits of layer {name!r}: {limits}"
        )
    return pair
