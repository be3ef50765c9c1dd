"""Static thresholds for activations, found on data."""

from keras_prune.analysis.activation_tensors import activations_of
from keras_prune.analysis.order_statistics import thresholds
from keras_prune.surgery.activation_masks import activation_rates, attach_activation_masks


def static_thresholds(model, data, rates, batch_size=32):
    """Find the thresholds that let a share of each layer's activations pass, over all samples.

    The static twins of `rates`: one number for all samples, which exactly round(rate n) of all n
    activations exceed where no two are equal. The data is read twice.

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

    def parts():
        for batch in activations_of(model, data, None, batch_size):
            for found in batch:
                yield from ((name, found.values) for name in found.names if name in rates)

    return thresholds(parts, rates)
