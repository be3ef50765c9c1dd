"""The calls that a model makes, and which tensor goes from which to which."""

import contextlib
import dataclasses

import keras
from keras import tree


@dataclasses.dataclass(eq=False)
class Call:
    """One call of a layer or operation.

    Args:
        operation: `keras.Operation`, a layer as a rule.
        arguments: The pair (args, kwargs) of the call, without `training` and `mask`.
        inputs: List of the tensors among the arguments.
        outputs: List of tensors.
    """

    operation: keras.Operation
    arguments: tuple
    inputs: list
    outputs: list

    def arguments_with(self, tensors):
        """The pair (args, kwargs) with other tensors in the place of `inputs`."""
        tensors = iter(tensors)
        return tree.map_structure(
            lambda leaf: next(tensors) if keras.ops.is_tensor(leaf) else leaf, self.arguments
        )


@dataclasses.dataclass(eq=False)
class CallGraph:
    """Calls in the order in which they were made. Tensors are told apart by identity.

    Args:
        calls: List of `Call`.
        inputs: List of tensors, what the model was called with.
        outputs: List of tensors, what it returned.
    """

    calls: list
    inputs: list
    outputs: list

    def consumers(self):
        """Dict from `id(tensor)` to the list of calls that take it."""
        found = {}
        for call in self.calls:
            for key in {id(tensor) for tensor in call.inputs}:
                found.setdefault(key, []).append(call)
        return found


def record_graph(model, operations, inputs):
    """Run a model once in inference mode and note some operations' calls.

    A call that returns its own input, as `Dropout` does in inference, is not noted.

    Args:
        model: Built `keras.Model`.
        operations: Iterable of `keras.Operation`. Their calls are noted.
        inputs: What to call the model with, tensors.

    Returns:
        A `CallGraph`. It holds every tensor of the calls.
    """
    calls, ids = [], {id(operation) for operation in operations}

    def observe(operation, args, kwargs, outputs):
        own = {k: v for k, v in kwargs.items() if k not in ("training", "mask")}
        arguments = (args, own)
        taken, made = _tensors(arguments), _tensors(outputs)
        if id(operation) in ids and made and all(made[0] is not tensor for tensor in taken):
            calls.append(Call(operation, arguments, taken, made))

    with _all_calls_shown(observe):
        outputs = model(inputs, training=False)
    return CallGraph(calls, _tensors(inputs), _tensors(outputs))


def steps_of(model, inside=lambda layer: isinstance(layer, keras.Model)):
    """The layers and operations that a model is made of.

    Args:
        model: `keras.Model`.
        inside: Callable(layer) -> bool. Whether to go on with what a layer is made of instead
            of the layer. Defaults to nested models only.

    Returns:
        List of `keras.Operation`, each once.
    """
    parts = [*model._flatten_layers(include_self=False, recursive=False)]
    parts += getattr(model, "operations", ())  # of a graph: also what is no layer
    found = {}
    for part in parts:
        if isinstance(part, keras.layers.Layer) and inside(part):
            found.update((id(step), step) for step in steps_of(part, inside))
        else:
            found[id(part)] = part
    return list(found.values())


def has_sublayers(layer):
    """True for layers that are made of others."""
    return any(True for _ in layer._flatten_layers(include_self=False))


@contextlib.contextmanager
def _all_calls_shown(observe):
    """Context in which every call is shown, with the very tensors that the caller passed.

    `Layer.__call__` casts its arguments before `call` sees them, so that watching `call`
    loses track of a tensor wherever the dtype changes.
    """
    owners = (keras.layers.Layer, keras.Operation)
    originals = [owner.__call__ for owner in owners]

    def watched(original, skip):
        def call(self, *args, **kwargs):
            outputs = original(self, *args, **kwargs)
            if skip is None or not isinstance(self, skip):
                observe(self, args, kwargs, outputs)
            return outputs

        return call

    try:
        for owner, original, skip in zip(owners, originals, (None, owners[0]), strict=True):
            owner.__call__ = watched(original, skip)
        yield
    finally:
        for owner, original in zip(owners, originals, strict=True):
            owner.__call__ = original


def _tensors(structure):
    return [leaf for leaf in tree.flatten(structure) if keras.ops.is_tensor(leaf)]
