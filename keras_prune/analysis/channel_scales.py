"""The scaling factors that follow a kernel: those of a BatchNormalization, or a layer of scales."""

from keras_prune.analysis.channel_steps import (
    channels_first,
    graph_on_zeros,
    is_cell,
    keeps_channels,
    own_calls,
    scales_channels,
)

_NONE = "no BatchNormalization or ChannelScale follows it alone"


def find_scales(model, weights):
    """Find the factor of each output of some kernels.

    It is the `gamma` of the first `BatchNormalization`, or layer that says `scales_channels`,
    behind the layer, with nothing in between but activations, dropout, pooling, padding and
    other normalization, and nothing else that reads what is in between.

    Args:
        model: Built `keras.Model`. It runs once, on zeros.
        weights: List of `PrunableWeight`.

    Returns:
        Dict from `id(variable)` of each kernel to a `keras.Variable` of shape (outputs,), or to
        a string: why there is none.

    Raises:
        ValueError: If the model does not know the shape of its inputs.
    """
    graph = graph_on_zeros(model)
    calls, consumers = own_calls(graph), graph.consumers()
    outputs = {id(tensor) for tensor in graph.outputs}
    found = {}
    for weight in weights:
        own = calls.get(id(weight.layer), ())
        scales = [_following(call, consumers, outputs) for call in own]
        found[id(weight.variable)] = _agreed(weight, scales)
    return found


def _following(call, consumers, outputs):
    """The factors behind one call of a layer, or a string."""
    first, tensor = channels_first(call.operation), call.outputs[0]
    while id(tensor) not in outputs:
        following = consumers.get(id(tensor), ())
        if len(following) != 1 or len(following[0].inputs) != 1:
            return _NONE
        operation = following[0].operation
        if scales_channels(operation):
            rank = len(tensor.shape)
            if operation.axis % rank != (1 if first else rank - 1):
                return f"{operation.name} behind it has another axis than the layer's outputs"
            if operation.gamma is None:
                return f"{operation.name} behind it has no scaling factors: it needs `scale=True`"
            return operation.gamma
        if not keeps_channels(operation, first):
            return _NONE
        tensor = following[0].outputs[0]
    return _NONE


def _agreed(weight, scales):
    if is_cell(weight.layer):
        return "its outputs are the gates of a recurrent layer"
    if not scales:
        return "its layer is not called"
    if any(scale is not scales[0] for scale in scales):
        return "its layer is called several times, with different scaling factors behind it"
    if not isinstance(scales[0], str) and scales[0].shape[0] != weight.view_shape[0]:
        return "the scaling factors behind it are not one for each output"
    return scales[0]
