"""Calls whose results reach the outputs only through a product with zero."""

import keras
import numpy as np


def executed_examples(graph):
    """For which examples a call must be made at all.

    A `Multiply` with one factor an example, as `SkipGate` has it, makes everything needless for an
    example with factor zero that reaches the model's outputs through that product alone.

    Args:
        graph: `CallGraph`.

    Returns:
        Dict from `id(call)` to bool arrays (batch,), for the calls that some example can do
        without.
    """
    everything = _reaching(graph)
    found = {}
    for gate in graph.calls:
        live = _examples(gate)
        if live is None or id(gate) not in everything:
            continue
        for key in everything - _reaching(graph, without=gate) - {id(gate)}:
            found[key] = found.get(key, True) & live
    return found


def _examples(call):
    """Bool array (batch,): where the factor of a `Multiply` with one an example is not zero."""
    if not isinstance(call.operation, keras.layers.Multiply) or len(call.inputs) != 2:
        return None
    for factor, other in (call.inputs, call.inputs[::-1]):
        shape = tuple(factor.shape)
        if len(shape) > 1 and shape[1:] == (1,) * (len(shape) - 1) and shape != tuple(other.shape):
            return keras.ops.convert_to_numpy(factor).reshape(-1) != 0
    return None


def _reaching(graph, without=None):
    """Set of ids of the calls whose results reach the outputs, without one of them."""
    makers = {id(tensor): call for call in graph.calls for tensor in call.outputs}
    found, waiting = set(), list(graph.outputs)
    while waiting:
        call = makers.get(id(waiting.pop()))
        if call is not None and call is not without and id(call) not in found:
            found.add(id(call))
            waiting += call.inputs
    return found


def of_examples(tensors, live):
    """The rows of tensors for which a bool array (batch,) is true."""
    rows = np.flatnonzero(live)
    return [keras.ops.take(tensor, rows, axis=0) for tensor in tensors]
