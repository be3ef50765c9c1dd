"""WinnerTakeAll: the stock operators that a file has for it are seen as one.

A converter writes the layer as

    scores    = ABS(x)
    threshold = STRIDED_SLICE(TOPK_V2(scores of a group or of a sample of it))
    output    = SELECT_V2(LESS_EQUAL(scores, threshold), 0, x)

with operators between them that only move elements. What these do is found by letting them move
the elements' numbers. Where x is never negative, ABS may be missing, as in `FeatureBoosting`, and
GREATER may stand for LESS_EQUAL, its choices in the other order.
"""

import numpy as np

from keras_prune.export.c.graph import Graph, Node
from keras_prune.export.c.quantization import multiply, quantize_multiplier
from keras_prune.export.c.windows import activation_name
from keras_prune.export.moves import MAX_ELEMENTS, MOVES, move
from keras_prune.export.winner_options import KIND, Winners

_COMPARED_BITS = 8  # LESS_EQUAL compares in steps of 1 / 2**8


def fuse_winners(graph):
    """Replace the operators of every WinnerTakeAll by one of kind `WINNER_TAKE_ALL`.

    Args:
        graph: `Graph`.

    Returns:
        A `Graph`. What is not exactly such a pattern, or whose parts are used elsewhere, stays.
    """
    nodes = list(graph.nodes)
    for node in graph.nodes:
        found = _match(node, nodes, graph.outputs)
        if found is not None:
            replaced, parts = found
            nodes = [replaced if each is node else each for each in nodes if each not in parts]
    return Graph(graph.inputs, graph.outputs, nodes)


def _match(node, nodes, outputs):
    # Returns (the node that replaces it, the other nodes of the pattern) or None.
    made_by = {tensor.index: each for each in nodes for tensor in each.outputs}
    if not _is(node, ("SELECT", "SELECT_V2"), 3) or len(node.outputs) != 1:
        return None
    condition, *choices = node.inputs
    compare = made_by.get(condition.index)
    if _is(compare, ("LESS_EQUAL",), 2):
        zero, x = choices
    elif _is(compare, ("GREATER",), 2):
        x, zero = choices
    else:
        return None
    scores, threshold = compare.inputs
    scored = made_by.get(scores.index)
    absolute = [scored] if _is(scored, ("ABS",), 1) and scored.inputs[0] is x else []
    if not absolute and not (scores is x and _never_negative(x, scored)):
        return None
    after, top = _trace(threshold, made_by)
    if not _is(top, ("TOPK_V2",), 2) or not 1 <= x.size <= MAX_ELEMENTS:
        return None
    before, end = _trace(top.inputs[0], made_by)
    if end is not scored or not _keeps_values(node, zero, x, scores, threshold, before + after):
        return None
    parts = [*absolute, *before, top, *after, compare]
    if not _is_alone(parts, node, nodes, outputs):
        return None
    found = _geometry(x, before, top, after)
    if found is None:
        return None
    return Node(node.index, KIND, [x], node.outputs, Winners(*found, _levels(x, scores))), parts


def _is(node, kinds, inputs):
    return (
        node is not None
        and node.kind in kinds
        and len(node.inputs) == inputs
        and None not in node.inputs
    )


def _never_negative(x, maker):
    if x.type == "INT8":
        return x.zero_points.tolist() == [-128]
    return maker is not None and activation_name(maker) in ("RELU", "RELU6", "RELU_0_TO_1")


def _trace(tensor, made_by):
    # The nodes that only moved elements on the way to this tensor, first first, and what they
    # started from.
    moved = []
    node = made_by.get(tensor.index)
    while node is not None and node.kind in MOVES and node.inputs and None not in node.inputs:
        moved.insert(0, node)
        node = made_by.get(node.inputs[0].index)
    return moved, node


def _keeps_values(node, zero, x, scores, threshold, moved):
    # All tensors must hold the same numbers in the same way: floats, or int8 in one scale.
    tensors = [zero, x, *node.outputs]
    compared = [scores, threshold, *(each.outputs[0] for each in moved)]
    if zero.data is None or zero.size != 1 or node.outputs[0].shape != x.shape:
        return False
    if any(tensor.type != x.type for tensor in tensors + compared):
        return False
    if x.type == "FLOAT32":
        return float(zero.data.reshape(-1)[0]) == 0.0
    if x.type != "INT8" or any(
        len(tensor.scales) != 1 or len(tensor.zero_points) != 1 or not 0 < tensor.scale < np.inf
        for tensor in tensors + compared
    ):
        return False
    if int(zero.data.reshape(-1)[0]) != x.zero_point or not -128 <= x.zero_point <= 127:
        return False
    # LESS_EQUAL takes scales below 1; no ABS is so much finer than its input.
    finer = float(x.scale) < 256 * float(scores.scale) and scores.scale < 1
    return finer and _same_scale(tensors) and _same_scale(compared)


def _same_scale(tensors):
    return len({(float(tensor.scale), tensor.zero_point) for tensor in tensors}) == 1


def _is_alone(parts, node, nodes, outputs):
    inside = {tensor.index for part in parts for tensor in part.outputs}
    if any(tensor.index in inside for tensor in outputs):
        return False
    for other in nodes:
        if other is node or other in parts:
            continue
        if any(tensor is not None and tensor.index in inside for tensor in other.inputs):
            return False
    return True


def _geometry(x, before, top, after):
    # (outer, groups, run, count, places), or None if the elements do not lie so.
    count = top.inputs[1]
    if count.data is None or count.size != 1:
        return None
    k = int(count.data.reshape(-1)[0])
    if not 1 <= k <= top.inputs[0].shape[-1]:
        return None
    try:
        candidates = move(np.arange(x.size).reshape(x.shape), before)
        candidates = candidates.reshape(-1, candidates.shape[-1])
        rows = np.arange(len(candidates) * k).reshape(*top.inputs[0].shape[:-1], k)
        chosen = np.broadcast_to(move(rows, after), x.shape).reshape(-1)
    except (ValueError, IndexError, TypeError, AttributeError):
        return None
    rank, group_of = chosen % k, chosen // k
    groups = len(candidates)
    run = int(np.argmax(group_of != group_of[0])) or x.size
    if x.size % (groups * run) or np.any(rank != rank[0]):
        return None
    expected = np.arange(x.size) // run % groups
    first = np.sort(candidates[0])
    shifted = first + run * np.arange(groups)[:, None]
    if np.any(group_of != expected) or np.any(np.sort(candidates, axis=1) != shifted):
        return None
    everyone = np.array_equal(first, np.flatnonzero(expected == 0))
    places = None if everyone else first
    return x.size // (groups * run), groups, run, int(rank[0]), places


def _levels(x, scores):
    # What LESS_EQUAL sees of ABS of every int8 value, as ranks from 0 on.
    if x.type != "INT8":
        return None
    size = np.abs(np.arange(-128, 128) - x.zero_point)
    if scores.scale != x.scale:
        size = multiply(size, *quantize_multiplier(float(x.scale / scores.scale)))
    found = np.clip(size + scores.zero_point, -128, 127) - scores.zero_point
    seen = multiply(found << _COMPARED_BITS, *quantize_multiplier(float(scores.scale)))
    levels = np.unique(seen, return_inverse=True)[1].reshape(-1)
    return None if np.all(np.diff(levels) > 0) else levels.astype(np.uint8)
