"""How many activations of a model are not zero, counted over data."""

import contextlib
import dataclasses

import keras
import numpy as np

from keras_prune.analysis.call_graph import has_sublayers, record_graph, steps_of
from keras_prune.analysis.gated_calls import executed_examples, of_examples
from keras_prune.analysis.layer_activations import activation_call
from keras_prune.analysis.operand_pairs import (
    count_pairs,
    nonzero_examples,
    output_gates,
)


@dataclasses.dataclass
class ActivationCounts:
    """Sums over examples: values and those that are not zero.

    Args:
        inputs: Int. Values that the layer multiplies its kernels with.
        nonzero_inputs: Int.
        activations: Int. Values behind the non-linearity that follows the layer.
        nonzero_activations: Int.
        pairs: Int or `None`. Products with two factors that are not zero.
        outputs: Int. Output channels that a gate multiplies, over examples; 1 an example where
            the gate is one for the whole block.
        live_outputs: Int. Those whose factor is not zero: the others need not be computed.
    """

    inputs: int = 0
    nonzero_inputs: int = 0
    activations: int = 0
    nonzero_activations: int = 0
    pairs: int | None = 0
    outputs: int = 0
    live_outputs: int = 0


def count_activations(model, layers, batches):
    """Count over data what goes into some layers, what comes out and what is multiplied.

    The activations of a layer are the tensor behind the first non-linearity that follows
    it, with nothing but normalization, dropout or a sum in between; before any pooling. Where
    there is none, they are what the next layer of another kind reads. A model's outputs
    count as dense.

    Args:
        model: Built `keras.Model`.
        layers: List of layers that own kernels.
        batches: Iterable of structures of arrays, what to call the model with.

    Returns:
        A dict from `id(layer)` to `ActivationCounts`, and one `ActivationCounts` with the
        activations of all layers, in which a tensor that two layers share counts once.
    """
    counts = {id(layer): ActivationCounts() for layer in layers}
    total = ActivationCounts()
    steps = [*steps_of(model, has_sublayers), *layers]
    with unrolled(model):
        for x in batches:
            graph = record_graph(model, steps, keras.tree.map_structure(_to_tensor, x))
            _add(graph, counts, total)
    return counts, total


def _add(graph, counts, total):
    consumers, outputs = graph.consumers(), {id(tensor) for tensor in graph.outputs}
    executed, seen = executed_examples(graph), set()
    for call in graph.calls:
        if id(call.operation) not in counts:
            continue
        own = counts[id(call.operation)]
        inputs = call.inputs[:2] if _is_cell(call.operation) else call.inputs[:1]
        for tensor in inputs:
            own.inputs += _size(tensor)
            own.nonzero_inputs += int(nonzero_examples(tensor).sum())
        pairs = _pairs(call, own, output_gates(call, consumers), executed.get(id(call)))
        own.pairs = None if pairs is None or own.pairs is None else own.pairs + pairs
        made_by, is_output, _ = activation_call(call, consumers, outputs)
        tensor = made_by.outputs[0]
        size = _size(tensor)
        nonzero = size if is_output else int(nonzero_examples(tensor).sum())
        for sums in (own,) if id(tensor) in seen else (own, total):
            sums.activations += size
            sums.nonzero_activations += nonzero
        seen.add(id(tensor))


def _pairs(call, own, live, executed):
    """Count the pairs of a call, of what must be computed, and note how much that is."""
    if live is None and executed is None:
        return count_pairs(call.operation, call.inputs, call.outputs)
    if executed is None:
        executed = np.ones(len(live), bool)
    live = executed[:, None] if live is None else live & executed[:, None]
    own.outputs += live.size
    own.live_outputs += int(live.sum())
    if not executed.any():
        return 0
    inputs, outputs = of_examples(call.inputs, executed), of_examples(call.outputs, executed)
    live = live[executed]
    return count_pairs(call.operation, inputs, outputs, None if live.all() else live)


def _is_cell(layer):
    return hasattr(layer, "state_size")


@contextlib.contextmanager
def unrolled(model):
    """Context in which recurrent layers call their cells step by step, on every backend."""
    before = []
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.RNN):
            for name, value in (("unroll", True), ("use_cudnn", False)):
                if hasattr(layer, name):
                    before.append((layer, name, getattr(layer, name)))
                    setattr(layer, name, value)
    try:
        yield
    finally:
        for layer, name, value in before:
            setattr(layer, name, value)


def _size(tensor):
    return int(np.prod(tuple(tensor.shape), dtype=np.int64))


def _to_tensor(array):
    return None if array is None else keras.ops.convert_to_tensor(array)
