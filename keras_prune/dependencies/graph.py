"""A model as one graph of layers, whatever it was made of."""

import contextlib

import keras
from keras import tree

from keras_prune.analysis.call_graph import has_sublayers
from keras_prune.tracing import own_inputs


def graph_of(model):
    """The Functional model behind a Sequential or Functional one; `None` for others."""
    if isinstance(model, keras.Sequential):
        return model._functional if model.built else None
    return model if hasattr(model, "_nodes_by_depth") else None


def walk(model, inputs, visit, enter=None):
    """Run a graph with whatever stands for its tensors, into nested models too.

    Args:
        model: `keras.Model` that `has_graph`.
        inputs: Structure of what stands for the model's inputs.
        visit: Callable(node, args, kwargs) -> structure of what stands for the outputs of a node
            of the graph: its call of `node.operation`.
        enter: Callable(model, list of what stands for its inputs), called before the graph of a
            model, nested ones too, is run. Defaults to nothing.

    Returns:
        The structure of what stands for the model's outputs.
    """
    graph = graph_of(model)
    if enter is not None:
        enter(model, tree.flatten(inputs))
    found = dict(zip(map(id, graph.inputs), tree.flatten(inputs), strict=True))
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            if node.is_input or any(id(tensor) not in found for tensor in node.input_tensors):
                continue
            args, kwargs = node.arguments.fill_in(found)
            if isinstance(node.operation, keras.Model) and graph_of(node.operation) is not None:
                outputs = walk(node.operation, args[0] if args else kwargs["inputs"], visit, enter)
            else:
                outputs = visit(node, args, kwargs)
            found.update(zip(map(id, node.outputs), tree.flatten(outputs), strict=True))
    return tree.pack_sequence_as(graph._outputs_struct, [found[id(t)] for t in graph.outputs])


def has_graph(model, is_leaf):
    """Whether a model, and whatever it is made of, is a graph that can be walked.

    Args:
        model: `keras.Model`.
        is_leaf: Callable(operation) -> bool. Operations that nobody looks into.
    """
    graph = graph_of(model)
    return graph is not None and all(
        is_leaf(operation) or (isinstance(operation, keras.Model) and has_graph(operation, is_leaf))
        for operation in graph.operations
    )


def flattened(model, is_leaf):
    """One graph of the layers of a model that is not, or not only, a graph.

    Subclassed models, and layers that are made of others, are traced: called on symbolic
    tensors. The layers stay the same objects; only the graph is new.

    Args:
        model: Built `keras.Model`.
        is_leaf: Callable(operation) -> bool. Operations that nobody looks into.

    Returns:
        A Functional `keras.Model`.

    Raises:
        ValueError: If the model cannot be traced.
    """

    def visit(node, args, kwargs):
        operation = node.operation
        if is_leaf(operation):
            return operation(*args, **kwargs)
        try:
            level = _level(operation, args, kwargs)
        except Exception:  # a layer that looks at values, or fails otherwise, stays whole
            return operation(*args, **kwargs)
        tensors = [leaf for leaf in tree.flatten((args, kwargs)) if _is_symbolic(leaf)]
        return walk(level, tensors, visit)

    with _nodes_restored(model):
        try:
            inputs = _inputs_of(model)
            level = model if graph_of(model) is not None else _level(model, (inputs,), {})
            return keras.Model(inputs, walk(level, inputs, visit), name=model.name)
        except Exception as error:
            raise ValueError(
                "The model cannot be followed on symbolic tensors, so that nobody knows what "
                f"hangs together in it ({error}). Received: model={model.name} of class "
                f"{type(model).__name__}"
            ) from error


def _level(layer, args, kwargs):
    """What a layer calls, as a graph from the tensors among its arguments to its outputs."""
    tensors = [leaf for leaf in tree.flatten((args, kwargs)) if _is_symbolic(leaf)]
    inputs = [keras.Input(batch_shape=x.shape, dtype=x.dtype) for x in tensors]
    fresh = iter(inputs)
    args, kwargs = tree.map_structure(
        lambda leaf: next(fresh) if _is_symbolic(leaf) else leaf, (args, kwargs)
    )
    return keras.Model(inputs, layer.call(*args, **kwargs))


def _is_symbolic(value):
    return isinstance(value, keras.KerasTensor)


def _inputs_of(model):
    shapes, dtypes = own_inputs(model)
    if shapes is None:
        raise ValueError("it does not tell the shape of its inputs: call it on a batch first")
    inputs = tree.map_shape_structure(lambda shape: keras.Input(shape=shape), shapes)
    if dtypes is None:
        return inputs
    return tree.map_structure(lambda x, kind: keras.Input(x.shape[1:], dtype=kind), inputs, dtypes)


@contextlib.contextmanager
def _nodes_restored(model):
    """Context after which the layers know of no calls but those from before."""
    layers = model._flatten_layers()
    before = [(layer, list(layer._inbound_nodes), list(layer._outbound_nodes)) for layer in layers]
    try:
        yield
    finally:
        for layer, inbound, outbound in before:
            layer._inbound_nodes[:], layer._outbound_nodes[:] = inbound, outbound


def is_composite(operation):
    """True for layers that are made of others."""
    return isinstance(operation, keras.layers.Layer) and has_sublayers(operation)
