"""Carrying the weights of the most active units over into a smaller network."""

import dataclasses

import keras
import numpy as np

from keras_prune.analysis.call_graph import has_sublayers, record_graph, steps_of
from keras_prune.layers.parameter_free_shortcut import ParameterFreeShortcut
from keras_prune.recipes.layer_sizes import size_of
from keras_prune.tracing import example_input
from keras_prune.weights import is_kernel

_SUMS = (keras.layers.Add, keras.layers.Average, keras.layers.Multiply)
_PER_CHANNEL = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
)


def most_active(counts, widths):
    """The units that were most often not zero, in the order in which the layer has them.

    Args:
        counts: Dict from layer names to int arrays (units,).
        widths: Dict from the same names to ints: how many units to keep. Equals keep the first.

    Returns:
        A dict from the names to int arrays.
    """
    return {
        name: np.sort(np.argsort(-np.asarray(counts[name]), kind="stable")[:width])
        for name, width in widths.items()
    }


def take_over(new, old, kept):
    """Set a network's weights to those of the kept units of a larger one.

    Behind a sum the units are those of the branch that ends last, which is not the shortcut.

    Args:
        new: `keras.Model`, the smaller one.
        old: `keras.Model`, built by the same function, with layers of the same names.
        kept: Dict from layer names to int arrays, the units to keep of these layers.

    Raises:
        ValueError: If it cannot be told which weights belong to which units. `new` is then as
            it was.
    """
    inputs, values = _Channels(old, kept).inputs, []
    layers = {layer.name: layer for layer in old._flatten_layers() if not has_sublayers(layer)}
    for layer in new._flatten_layers():
        if has_sublayers(layer) or not layer.weights:
            continue
        before = layers.get(layer.name)
        if before is None or type(before) is not type(layer) or layer.name not in inputs:
            raise ValueError(
                'initialization="most_active" needs layers of the same names in every model that '
                f"`model_fn` makes, each called. Received: {layer.name}"
            )
        for variable, source in zip(layer.weights, before.weights, strict=True):
            value = np.array(keras.ops.convert_to_numpy(source))
            value = _part(value, layer, source, inputs[layer.name], kept.get(layer.name))
            if value.shape != tuple(variable.shape):
                raise ValueError(
                    'initialization="most_active" cannot tell which weights of a layer belong to '
                    f"the units that stay: {value.shape} are left for {tuple(variable.shape)}. "
                    f"Received: {variable.path}"
                )
            values.append((variable, value))
    for variable, value in values:
        variable.assign(value)


def _part(value, layer, variable, inputs, outputs):
    """The entries of a weight that belong to the units that stay."""
    if isinstance(layer, _PER_CHANNEL):  # depthwise kernels are (..., channels, multiplier)
        return value.take(inputs, 0 if value.ndim == 1 else -2)
    if size_of(layer) is None:
        return value
    if is_kernel(variable):
        value = value.take(inputs, -2)
    return value if outputs is None else value.take(outputs, -1)


@dataclasses.dataclass
class _Trace:
    """Which channels of a tensor stay, and how late in the model they were made."""

    channels: np.ndarray
    when: int


class _Channels:
    """Follows the channels that stay through the calls of a model.

    Attributes:
        inputs: Dict from layer names to int arrays: the channels of the layer's input that stay.
    """

    def __init__(self, model, kept):
        graph = record_graph(model, steps_of(model, has_sublayers), example_input(model))
        self.inputs, self.found = {}, {}
        for tensor in graph.inputs:
            self.found[id(tensor)] = _Trace(np.arange(tensor.shape[-1]), -1)
        for when, call in enumerate(graph.calls):
            traces = [self._trace(tensor, call.operation) for tensor in call.inputs]
            self.inputs[call.operation.name] = traces[0].channels
            made = self._made(call, traces, kept, when)
            self.found[id(call.outputs[0])] = made

    def _trace(self, tensor, operation):
        if id(tensor) not in self.found:
            raise ValueError(_unknown(operation))
        return self.found[id(tensor)]

    def _made(self, call, traces, kept, when):
        layer, before, after = call.operation, call.inputs[0].shape, call.outputs[0].shape
        if getattr(layer, "data_format", None) == "channels_first":
            raise ValueError(_unknown(layer))
        if isinstance(layer, keras.layers.Layer) and size_of(layer) is not None:
            return _Trace(kept.get(layer.name, np.arange(after[-1])), when)
        if len(traces) > 1:
            if not isinstance(layer, _SUMS) and type(layer).__name__ not in ("Add", "Multiply"):
                raise ValueError(_unknown(layer))
            return max(traces, key=lambda trace: trace.when)
        if isinstance(layer, ParameterFreeShortcut) or before[-1] == after[-1]:
            return traces[0]
        if isinstance(layer, keras.layers.Flatten):
            places = np.arange(after[-1]).reshape(-1, before[-1])  # channels come last
            return _Trace(places[:, traces[0].channels].ravel(), traces[0].when)
        raise ValueError(_unknown(layer))


def _unknown(layer):
    return (
        'initialization="most_active" follows units through layers that keep channels, sums and '
        'Flatten, where channels come last: use "fresh" for this model. '
        f"Received: {layer.name} ({type(layer).__name__})"
    )
