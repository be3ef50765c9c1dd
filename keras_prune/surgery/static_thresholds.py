"""Static thresholds for activations, found on data."""

import functools

from keras_prune.analysis.activation_tensors import activations_of
from keras_prune.analysis.order_statistics import thresholds
from keras_prune.surgery.activation_masks import activation_rates, attach_activation_masks


def static_thresholds(model, data, rates, batch_size=32):
    """Find the thresholds that let a share of each layer's activations pass, over all samples.

    The static twins of `rates`: one number for all samples, which exactly round(rate n) of all n
    activations exceed where no two are equal. Layers are looked at one after the other, with the
    masks of those before them; the data is read twice for each.

    Example:

    ```python
    thresholds = kp.static_thresholds(model, x, {"fc1": 0.12, "fc2": 0.24})
    masked = kp.attach_activation_masks(model, thresholds=thresholds)
    ```

    Args:
        model: Built `keras.Model`.
        data: See `kp.activation_density`.
        rates: See `kp.attach_activation_masks`.
        batch_size: Int. Examples a batch where `data` are arrays. Defaults to `32`.

    Returns:
        Dict from names of layers to floats >= 0; 0 where all that is not zero passes.

    Raises:
        ValueError: If an argument is wrong or a layer is unknown.
    """
    rates = activation_rates(model, rates)
    attach_activation_masks(model, rates)  # refuses what cannot be masked
    found = {}
    for part in next(activations_of(model, data, None, 1)):
        names = [name for name in part.names if name in rates and name not in found]
        if names:  # they share their activations and the rate
            masked = attach_activation_masks(model, thresholds=found) if found else model
            parts = functools.partial(_values, masked, data, names[0], batch_size)
            threshold = thresholds(parts, {names[0]: rates[names[0]]})[names[0]]
            found.update(dict.fromkeys(names, threshold))
    return found


def _values(model, data, name, batch_size):
    """Pairs of a layer's name and its activations, batch by batch."""
    for batch in activations_of(model, data, None, batch_size):
        yield from ((name, part.values) for part in batch if name in part.names)
