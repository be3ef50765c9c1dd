"""Gated convolutions: what multiplies channels by the output of a WinnerTakeAll leaves few of them.

`FeatureBoosting` becomes

    y = MUL(CONV_2D(x), gate), gate = WINNER_TAKE_ALL(...), one value a channel

Channels whose gate is zero need not be computed, and the convolution behind need not read them.
"""

import dataclasses

from keras_prune.export.c.graph import Graph, Node, Tensor
from keras_prune.export.winner_options import KIND as WINNERS

KIND = "GATED_CONV_2D"
MAX_CHANNELS = 1 << 15
# What gives zero for channels of zeros, in int8 the zero point.
_KEEP_ZEROS = ("AVERAGE_POOL_2D", "MAX_POOL_2D", "PAD", "QUANTIZE", "RELU", "RELU6")


@dataclasses.dataclass(frozen=True, eq=False)
class Gate:
    """A value a channel; at most `most` are not zero."""

    tensor: Tensor
    most: int


@dataclasses.dataclass(frozen=True, eq=False)
class Gated:
    """Options of a gated convolution: its operators and the gates of inputs and outputs.

    Without a gate of the outputs, `multiplication` is `None` too.
    """

    convolution: Node
    multiplication: Node | None
    inputs: Gate | None
    outputs: Gate | None


def fuse_gates(graph):
    """Replace CONV_2D before or behind a gate, with its MUL, by one operator `GATED_CONV_2D`.

    Args:
        graph: `Graph` in which every WinnerTakeAll is one operator.

    Returns:
        A `Graph`. The inputs of such an operator are those of the convolution and the gates.
    """
    made_by = {tensor.index: node for node in graph.nodes for tensor in node.outputs}
    found, gates = {}, {}
    for node in graph.nodes:
        gated = _multiplied(node, made_by, gates) if node.kind == "MUL" else None
        if gated is not None and _feeds_only(gated.convolution, node, graph):
            found[node.index] = gated
            gates[node.outputs[0].index] = gated.outputs
        elif node.kind in _KEEP_ZEROS and _source(node) in gates and _keeps_channels(node):
            gates[node.outputs[0].index] = gates[_source(node)]
        elif _is_convolution(node) and _source(node) in gates:
            found[node.index] = Gated(node, None, gates[_source(node)], None)
    with_mul = {gated.convolution.index for gated in found.values() if gated.multiplication}
    nodes = []
    for node in graph.nodes:
        if node.index in found and node.index not in with_mul:
            node = _fused(node, found[node.index])
        elif node.index in with_mul:
            continue
        nodes.append(node)
    return Graph(graph.inputs, graph.outputs, nodes)


def _multiplied(node, made_by, gates):
    # The parts of a MUL of a convolution by a gate, or None.
    if len(node.inputs) != 2 or None in node.inputs or len(node.outputs) != 1:
        return None
    for maps, factors in (node.inputs, node.inputs[::-1]):
        convolution, winners = made_by.get(maps.index), made_by.get(factors.index)
        if not _is_convolution(convolution) or winners is None or winners.kind != WINNERS:
            continue
        channels, options = maps.shape[-1], winners.options
        one_a_channel = factors.shape[-1:] == (channels,) and factors.size == channels < maps.size
        if not one_a_channel or not _bounds(options, channels):
            continue
        if node.outputs[0].shape == maps.shape and node.outputs[0].type == "INT8":
            source = gates.get(_source(convolution))
            return Gated(convolution, node, source, Gate(factors, options.count))
    return None


def _bounds(winners, channels):
    # Of a threshold that was predicted from a sample any number may win.
    return winners.groups == 1 and winners.places is None and 1 <= winners.count < channels


def _keeps_channels(node):
    return node.inputs[0].shape[-1:] == node.outputs[0].shape[-1:]


def _source(node):
    return node.inputs[0].index if node.inputs and node.inputs[0] is not None else None


def _is_convolution(node):
    return (
        node is not None
        and node.kind == "CONV_2D"
        and len(node.inputs) in (2, 3)
        and len(node.outputs) == 1
        and node.inputs[0] is not None
        and node.inputs[0].type == node.outputs[0].type == "INT8"
        and len(node.inputs[0].shape) == 4
        and node.inputs[0].shape[0] == 1
        and len(node.outputs[0].shape) == 4
        and max(node.inputs[0].shape[3], node.outputs[0].shape[3]) < MAX_CHANNELS
    )


def _feeds_only(convolution, reader, graph):
    output = convolution.outputs[0]
    readers = [node for node in graph.nodes if output in node.inputs]
    return readers == [reader] and output not in graph.outputs


def _fused(node, gated):
    convolution = gated.convolution
    gates = [gate.tensor for gate in (gated.inputs, gated.outputs) if gate is not None]
    return Node(node.index, KIND, [*convolution.inputs, *gates], node.outputs, gated)
