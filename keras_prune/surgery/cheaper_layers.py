"""What all functions share that put cheaper layers in the place of convolutions."""

import math

import keras
import numpy as np

from keras_prune import backend
from keras_prune.dependencies import graph_to_follow
from keras_prune.surgery.rebuilding import reachable
from keras_prune.surgery.replacement_report import ReplacedLayer, ReplacementReport
from keras_prune.surgery.resizing import replace_layers
from keras_prune.tracing import example_input, own_inputs, record_calls
from keras_prune.weights import find_weights


def replace_kernels(model, title, filters, kinds, make):
    """Copy a model with cheaper layers in the place of some.

    Args:
        model: Built `keras.Model`. It stays as it is.
        title: Str. The title of the report.
        filters: As `find_weights` takes them.
        kinds: Tuple of classes of layers that can be replaced; subclasses cannot.
        make: Callable(layer, kernel array, name of a layer in the model) -> (list of layers that
            are built, what they are in words, array: the kernel that does the same), or a string:
            why the layer stays. Of the new layers only the kernels and centroids count.

    Returns:
        Tuple of a `keras.Model` that is not compiled, and a `ReplacementReport`.

    Raises:
        ValueError: If an argument is wrong or no layer can be replaced.
    """
    weights = find_weights(model, filters)
    backend.sync_state(model)
    graph = graph_to_follow(model)
    known = reachable(graph)
    positions = _positions(model, [weight.layer for weight in weights])
    lines, layers = [], {}
    for weight in weights:
        layer, count = weight.layer, positions.get(id(weight.layer))
        if not isinstance(layer, kinds):
            lines.append(_left(weight, None, f"{type(layer).__name__} layers are not covered"))
            continue
        reason = weight.skip or _unsuitable(layer, kinds, known)
        found = reason or make(layer, weight.numpy().astype(np.float64))
        if not isinstance(found, str):
            found = _not_cheaper(weight.size, found[0]) or found
        if isinstance(found, str):
            lines.append(_left(weight, count, found))
            continue
        layers[layer], words, same = found
        lines.append(_replaced(weight, count, layers[layer], words, same))
    report = ReplacementReport(f"{title}: {model.name}", tuple(lines))
    if not layers:
        reasons = {line.name: line.skip for line in lines}
        raise ValueError(f"The model has no layer that can be replaced. Received: {reasons}")
    return replace_layers(graph, layers), report


def _unsuitable(layer, kinds, known):
    if type(layer) not in kinds:
        return f"class {type(layer).__name__} may do anything"
    if layer.groups > 1:
        return "its inputs are in groups already"
    if layer not in known:
        return "it is part of another layer"
    return None


def _positions(model, layers):
    """At how many places each layer applies its kernel to one example, over all of its calls.

    Returns:
        Dict from `id(layer)` to ints; empty where the model leaves the size of its inputs open.
    """
    shapes, _ = own_inputs(model)
    sizes = keras.tree.flatten(shapes) if shapes is not None else [None]
    if None in sizes or not sizes:
        return {}
    convolutions = [layer for layer in layers if hasattr(layer, "data_format")]
    calls = record_calls(model, convolutions, example_input(model))

    def places(layer, shape):
        return math.prod(shape[1:-1] if layer.data_format == "channels_last" else shape[2:])

    return {
        id(layer): sum(places(layer, made) for _, made in calls[id(layer)])
        for layer in convolutions
    }


def kernel_size_of(layers):
    """Weights in the kernels of some layers, without biases and whole numbers."""
    variables = [variable for layer in layers for variable in layer.trainable_variables]
    return sum(math.prod(v.shape) for v in variables if "bias" not in v.name)


def _not_cheaper(size, layers):
    after = kernel_size_of(layers)
    if after >= size:
        return f"it would not become cheaper: {after:,} weights instead of {size:,}"
    return None


def _left(weight, count, reason):
    macs = None if count is None else count * weight.size
    return ReplacedLayer(weight.layer.name, weight.size, macs, skip=reason)


def _replaced(weight, count, layers, words, same):
    before, after = weight.size, kernel_size_of(layers)
    kernel = weight.numpy().astype(np.float64)
    error = float(np.linalg.norm(kernel - same) / (np.linalg.norm(kernel) or 1.0))
    macs = [None if count is None else count * size for size in (before, after)]
    return ReplacedLayer(weight.layer.name, before, macs[0], words, after, macs[1], error)
