"""What the choice of channels can be asked for, and of which layers."""

import keras
import numpy as np

from keras_prune.model_outputs import kernel_layers_behind

_KINDS = (keras.layers.Conv1D, keras.layers.Conv2D)


def reason_to_skip(model, weight):
    """Why a kernel keeps all its input channels, or `None`.

    Args:
        model: Functional or Sequential `keras.Model`.
        weight: `PrunableWeight`.
    """
    layer = weight.layer
    if weight.skip is not None:
        return weight.skip
    if type(layer) not in _KINDS or layer.groups > 1:
        return "only convolutions without groups are covered"
    if not any(layer is own for own in model.layers):
        return "it is part of another layer"
    if len(layer._inbound_nodes) > 1:
        return "it is called more than once"
    if not kernel_layers_behind([layer.input]):
        return "it reads the model's inputs"
    return None


def check_model(model, data, heads):
    """Refuse what is no classifier with its data.

    Args:
        model: What a user passed as `model`.
        data: The same as `data`.
        heads: The same as `heads`.

    Returns:
        Tuple of two numpy arrays (x, y).
    """
    functional = isinstance(model, keras.Sequential) or hasattr(model, "_nodes_by_depth")
    if not functional or not model.built or len(model.outputs) != 1 or len(model.inputs) != 1:
        raise ValueError(
            "Expected a built Functional or Sequential `keras.Model` with one input and one "
            f"output. Received: model={getattr(model, 'name', model)}"
        )
    if not model.compiled or not (isinstance(model.loss, str) or callable(model.loss)):
        raise ValueError(
            "The model's own loss judges its last layers: compile the model with one. "
            f"Received: model={model.name}, loss={getattr(model, 'loss', None)}"
        )
    if not isinstance(data, tuple) or len(data) != 2 or len({len(array) for array in data}) != 1:
        raise ValueError(
            "Argument `data` must be a tuple of two arrays (x, y) of one length. "
            f"Received: data of type {type(data).__name__}"
        )
    names = {layer.name for layer in model.layers if _bears_head(layer)}
    if isinstance(heads, str) or not set(heads) <= names:
        raise ValueError(
            "Argument `heads` must be a list of names of layers whose outputs are images or "
            f"sequences, some of {sorted(names)}. Received: heads={heads!r}"
        )
    return tuple(np.asarray(array) for array in data)


def _bears_head(layer):
    if isinstance(layer, keras.Model) or len(layer._inbound_nodes) != 1:
        return False
    return len(getattr(layer.output, "shape", ())) in (3, 4)


def check_numbers(**values):
    """Refuse what is no number of at least 0."""
    for name, value in values.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not 0.0 <= value < np.inf:
            raise ValueError(f"Argument `{name}` must be a number >= 0. Received: {name}={value!r}")


def check_integers(**values):
    """Refuse what is no int of at least 1, or of at least 0 where it counts epochs."""
    for name, value in values.items():
        least = 0 if name.endswith("epochs") else 1
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(
                f"Argument `{name}` must be an int of at least {least}. Received: {name}={value!r}"
            )
