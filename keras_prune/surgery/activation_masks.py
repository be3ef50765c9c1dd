"""Dynamic activation masks for the layers of a model that exists."""

import keras

from keras_prune.analysis.call_graph import has_sublayers, record_graph, steps_of
from keras_prune.analysis.channel_steps import own_calls
from keras_prune.analysis.layer_activations import activation_call
from keras_prune.dependencies import graph_to_follow
from keras_prune.layer_names import layers_by_name
from keras_prune.layers.activation_threshold import ActivationThreshold
from keras_prune.layers.winner_take_all import WinnerTakeAll, check_share
from keras_prune.surgery.rebuilding import reachable
from keras_prune.surgery.resizing import replace_layers
from keras_prune.tracing import example_input
from keras_prune.weights import find_weights, layer_matcher


def attach_activation_masks(model, rates=None, sample=None, seed=None, groups=1, thresholds=None):
    """Copy a model with masks behind the activations of its layers.

    The masks are `kp.layers.WinnerTakeAll`, and with `thresholds` their static twin,
    `kp.layers.ActivationThreshold`.

    The activations of a layer with a kernel are the tensor behind the first non-linearity that
    follows it, with nothing but normalization, dropout or a sum in between; before any pooling.
    The model's outputs are never masked, nor are its inputs. Where there is a mask already, the
    new one takes its place; a rate of 1 or a threshold of 0 takes the mask away.

    Example:

    ```python
    masked = kp.attach_activation_masks(model, {"fc1": 0.12, "fc2": 0.24})
    masked.compile("adadelta", "sparse_categorical_crossentropy")
    masked.fit(x, y)
    ```

    Args:
        model: Built `keras.Model`. It stays as it is.
        rates: Float in [0, 1], the share of activations that wins in all layers but those that
            make outputs. Or a dict from names of layers to such floats. Layers in nested models
            that share a name go by their paths, with a number where these are the same too.
        sample: See `kp.layers.WinnerTakeAll`. Defaults to `None`.
        seed: See `kp.layers.WinnerTakeAll`. Defaults to `None`.
        groups: See `kp.layers.WinnerTakeAll`. Defaults to `1`.
        thresholds: Like `rates`, but floats >= 0: what absolute activations must exceed. Defaults
            to `None`; one of the two is given.

    Returns:
        A `keras.Model` with the weights of the old one that is not compiled; Functional where the
        model was subclassed.

    Raises:
        ValueError: If an argument is wrong, a layer is unknown or its activations cannot be masked.
    """
    if (rates is None) == (thresholds is None) or (
        rates is None and (sample, seed, groups) != (None, None, 1)
    ):
        raise ValueError(
            "One of `rates`, with `sample`, `seed` and `groups`, and `thresholds` says what is "
            f"masked. Received: rates={rates}, sample={sample}, seed={seed}, groups={groups}, "
            f"thresholds={thresholds}"
        )
    graph = graph_to_follow(model)
    places = activation_places(graph)
    if thresholds is None:
        argument, asked = "rates", _rates_by_name(places, rates)
    else:
        argument, asked = "thresholds", _by_name(places, thresholds)
    masks = {}
    for name, value in asked.items():
        place = places.get(name)
        if place is None:
            raise ValueError(
                f"No layer of that name has activations to mask. Expected some of "
                f"{sorted(places)}. Received: {name!r}"
            )
        if isinstance(place, str):
            raise ValueError(f"{place} Received: {argument}={{{name!r}: {value!r}}}")
        if masks.setdefault(place, (value, name))[0] != value:
            raise ValueError(
                f"Layers `{masks[place][1]}` and `{name}` share their activations and need "
                f"one mask. Received: {argument}={asked}"
            )
    new = {}
    for operation, (value, name) in masks.items():
        if thresholds is None:
            check_share(f"rates[{name!r}]", value)
            mask = WinnerTakeAll(value, sample, seed, groups, name=_layer_name(name, "winners"))
        else:
            mask = ActivationThreshold(value, name=_layer_name(name, "threshold"))
        masked = value < 1.0 if thresholds is None else value > 0.0
        new[operation] = [*_without_mask(operation, name), *([mask] if masked else [])]
    return replace_layers(graph, new)


def _layer_name(name, kind):
    return f"{name}_{kind}".replace("/", "_")


def _without_mask(operation, name):
    """What is left of an operation when its mask is taken away, a list."""
    if not getattr(operation, "masks_activations", False):
        return [operation]
    activation = getattr(operation, "activation", keras.activations.linear)
    if activation is keras.activations.linear:
        return []
    return [keras.layers.Activation(activation, name=_layer_name(name, "activation"))]


def activation_rates(model, rates):
    """The rates of a model's layers by name, one number given for all spelled out.

    Args:
        model: See `attach_activation_masks`.
        rates: See `attach_activation_masks`.

    Returns:
        Dict from names of layers to floats.
    """
    return _rates_by_name(activation_places(graph_to_follow(model)), rates)


def _rates_by_name(places, rates):
    if not isinstance(rates, dict):
        check_share("rates", rates)
    return _by_name(places, rates)


def _by_name(places, values):
    if isinstance(values, dict):
        return values
    return {name: values for name, place in places.items() if not isinstance(place, str)}


def activation_places(graph, filters=None):
    """Where the activations of a model's layers with kernels come out.

    Args:
        graph: Built `keras.Model` with a graph, see `graph_to_follow`.
        filters: Regex string, list of them, or callable(layer) -> bool. Layers to look at.
            Defaults to all.

    Returns:
        Dict from names of layers to the operation that makes the activations, the last mask where
        there is one; or to a sentence that says why they cannot be masked.
    """
    layers = [weight.layer for weight in find_weights(graph)]
    steps = [*steps_of(graph, has_sublayers), *layers]
    record = record_graph(graph, steps, example_input(graph))
    calls, consumers = own_calls(record), record.consumers()
    outputs = {id(tensor) for tensor in record.outputs}
    known = reachable(graph)

    def place_of(layer):
        found = [activation_call(c, consumers, outputs) for c in calls.get(id(layer), ())]
        if not found:
            return f"The model does not call layer `{layer.name}`."
        if any(is_output for _, is_output, _ in found):
            return f"Layer `{layer.name}` makes outputs of the model, which are not masked."
        operations = list(dict.fromkeys(call.operation for call, _, _ in found))
        if len(operations) > 1 or operations[0] not in known:
            return f"The activations of layer `{layer.name}` come from within another layer."
        return operations[0]

    named, matches = layers_by_name(layers), layer_matcher(filters)
    return {name: place_of(layer) for name, layer in named.items() if matches(layer)}
