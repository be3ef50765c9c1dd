"""From a graph to the kernel calls of a C program."""

from keras_prune.export.c import (
    arithmetic,
    code_layers,
    convolutions,
    dense_layers,
    elementwise,
    float_layers,
    floats,
    gate_pattern,
    hexagon_code_layers,
    movement,
    recurrent,
    reduce,
    reductions,
    resizing,
    wide,
)
from keras_prune.export.c.constant_channels import rescale_constant_channels
from keras_prune.export.c.folding import fold_choices
from keras_prune.export.c.gate_pattern import fuse_gates
from keras_prune.export.c.gated_convolutions import gated_conv2d
from keras_prune.export.c.graph import check_graph
from keras_prune.export.c.grouped import replace_grouped
from keras_prune.export.c.lookup import lookup
from keras_prune.export.c.svdf import svdf
from keras_prune.export.c.winners import winner_take_all
from keras_prune.export.winner_options import CUSTOM_CODE, KIND
from keras_prune.export.winner_pattern import fuse_winners

OPERATORS = {
    "ABS": lookup,
    "ADD": arithmetic.add,
    "AVERAGE_POOL_2D": reductions.pool2d,
    "CONCATENATION": movement.concatenation,
    "CONV_2D": convolutions.conv2d,
    "DEPTHWISE_CONV_2D": convolutions.depthwise_conv2d,
    "DEQUANTIZE": elementwise.dequantize,
    "DIV": floats.two_inputs,
    "EXP": lookup,
    "EXPAND_DIMS": elementwise.reshape,
    "FULLY_CONNECTED": dense_layers.fully_connected,
    "GELU": lookup,
    "HARD_SWISH": lookup,
    "LEAKY_RELU": lookup,
    "LOG": lookup,
    "LOGISTIC": lookup,
    "MAXIMUM": arithmetic.extreme,
    "MAX_POOL_2D": reductions.pool2d,
    "MEAN": reduce.mean,
    "MINIMUM": arithmetic.extreme,
    "MUL": arithmetic.mul,
    "NEG": lookup,
    "PACK": movement.pack,
    "PAD": elementwise.pad,
    "PADV2": elementwise.pad,
    "PRELU": arithmetic.prelu,
    "QUANTIZE": elementwise.quantize,
    "REDUCE_MAX": reduce.extreme,
    "REDUCE_MIN": reduce.extreme,
    "RELU": lookup,
    "RELU6": lookup,
    "RELU_0_TO_1": lookup,
    "RELU_N1_TO_1": lookup,
    "RESHAPE": elementwise.reshape,
    "RESIZE_BILINEAR": resizing.resize,
    "RESIZE_NEAREST_NEIGHBOR": resizing.resize,
    "RSQRT": lookup,
    "SLICE": movement.move,
    "SOFTMAX": reductions.softmax,
    "SPLIT": movement.split,
    "SPLIT_V": movement.split_v,
    "SQRT": lookup,
    "SQUARE": floats.one_input,
    "SQUARED_DIFFERENCE": arithmetic.squared_difference,
    "SQUEEZE": elementwise.reshape,
    "STRIDED_SLICE": movement.move,
    "SUB": arithmetic.add,
    "SUM": reduce.total,
    "SVDF": svdf,
    "TANH": lookup,
    "TRANSPOSE": movement.move,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": recurrent.lstm,
    "UNPACK": movement.unpack,
}
FLOAT_OPERATORS = {
    "ABS": floats.one_input,
    "ADD": floats.two_inputs,
    "AVERAGE_POOL_2D": floats.pool2d,
    "CONV_2D": float_layers.conv2d,
    "DEPTHWISE_CONV_2D": float_layers.depthwise_conv2d,
    "DIV": floats.two_inputs,
    "EXP": floats.one_input,
    "FULLY_CONNECTED": float_layers.fully_connected,
    "GELU": floats.one_input,
    "HARD_SWISH": floats.one_input,
    "LEAKY_RELU": floats.one_input,
    "LOGISTIC": floats.one_input,
    "MAXIMUM": floats.two_inputs,
    "MAX_POOL_2D": floats.pool2d,
    "MEAN": floats.reduction,
    "MINIMUM": floats.two_inputs,
    "MUL": floats.two_inputs,
    "NEG": floats.one_input,
    "PAD": floats.pad,
    "PADV2": floats.pad,
    "PRELU": floats.two_inputs,
    "REDUCE_MAX": floats.reduction,
    "REDUCE_MIN": floats.reduction,
    "RELU": floats.one_input,
    "RELU6": floats.one_input,
    "RELU_0_TO_1": floats.one_input,
    "RELU_N1_TO_1": floats.one_input,
    "RSQRT": floats.one_input,
    "SOFTMAX": floats.softmax,
    "SQRT": floats.one_input,
    "SQUARE": floats.one_input,
    "SQUARED_DIFFERENCE": floats.two_inputs,
    "SUB": floats.two_inputs,
    "SUM": floats.reduction,
    "TANH": floats.one_input,
}
_LOWERED = {
    **OPERATORS,
    KIND: winner_take_all,
    f"CUSTOM:{CUSTOM_CODE}": winner_take_all,
    gate_pattern.KIND: gated_conv2d,
}


def lower(graph, target, weights_as_code=False):
    """Turn every operator into kernel calls; those of a WinnerTakeAll become one.

    Convolutions between gates leave out the channels that are zero.

    Args:
        graph: `Graph`.
        target: `Target`.
        weights_as_code: As `export_c` has it.

    Returns:
        A list of `Step`s.

    Raises:
        ValueError: If the graph, an operator, or the way in which it is used is not supported.
    """
    code_layers.check_option(weights_as_code, target)
    graph = fuse_gates(fuse_winners(replace_grouped(fold_choices(graph))))
    for node in graph.nodes:
        if node.kind not in _LOWERED:
            raise node.refuse(f"the supported operators are {', '.join(OPERATORS)}")
    check_graph(graph)
    nodes = [rescale_constant_channels(node) for node in graph.nodes]
    lowerings = {node: _lowering_of(node) for node in nodes}
    lowerings = _with_code(lowerings, weights_as_code, target)
    lowered = (lowering(node, target) for node, lowering in lowerings.items())
    return [step for each in lowered for step in (each if isinstance(each, list) else [each])]


def _with_code(lowerings, weights_as_code, target):
    # Those of the layers whose weights may become code are replaced.
    kind = "FULLY_CONNECTED"
    plain, as_code = dense_layers.fully_connected, code_layers.fully_connected
    if target.vectors == "hvx":
        kind = "CONV_2D"
        plain, as_code = convolutions.conv2d, hexagon_code_layers.conv2d
    suited = {node.index: node for node, lowering in lowerings.items() if lowering is plain}
    if isinstance(weights_as_code, bool):
        chosen = suited if weights_as_code else ()
    else:
        code_layers.check_layers(weights_as_code, kind, suited)
        chosen = weights_as_code
    return lowerings | {suited[index]: as_code for index in chosen}


def _lowering_of(node):
    if wide.is_wide(node):
        return wide.OPERATORS[node.kind]
    # Those that only move elements take any type.
    if node.outputs and node.outputs[0].type == "FLOAT32":
        return FLOAT_OPERATORS.get(node.kind, _LOWERED[node.kind])
    return _LOWERED[node.kind]
