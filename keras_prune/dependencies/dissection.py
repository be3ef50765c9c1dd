"""The rules of all layers, run through a model's graph."""

from keras_prune.dependencies.anatomy import Anatomy
from keras_prune.dependencies.graph import flattened, graph_of, has_graph, is_composite, walk
from keras_prune.dependencies.rules import Call, rule_of
from keras_prune.dependencies.units import Signal

_INPUTS = "it is an input of the model"
_OUTPUTS = "it makes the model's outputs"


def dissect(model, exact=True, cut_inputs=False):
    """Find out which units of a model hang together, and who reads them.

    Args:
        model: Built `keras.Model`.
        exact: Bool, see `Anatomy`. Defaults to `True`.
        cut_inputs: Bool. Whether the features of the inputs may go. Defaults to `False`.

    Returns:
        An `Anatomy`, complete.

    Raises:
        ValueError: If the model cannot be followed.
    """
    graph = graph_to_follow(model)
    body = Anatomy(graph, exact)

    def begin(tensor):
        shape = tuple(tensor.shape[1:])
        known = bool(shape) and shape[-1] is not None
        ids = body.units.new(shape[-1] if known else 1)
        if not (cut_inputs and known):
            body.units.protect(ids, _INPUTS)
        return Signal.varying(shape, max(0, len(shape) - 1), ids)

    def visit(node, args, kwargs):
        rule = rule_of(node.operation)
        shapes = [tuple(tensor.shape[1:]) for tensor in node.outputs]
        call = Call(body, node.operation, args, kwargs, shapes)
        return call.closed("is not known to surgery") if rule is None else rule(call)

    inputs = [begin(tensor) for tensor in graph_of(graph).inputs]
    body.stay(walk(graph, inputs, visit, body.enter), _OUTPUTS)
    return body


def graph_to_follow(model):
    """The model itself where it has a graph that can be followed, else a traced copy of it.

    The copy calls the model's own layers; operations that are no layers are made anew each time.

    Args:
        model: Built `keras.Model`.

    Returns:
        `keras.Model`, Functional or Sequential.

    Raises:
        ValueError: If the model cannot be traced.
    """
    return model if has_graph(model, _is_leaf) else flattened(model, _is_leaf)


def _is_leaf(operation):
    stock = type(operation).__module__.startswith("keras.src.layers.")
    return stock or rule_of(operation) is not None or not is_composite(operation)
