"""Layers that leave the channels of a tensor where they are, and the graph to look for them in."""

import keras

from keras_prune.analysis.call_graph import has_sublayers, record_graph, steps_of
from keras_prune.analysis.layer_activations import is_activation
from keras_prune.tracing import example_input

_LAYERS = keras.layers
_OPEN = 64  # what an open size of an input is taken for
_NORMS = (
    _LAYERS.BatchNormalization,
    _LAYERS.LayerNormalization,
    _LAYERS.GroupNormalization,
)
_WITHOUT_FORMAT = (
    _LAYERS.Dropout,
    _LAYERS.SpatialDropout1D,
    _LAYERS.SpatialDropout2D,
    _LAYERS.SpatialDropout3D,
    _LAYERS.Identity,
    _LAYERS.Activation,
)
_WITH_FORMAT = (
    _LAYERS.MaxPooling1D,
    _LAYERS.MaxPooling2D,
    _LAYERS.MaxPooling3D,
    _LAYERS.AveragePooling1D,
    _LAYERS.AveragePooling2D,
    _LAYERS.AveragePooling3D,
    _LAYERS.GlobalMaxPooling1D,
    _LAYERS.GlobalMaxPooling2D,
    _LAYERS.GlobalMaxPooling3D,
    _LAYERS.GlobalAveragePooling1D,
    _LAYERS.GlobalAveragePooling2D,
    _LAYERS.GlobalAveragePooling3D,
    _LAYERS.ZeroPadding1D,
    _LAYERS.ZeroPadding2D,
    _LAYERS.ZeroPadding3D,
    _LAYERS.Cropping1D,
    _LAYERS.Cropping2D,
    _LAYERS.Cropping3D,
    _LAYERS.UpSampling1D,
    _LAYERS.UpSampling2D,
    _LAYERS.UpSampling3D,
)


def scales_channels(operation):
    """True for layers with a scaling factor `gamma` for each channel of `axis`."""
    named = getattr(operation, "scales_channels", False)
    return named or isinstance(operation, _LAYERS.BatchNormalization)


def keeps_channels(operation, first=False):
    """True for a layer or operation with one input whose channels it leaves in their places.

    Args:
        operation: `keras.Operation`.
        first: Bool. Whether the channels are the first axis after the batch, else the last.
            Defaults to `False`.
    """
    if isinstance(operation, _WITH_FORMAT):
        own = getattr(operation, "data_format", None) == "channels_first"
        return own == first
    named = getattr(operation, "scales_channels", False)
    return named or isinstance(operation, _NORMS + _WITHOUT_FORMAT) or is_activation(operation)


def channels_first(layer):
    """True if the channels of what a layer puts out are the first axis after the batch."""
    return getattr(layer, "data_format", None) == "channels_first"


def graph_on_zeros(model):
    """Run a model once on zeros and note all calls of its layers and operations.

    Args:
        model: Built `keras.Model`.

    Returns:
        A `CallGraph`.

    Raises:
        ValueError: If the model does not know the shape of its inputs.
    """
    steps = steps_of(model, has_sublayers)
    return record_graph(model, steps, example_input(model, open_size=_OPEN))


def own_calls(graph):
    """Dict from `id(operation)` to the list of its calls."""
    found = {}
    for call in graph.calls:
        found.setdefault(id(call.operation), []).append(call)
    return found


def is_cell(layer):
    """True for the cells of recurrent layers, whose outputs are not the units of their kernels."""
    return hasattr(layer, "state_size")
