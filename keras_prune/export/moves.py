"""Operators that only move elements, done by numpy on any values."""

import math

import numpy as np

MAX_ELEMENTS = 1 << 24  # more is no activation, and would take memory to follow
_MASKS = ("beginMask", "endMask", "shrinkAxisMask", "ellipsisMask", "newAxisMask", "offset")


def move(values, nodes):
    """Let operators move values as they move the elements of their inputs.

    Args:
        values: Array of the shape of the first operator's input.
        nodes: List of `Node`s of the kinds in `MOVES`, each reading the one before.

    Returns:
        An array.

    Raises:
        ValueError, IndexError, TypeError, AttributeError: If an operator is not what it should be.
    """
    for node in nodes:
        if node.outputs[0].size > MAX_ELEMENTS:
            raise ValueError("its output is too large")
        values = MOVES[node.kind](values, node).reshape(node.outputs[0].shape)
    return values


def _reshape(values, node):
    return values.reshape(node.outputs[0].shape)


def _strided_slice(values, node):
    if any(getattr(node.options, mask, 0) for mask in _MASKS[3:]):
        raise ValueError("such a mask is not supported")
    begin, end, shrink = (getattr(node.options, mask, 0) for mask in _MASKS[:3])
    slices = []
    for axis, (low, high, stride) in enumerate(zip(*_constants(node), strict=True)):
        bit = 1 << axis
        if shrink & bit:
            slices.append(slice(low, low + 1 or None))
        else:
            slices.append(slice(None if begin & bit else low, None if end & bit else high, stride))
    return values[tuple(slices)]


def _slice(values, node):
    begins, sizes = _constants(node)
    if min(begins) < 0:
        raise ValueError("a slice begins before the first element")
    ends = (
        n if size == -1 else begin + size
        for n, begin, size in zip(values.shape, begins, sizes, strict=True)
    )
    return values[tuple(slice(begin, end) for begin, end in zip(begins, ends, strict=True))]


def _gather(values, node):
    if getattr(node.options, "batchDims", 0):
        raise ValueError("batch dimensions are not supported")
    axis, places = getattr(node.options, "axis", 0), node.inputs[1].data
    if values.size // values.shape[axis] * places.size != node.outputs[0].size:
        raise ValueError("its places do not fit its output")
    return np.take(values, places, axis=axis)


def _tile(values, node):
    multiples = _constants(node)[0]
    if math.prod(multiples) * values.size != node.outputs[0].size:
        raise ValueError("its multiples do not fit its output")
    return np.tile(values, multiples)


def _constants(node):
    return [tensor.data.reshape(-1).tolist() for tensor in node.inputs[1:]]


MOVES = {
    "EXPAND_DIMS": _reshape,
    "GATHER": _gather,
    "RESHAPE": _reshape,
    "SLICE": _slice,
    "SQUEEZE": _reshape,
    "STRIDED_SLICE": _strided_slice,
    "TILE": _tile,
    "TRANSPOSE": lambda values, node: values.transpose(_constants(node)[0]),
}
