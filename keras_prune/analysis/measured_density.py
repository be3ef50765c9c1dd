"""How many activations of a finished model are not zero."""

import dataclasses

import numpy as np

from keras_prune.analysis.activation_tensors import activations_of
from keras_prune.analysis.unit_counts import UnitCounts, total_density
from keras_prune.tables import render_table


@dataclasses.dataclass(frozen=True)
class ActivationReport:
    """The activation density of every layer. `print` shows a table.

    Args:
        layers: Dict from names of layers to `kp.UnitCounts`.
        density: Float. The density of all activations, where a tensor that two layers share
            counts once.
    """

    layers: dict
    density: float

    def __str__(self):
        rows = [
            (
                name,
                f"{count.density:.2%}",
                f"{int((count.nonzero == 0).sum())}/{count.nonzero.size}",
            )
            for name, count in self.layers.items()
        ]
        columns = ["layer", ">activations", ">dead units"]
        footer = ("total", f"{self.density:.2%}", "")
        return render_table("Activation density", columns, rows, footer=footer)


def activation_density(model, data, filters=None, eps=0.0, batch_size=32):
    """Count how many activations of each layer are not zero, in inference.

    All of the data is read once. The outputs of the model count as dense. `kp.cost` counts
    multiply-accumulates too, `kp.ActivationDensity` counts while `fit()` trains.

    Example:

    ```python
    report = kp.activation_density(model, x)
    report.density, report.layers["dense"].density
    print(report)
    ```

    Args:
        model: Built `keras.Model`.
        data: Array x or dict of arrays, tuple of arrays (x, y), or iterable of batches (x, y):
            a list, `tf.data.Dataset`, `keras.utils.PyDataset`.
        filters: Regex string, list of them, or callable(layer) -> bool. Only layers that match
            are counted. Defaults to all layers with a kernel.
        eps: Float >= 0. Values up to it, in absolute terms, count as zero. Defaults to `0.0`.
        batch_size: Int. Examples a batch where `data` are arrays. Defaults to `32`.

    Returns:
        A `kp.ActivationReport`.

    Raises:
        ValueError: If no layer matches, or `data` holds no example.
    """
    check_eps(eps)
    layers, tensors = {}, {}
    for batch in activations_of(model, data, filters, batch_size):
        for index, found in enumerate(batch):
            count = _count(found, eps)
            tensors[index] = tensors[index] + count if index in tensors else count
            for name in found.names:
                layers[name] = layers[name] + count if name in layers else count
    return ActivationReport(layers, total_density(tensors.values()))


def check_eps(eps):
    """Raise a ValueError unless `eps` is a number >= 0."""
    number = isinstance(eps, (int, float)) and not isinstance(eps, bool)
    if not number or not 0.0 <= eps < float("inf"):
        raise ValueError(f"Argument `eps` must be a number >= 0. Received: eps={eps!r}")


def _count(found, eps):
    units = found.values.shape[-1]
    positions = found.values.size // units
    if found.is_output:
        return UnitCounts(positions, np.full(units, positions, np.int64))
    # NaN is no zero.
    live = ~(np.abs(found.values) <= eps)
    return UnitCounts(positions, live.reshape(-1, units).sum(0, dtype=np.int64))
