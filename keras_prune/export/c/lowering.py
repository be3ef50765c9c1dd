"""From a graph to the kernel calls of a C program."""

from keras_prune.export.c import convolutions, dense_layers, elementwise, reductions
from keras_prune.export.c.graph import check_graph
from keras_prune.export.c.winners import winner_take_all
from keras_prune.export.winner_options import CUSTOM_CODE, KIND
from keras_prune.export.winner_pattern import fuse_winners

OPERATORS = {
    "ADD": elementwise.add,
    "AVERAGE_POOL_2D": reductions.pool2d,
    "CONV_2D": convolutions.conv2d,
    "DEPTHWISE_CONV_2D": convolutions.depthwise_conv2d,
    "DEQUANTIZE": elementwise.dequantize,
    "EXPAND_DIMS": elementwise.reshape,
    "FULLY_CONNECTED": dense_layers.fully_connected,
    "MAX_POOL_2D": reductions.pool2d,
    "MEAN": reductions.mean,
    "PAD": elementwise.pad,
    "PADV2": elementwise.pad,
    "QUANTIZE": elementwise.quantize,
    "RELU": reductions.rescale,
    "RELU6": reductions.rescale,
    "RELU_0_TO_1": reductions.rescale,
    "RELU_N1_TO_1": reductions.rescale,
    "RESHAPE": elementwise.reshape,
    "SOFTMAX": reductions.softmax,
    "SQUEEZE": elementwise.reshape,
}
_LOWERED = {**OPERATORS, KIND: winner_take_all, f"CUSTOM:{CUSTOM_CODE}": winner_take_all}


def lower(graph, target):
    """Turn every operator into a kernel call; those of a WinnerTakeAll become one.

    Args:
        graph: `Graph`.
        target: `Target`.

    Returns:
        A list of `Step`s.

    Raises:
        ValueError: If the graph, an operator, or the way in which it is used is not supported.
    """
    graph = fuse_winners(graph)
    for node in graph.nodes:
        if node.kind not in _LOWERED:
            raise node.refuse(f"the supported operators are {', '.join(OPERATORS)}")
    check_graph(graph)
    return [_LOWERED[node.kind](node, target) for node in graph.nodes]
