"""Multiply-accumulates of TensorFlow Lite operators."""

import numpy as np

from keras_prune.export.flatbuffer import operator_name


def multiply_accumulates(model, operator, weight):
    """Count the multiply-accumulates of an operator, for all weights and for those not zero.

    Every weight of a convolution works once for every output position, every weight of a
    fully connected layer once for every row of the input.

    Args:
        model: `ModelT`.
        operator: `OperatorT` of the weight's subgraph.
        weight: `Weight`.

    Returns:
        `(macs, sparse_macs)`, two int, or `None` if the operator is of another kind.
    """
    uses = _uses(operator_name(model, operator), weight.subgraph, operator, weight.array)
    if uses is None:
        return None
    return uses * weight.array.size, uses * weight.nonzero


def _uses(name, subgraph, operator, weight):
    result = _shape(subgraph, operator.outputs, 0)
    if name in ("CONV_2D", "DEPTHWISE_CONV_2D") and len(result) == 4:
        return int(np.prod(result[:3]))
    if name == "FULLY_CONNECTED" and weight.ndim == 2:
        return int(np.prod(result)) // weight.shape[0]
    if name == "TRANSPOSE_CONV" and len(_shape(subgraph, operator.inputs, 2)) == 4:
        return int(np.prod(_shape(subgraph, operator.inputs, 2)[:3]))
    if name == "BATCH_MATMUL" and weight.ndim >= 2:
        left = _shape(subgraph, operator.inputs, 0)
        return int(np.prod(result)) // max(result[-1], 1) if left else None
    return None


def _shape(subgraph, indices, position):
    if position >= len(indices) or indices[position] < 0:
        return ()
    return tuple(int(size) for size in subgraph.tensors[indices[position]].shape)
