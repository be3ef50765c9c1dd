"""A model of the same form, made of other layers."""

import keras
from keras import tree

from keras_prune.dependencies.graph import graph_of
from keras_prune.surgery.compiled_copy import uncompiled


def rebuild(model, make, sizes=None, bypass=None):
    """Copy a graph with other layers in the place of its own.

    Sequential models stay Sequential, nested models stay nested, and a layer that is shared is
    made once. The copy is not compiled.

    Args:
        model: Functional or Sequential `keras.Model`, and nested models likewise.
        make: Callable(operation) -> operation, or list of them to be called one after the other.
        sizes: Callable(model) -> list of shapes of its inputs, with the batch axis; called for
            nested models too. Defaults to the shapes that they have.
        bypass: Callable(operation, list of tensors) -> tensor or `None`. A tensor takes the
            place of the outputs of a call. Defaults to never.

    Returns:
        A `keras.Model`.
    """
    made = {}

    def parts_of(operation):
        if id(operation) not in made:
            nested = isinstance(operation, keras.Model) and graph_of(operation) is not None
            parts = copy(operation) if nested else make(operation)
            made[id(operation)] = parts if isinstance(parts, list) else [parts]
        return made[id(operation)]

    def copy(graph):
        shapes = sizes(graph) if sizes else [tensor.shape for tensor in graph.inputs]
        tensors = [
            keras.Input(batch_shape=shape, dtype=tensor.dtype, name=_input_name(tensor))
            for shape, tensor in zip(shapes, graph.inputs, strict=True)
        ]
        if isinstance(graph, keras.Sequential):
            layers = [part for layer in graph.layers for part in parts_of(layer)]
            return keras.Sequential([*tensors, *layers], name=graph.name, trainable=graph.trainable)
        return keras.models.clone_model(
            graph,
            input_tensors=tree.pack_sequence_as(graph.input, tensors),
            clone_function=lambda operation: operation,
            call_function=call,
        )

    def call(operation, *args, **kwargs):
        tensors = [x for x in tree.flatten((args, kwargs)) if isinstance(x, keras.KerasTensor)]
        instead = bypass and bypass(operation, tensors)
        if instead is not None:
            return instead
        parts = parts_of(operation)
        if not parts:  # left out: what goes in comes out
            return args[0]
        outputs = parts[0](*args, **kwargs)
        for part in parts[1:]:
            outputs = part(outputs)
        return outputs

    with uncompiled(model):
        return copy(model)


def reachable(graph):
    """The set of layers and operations that `rebuild` would hand to `make`, and of models.

    Layers within layers that are no models are not among them.
    """
    found, waiting = set(), [graph]
    while waiting:
        model = waiting.pop()
        for operation in getattr(model, "operations", None) or model.layers:
            if operation not in found:
                found.add(operation)
                if isinstance(operation, keras.Model):
                    waiting.append(operation)
    return found


def _input_name(tensor):
    """The name of an input, which its layer has; the tensor may have another."""
    history = getattr(tensor, "_keras_history", None)
    return tensor.name if history is None else history.operation.name
