"""The activations of a model's layers, batch by batch."""

import dataclasses

import keras
import numpy as np

from keras_prune import backend
from keras_prune.analysis.activation_counts import unrolled
from keras_prune.analysis.call_graph import has_sublayers, record_graph, steps_of
from keras_prune.analysis.layer_activations import activation_call
from keras_prune.batches import check_data, inputs_of, labelled
from keras_prune.layer_names import layers_by_name
from keras_prune.weights import find_weights, layer_matcher


@dataclasses.dataclass(frozen=True)
class Activations:
    """One tensor of activations.

    Args:
        names: Tuple of str. The layers whose they are; several share a tensor behind a sum.
        values: Float32 array (batch, ...), units last.
        is_output: Bool. Whether the model returns them.
    """

    names: tuple
    values: np.ndarray
    is_output: bool


def activations_of(model, data, filters=None, batch_size=32):
    """Run a model in inference mode and hand out the activations of its layers.

    The activations of a layer with a kernel are the tensor behind the first non-linearity that
    follows it, see `kp.cost`. A layer that is called twice has two tensors.

    Args:
        model: Built `keras.Model`.
        data: Array x or dict of arrays, tuple of arrays (x, y), or iterable of batches (x, y).
        filters: Regex string, list of them, or callable(layer) -> bool. Defaults to all layers.
        batch_size: Int. Examples a batch where `data` are arrays. Defaults to `32`.

    Yields:
        Lists of `Activations`, one a batch.

    Raises:
        ValueError: If no layer matches, or `data` holds no example.
    """
    matches = layer_matcher(filters)
    owners = dict.fromkeys(weight.layer for weight in find_weights(model))
    layers = {id(layer): name for name, layer in layers_by_name(owners).items() if matches(layer)}
    if not layers:
        raise ValueError(f"No layer with a kernel matches. Received: filters={filters!r}")
    check_data(labelled(data))
    backend.sync_state(model)
    steps = [*steps_of(model, has_sublayers), *owners]
    with unrolled(model):
        for x in inputs_of(data, batch_size):
            inputs = keras.tree.map_structure(keras.ops.convert_to_tensor, x)
            yield _of_graph(record_graph(model, steps, inputs), layers)


def _of_graph(graph, layers):
    consumers, outputs = graph.consumers(), {id(tensor) for tensor in graph.outputs}
    found = {}
    for call in graph.calls:
        if id(call.operation) in layers:
            made_by, is_output, _ = activation_call(call, consumers, outputs)
            names, *_ = found.setdefault(
                id(made_by.outputs[0]), ([], made_by.outputs[0], is_output, call.operation)
            )
            names.append(layers[id(call.operation)])
    return [
        Activations(tuple(names), _units_last(tensor, layer), is_output)
        for names, tensor, is_output, layer in found.values()
    ]


def _units_last(tensor, layer):
    values = np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32")))
    first = getattr(layer, "data_format", None) == "channels_first" and values.ndim > 2
    return np.moveaxis(values, 1, -1) if first else values
