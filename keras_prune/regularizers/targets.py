"""Which kernels of a model a penalty acts on."""

from keras_prune.model_outputs import output_layers
from keras_prune.weights import find_weights


def find_kernels(model, filters=None, granularity=None):
    """The kernels that a penalty acts on.

    Args:
        model: Built `keras.Model`.
        filters: See `find_weights`. Defaults to all layers.
        granularity: `Granularity` whose units the penalty needs, or `None`. The kernels that
            make the model's outputs are left alone where units would take outputs.

    Returns:
        List of `PrunableWeight`.

    Raises:
        ValueError: If there is none.
    """
    weights = find_weights(model, filters)
    if granularity is not None:
        for weight in weights:
            weight.skip = weight.skip or granularity.skip(view_shape(weight, granularity))
    found = [weight for weight in weights if weight.skip is None]
    if granularity is not None and granularity.takes_outputs:
        making = output_layers(model)
        found = [weight for weight in found if id(weight.layer) not in making] or found
    if not found:
        reasons = {weight.path: weight.skip for weight in weights}
        raise ValueError(f"The model has no kernel to act on. Received: {reasons}")
    return found


def view_shape(weight, granularity):
    """Tuple of ints. The shape of the view that a granularity cuts."""
    return weight.full_view_shape if granularity.full_view else weight.view_shape
