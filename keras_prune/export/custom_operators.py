"""Custom operators in the place of several stock ones, for the delegate and for C projects."""

import numpy as np

from keras_prune.export.c.graph import graph_of
from keras_prune.export.flatbuffer import schema
from keras_prune.export.winner_options import CUSTOM_CODE, KIND, to_bytes
from keras_prune.export.winner_pattern import fuse_winners


def use_custom_operators(model):
    """Replace the stock operators of every WinnerTakeAll by one custom operator.

    Args:
        model: `ModelT` of one subgraph. Changed.

    Returns:
        Int. How many were replaced.
    """
    graph = graph_of(model)
    fused = fuse_winners(graph)
    stay = {node.index for node in fused.nodes}
    replaced = [node for node in fused.nodes if node.kind == KIND]
    if not replaced:
        return 0
    tables, operators = schema(), model.subgraphs[0].operators
    code = tables.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = tables.BuiltinOperator.CUSTOM
    code.customCode, code.version = CUSTOM_CODE.encode(), 1
    model.operatorCodes.append(code)
    for node in replaced:
        operator = tables.OperatorT()
        operator.opcodeIndex = len(model.operatorCodes) - 1
        operator.inputs = np.array([node.inputs[0].index], np.int32)
        operator.outputs = np.array([node.outputs[0].index], np.int32)
        operator.customOptions = np.frombuffer(to_bytes(node.options), np.uint8)
        operators[node.index] = operator
    gone = {node.index for node in graph.nodes} - stay
    model.subgraphs[0].operators = [
        operator for index, operator in enumerate(operators) if index not in gone
    ]
    return len(replaced)
