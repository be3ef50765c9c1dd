"""Where in a model's calls the activations of its layers come out."""

import dataclasses

import keras

from keras_prune.analysis.call_graph import has_sublayers, record_graph, steps_of
from keras_prune.analysis.layer_activations import activation_call
from keras_prune.weights import find_weights, layer_matcher

# What these hold runs inside a compiled loop, where nothing outside of it can be counted.
_LOOPS = (keras.layers.RNN, keras.layers.TimeDistributed)


@dataclasses.dataclass(eq=False)
class Place:
    """One tensor of activations.

    Args:
        operation: `keras.Operation` that makes it.
        index: Int. Which of the operation's calls in one call of the model.
        axis: Int. The axis of the units, from the end: `-1` where channels come last.
        units: Int. Size of that axis.
        dense: Bool. Whether it is an output of the model, which counts as dense.
        layers: List of the layers whose activations it holds; several share it behind a sum.
    """

    operation: keras.Operation
    index: int
    axis: int
    units: int
    dense: bool
    layers: list


@dataclasses.dataclass
class Places:
    """What can be counted of a model.

    Args:
        found: List of `Place`, in the order of the calls.
        skipped: Dict from layers to str, why nothing can be counted of them.
        calls: Dict from the id of an operation to its calls in one call of the model.
    """

    found: list
    skipped: dict
    calls: dict


def find_places(model, inputs, filters=None):
    """Find the activations of the layers that own kernels.

    The activations of a layer are the tensor behind the first non-linearity that follows it,
    see `count_activations`. The model is called once, in inference mode.

    Args:
        model: Built `keras.Model`.
        inputs: What to call the model with.
        filters: Regex string, list of them, or callable(layer) -> bool. Only layers that
            match. Defaults to all layers.

    Returns:
        `Places`.
    """
    matches = layer_matcher(filters)
    owners = {id(weight.layer): weight.layer for weight in find_weights(model)}
    layers = {key: layer for key, layer in owners.items() if matches(layer)}
    skipped = _out_of_reach(model, layers)
    steps = steps_of(model, lambda step: has_sublayers(step) and not isinstance(step, _LOOPS))
    graph = record_graph(model, [*steps, *layers.values()], inputs)
    consumers, outputs = graph.consumers(), {id(tensor) for tensor in graph.outputs}
    found, seen, numbers = {}, {}, {}
    for call in graph.calls:
        numbers[id(call)] = seen.get(id(call.operation), 0)
        seen[id(call.operation)] = numbers[id(call)] + 1
    for call in graph.calls:
        layer = call.operation
        if id(layer) not in layers or layer in skipped:
            continue
        made_by, is_output, _ = activation_call(call, consumers, outputs)
        tensor = made_by.outputs[0]
        if not is_output and id(tensor) not in consumers:
            skipped[layer] = "what reads its activations is no layer: make the non-linearity one"
        elif getattr(made_by.operation, "_remat_mode", None):
            skipped[layer] = "it is computed again in the backward pass (`RematScope`)"
        else:
            axis = 1 - tensor.ndim if _channels_first(layer) else -1
            place = Place(
                made_by.operation,
                numbers[id(made_by)],
                axis,
                int(tensor.shape[axis]),
                is_output,
                [],
            )
            found.setdefault(id(made_by), place).layers.append(layer)
    places = [place for place in found.values() if _counted(place, skipped)]
    uncalled = {layer for layer in layers.values() if not any(layer in p.layers for p in places)}
    for layer in uncalled - set(skipped):
        skipped[layer] = "the model does not call it"
    calls = {id(place.operation): seen[id(place.operation)] for place in places}
    return Places(places, skipped, calls)


def _counted(place, skipped):
    """Leave out of a place the layers of which another part cannot be counted."""
    place.layers = [layer for layer in place.layers if layer not in skipped]
    return bool(place.layers)


def _out_of_reach(model, layers):
    """Dict from the layers that run inside a loop to the reason that they are skipped for."""
    found = {}
    for loop in model._flatten_layers():
        if isinstance(loop, _LOOPS):
            for layer in loop._flatten_layers(include_self=False):
                if id(layer) in layers:
                    found[layer] = f"it runs inside the loop of {type(loop).__name__}"
    return found


def _channels_first(layer):
    return getattr(layer, "data_format", None) == "channels_first"
