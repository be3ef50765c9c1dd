"""Choices that are made before a model runs: operators that they leave without use go."""

import dataclasses

import numpy as np

from keras_prune.export.c.graph import Graph
from keras_prune.export.c.windows import activation_name

_CHOICES = ("SELECT", "SELECT_V2")
_NOT_NEGATIVE = ("RELU", "RELU6", "RELU_0_TO_1")
_STEP = 1 / 128  # int8 comparisons see a difference of twice 1 / 256


def fold_choices(graph):
    """Replace what SELECT gives by what it always chooses, and leave out what nobody reads.

    A condition is known where it is a constant, or where GREATER or LESS_EQUAL compares a tensor
    with a constant below all that it can hold. `FeatureBoosting` keeps all of its channels so. In
    int8 that constant may be the least that the tensor holds; then `x > least ? x : least` is x.
    What computes the shape of a RESHAPE goes too: a graph's shapes are fixed.

    Args:
        graph: `Graph`.

    Returns:
        A `Graph`, the same one where nothing is to be done.
    """
    chosen, known, above, makers = {}, {}, {}, {}
    nodes, shapes = [], False
    for node in graph.nodes:
        inputs = [each and chosen.get(each.index, each) for each in node.inputs]
        if node.kind == "RESHAPE" and len(inputs) == 2 and inputs[1] and inputs[1].data is None:
            inputs, shapes = inputs[:1], True
        node = dataclasses.replace(node, inputs=inputs)
        makers |= {tensor.index: node for tensor in node.outputs}
        known |= _comparison(node, makers)
        above |= _above_least(node)
        choice = _choice(node, known) or _all_above(node, above)
        if choice is None or node.outputs[0] in graph.outputs:
            nodes.append(node)
        else:
            chosen[node.outputs[0].index] = choice
    folded = Graph(graph.inputs, graph.outputs, nodes)
    return _used(folded) if chosen or shapes else graph


def _choice(node, known):
    # The tensor that a SELECT gives whatever the input, or None.
    if node.kind not in _CHOICES or len(node.inputs) != 3 or len(node.outputs) != 1:
        return None
    if None in node.inputs:
        return None
    condition, *choices = node.inputs
    value = known.get(condition.index)
    if condition.data is not None and condition.size:
        values = np.unique(condition.data.astype(bool))
        value = bool(values[0]) if values.size == 1 else None
    if value is None:
        return None
    choice, output = choices[0 if value else 1], node.outputs[0]
    return choice if _is_alike(choice, output) else None


def _above_least(node):
    # {index of the comparison: tensor} for an int8 tensor > a constant that is no more than its
    # least number, where the comparison sees every step of the tensor.
    if node.kind != "GREATER" or len(node.inputs) != 2 or None in node.inputs:
        return {}
    values, constant = node.inputs
    least, most = _lowest(values, None), _real(constant)
    if values.type != "INT8" or least is None or most is None or len(node.outputs) != 1:
        return {}
    sees_steps = float(values.scale) >= _STEP / 2
    return {node.outputs[0].index: values} if sees_steps and most.max() <= least else {}


def _all_above(node, above):
    # The tensor x of SELECT(x > least, x, least), or None.
    if node.kind not in _CHOICES or len(node.inputs) != 3 or None in node.inputs:
        return None
    condition, chosen, other = node.inputs
    values, least = above.get(condition.index), _real(other)
    if values is None or least is None or chosen.index != values.index or len(node.outputs) != 1:
        return None
    is_least = np.all(least == _lowest(values, None))
    return chosen if is_least and _is_alike(chosen, node.outputs[0]) else None


def _is_alike(tensor, output):
    same = tensor.shape == output.shape or (tensor.data is not None and tensor.size == output.size)
    if tensor.type != output.type or not same:
        return False
    return np.array_equal(tensor.scales, output.scales) and np.array_equal(
        tensor.zero_points, output.zero_points
    )


def _comparison(node, makers):
    # {index: whether it is true} for a comparison whose result is known.
    if node.kind not in ("GREATER", "LESS_EQUAL") or len(node.inputs) != 2:
        return {}
    if None in node.inputs or len(node.outputs) != 1:
        return {}
    values, constant = node.inputs
    lowest, most = _lowest(values, makers.get(values.index)), _real(constant)
    if lowest is None or most is None or not lowest > most.max() + _STEP:
        return {}
    return {node.outputs[0].index: node.kind == "GREATER"}


def _lowest(tensor, maker):
    # The smallest number that a tensor can hold, or None.
    if tensor.type == "INT8" and len(tensor.scales) == len(tensor.zero_points) == 1:
        return float(tensor.scale) * (-128 - tensor.zero_point)
    if tensor.type == "FLOAT32" and maker is not None and maker.kind in (*_NOT_NEGATIVE, "ABS"):
        return 0.0
    if tensor.type == "FLOAT32" and maker is not None and activation_name(maker) in _NOT_NEGATIVE:
        return 0.0
    return None


def _real(tensor):
    if tensor.data is None or tensor.size < 1:
        return None
    values = tensor.data.astype(np.float64)
    if tensor.type == "INT8" and len(tensor.scales) == len(tensor.zero_points) == 1:
        values = float(tensor.scale) * (values - tensor.zero_point)
    elif tensor.type != "FLOAT32":
        return None
    return values if np.isfinite(values).all() else None


def _used(graph):
    # The nodes that an output needs.
    needed, nodes = {tensor.index for tensor in graph.outputs}, []
    for node in reversed(graph.nodes):
        if any(tensor.index in needed for tensor in node.outputs):
            needed |= {tensor.index for tensor in node.inputs if tensor is not None}
            nodes.insert(0, node)
    return Graph(graph.inputs, graph.outputs, nodes)
