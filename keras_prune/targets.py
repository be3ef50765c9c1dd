"""Which kernels of a model a method acts on, and why not on the others."""

from keras_prune.layer_views import view_shape
from keras_prune.model_outputs import output_layers
from keras_prune.weights import find_weights


def find_targets(model, filters=None, granularity=None, skip=None):
    """List a model's kernels with the reasons to leave some alone.

    Args:
        model: Built `keras.Model`.
        filters: See `find_weights`. Defaults to all layers.
        granularity: `Granularity` whose units are needed, or `None`. The kernels that make the
            model's outputs are left alone where units take outputs, unless there are no others.
        skip: Callable(list of `PrunableWeight`) -> dict from `id(weight)` to a reason to leave
            that kernel alone, or `None`.

    Returns:
        List of `PrunableWeight`, `skip` of at least one being `None`.

    Raises:
        ValueError: If there is no kernel to act on.
    """
    weights = find_weights(model, filters)
    if granularity is not None:
        for weight in weights:
            weight.skip = weight.skip or granularity.skip(view_shape(weight, granularity))
    if skip is not None:
        reasons = skip(_active(weights))
        for weight in weights:
            weight.skip = weight.skip or reasons.get(id(weight))
    if granularity is not None and granularity.takes_outputs:
        _spare_outputs(model, _active(weights))
    if all(weight.skip for weight in weights):
        reasons = {weight.path: weight.skip for weight in weights}
        raise ValueError(f"The model has no weight that can be pruned. Received: {reasons}")
    return weights


def find_kernels(model, filters=None, granularity=None):
    """List the kernels of `find_targets` that are not left alone."""
    return _active(find_targets(model, filters, granularity))


def _active(weights):
    return [weight for weight in weights if weight.skip is None]


def _spare_outputs(model, weights):
    layers = output_layers(model)
    making = [weight for weight in weights if id(weight.layer) in layers]
    if len(making) < len(weights):
        for weight in making:
            weight.skip = "makes the model's outputs, which must all stay"
