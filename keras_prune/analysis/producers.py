"""Which layer makes the inputs of a kernel: its one producer, where there is just one."""

import keras
import numpy as np

from keras_prune.analysis.channel_steps import (
    channels_first,
    graph_on_zeros,
    keeps_channels,
    own_calls,
)
from keras_prune.weights import PrunableWeight, axis_roles, find_weights

_LAYERS = keras.layers
_READERS = (
    _LAYERS.Dense,
    _LAYERS.Conv1D,
    _LAYERS.Conv2D,
    _LAYERS.Conv3D,
    _LAYERS.Conv1DTranspose,
    _LAYERS.Conv2DTranspose,
    _LAYERS.Conv3DTranspose,
)


def find_producers(model):
    """Find the kernels whose outputs are the inputs of others.

    Followed back through activations, normalization, dropout, pooling, padding and `Flatten`,
    with the channels last. Sums, concatenations and layers that are called several times have no
    producer.

    Args:
        model: Built `keras.Model`. It runs once, on zeros.

    Returns:
        Dict from `id(variable)` of a kernel to a pair: the `PrunableWeight` that makes its
        inputs, and an int array (inputs,) that says which output of that each input is.

    Raises:
        ValueError: If the model does not know the shape of its inputs.
    """
    graph = graph_on_zeros(model)
    makers = {id(call.outputs[0]): call for call in graph.calls}
    kernels = {}
    for weight in find_weights(model):
        made = _with_roles(weight)
        if made is not None:
            kernels[id(weight.layer)] = made
    found = {}
    for calls in own_calls(graph).values():
        reader = kernels.get(id(calls[0].operation))
        if reader is not None and len(calls) == 1:
            made = _made(calls[0], makers, kernels)
            if made is not None:
                found[id(reader.variable)] = made
    return found


def _with_roles(weight):
    """The weight of a dense or convolutional layer, also of one that is left alone."""
    if not isinstance(weight.layer, _READERS):
        return None
    roles = axis_roles(weight.layer, weight.variable)
    if isinstance(roles, str) or channels_first(weight.layer):
        return None
    return PrunableWeight(weight.layer, weight.variable, *roles, weight.groups)


def _made(call, makers, kernels):
    """The pair of the producer and the outputs that a call reads, or `None`."""
    tensor = call.inputs[0]
    channels = tensor.shape[-1]
    while id(tensor) in makers:
        maker = makers[id(tensor)]
        source = kernels.get(id(maker.operation))
        if source is not None:
            outputs = source.view_shape[0]
            # `Flatten` puts the channels of all positions one behind the other.
            return source, np.arange(channels) % outputs
        flat = isinstance(maker.operation, _LAYERS.Flatten) and not channels_first(maker.operation)
        if len(maker.inputs) != 1 or not (flat or keeps_channels(maker.operation)):
            return None
        tensor = maker.inputs[0]
    return None
