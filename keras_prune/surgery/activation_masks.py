"""Dynamic activation masks for the layers of a model that exists."""

from keras_prune.analysis.call_graph import has_sublayers, record_graph, steps_of
from keras_prune.analysis.channel_steps import own_calls
from keras_prune.analysis.layer_activations import activation_call
from keras_prune.dependencies import graph_to_follow
from keras_prune.layer_names import layers_by_name
from keras_prune.layers.winner_take_all import WinnerTakeAll, check_share
from keras_prune.surgery.rebuilding import reachable
from keras_prune.surgery.resizing import replace_layers
from keras_prune.tracing import example_input
from keras_prune.weights import find_weights, layer_matcher


def attach_activation_masks(model, rates, sample=None, seed=None, groups=1):
    """Copy a model with a `kp.layers.WinnerTakeAll` behind the activations of its layers.

    The activations of a layer with a kernel are the tensor behind the first non-linearity that
    follows it, with nothing but normalization, dropout or a sum in between; before any pooling.
    The model's outputs are never masked, nor are its inputs. Where there is a mask already, the
    new rate takes its place; a rate of 1 takes the mask away.

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

    Returns:
        A `keras.Model` with the weights of the old one that is not compiled; Functional where the
        model was subclassed.

    Raises:
        ValueError: If an argument is wrong, a layer is unknown or its activations cannot be masked.
    """
    graph = graph_to_follow(model)
    places = activation_places(graph)
    if not isinstance(rates, dict):
        check_share("rates", rates)
        rates = {name: rates for name, place in places.items() if not isinstance(place, str)}
    masks = {}
    for name, rate in rates.items():
        place = places.get(name)
        if place is None:
            raise ValueError(
                f"No layer of that name has activations to mask. Expected some of "
                f"{sorted(places)}. Received: {name!r}"
            )
        if isinstance(place, str):
            raise ValueError(f"{place} Received: rates={{{name!r}: {rate!r}}}")
        if masks.setdefault(place, (rate, name))[0] != rate:
            raise ValueError(
                f"Layers `{masks[place][1]}` and `{name}` share their activations and need "
                f"one rate. Received: rates={rates}"
            )
    new = {}
    for operation, (rate, name) in masks.items():
        check_share(f"rates[{name!r}]", rate)
        mask = WinnerTakeAll(rate, sample, seed, groups, name=f"{name}_winners".replace("/", "_"))
        before = [] if isinstance(operation, WinnerTakeAll) else [operation]
        new[operation] = [*before, mask] if rate < 1.0 else before
    return replace_layers(graph, new)


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
