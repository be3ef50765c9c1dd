"""How many activations of a model are not zero, counted over data."""

import contextlib
import dataclasses

import keras
import numpy as np

from keras_prune.analysis.call_graph import has_sublayers, record_graph, steps_of
from keras_prune.analysis.operand_pairs import count_pairs, nonzero_examples

# What may stand between a kernel and its non-linearity.
_BETWEEN = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
    keras.layers.Dropout,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
    keras.layers.Add,
    keras.layers.Average,
    keras.layers.Multiply,
)
_ACTIVATIONS = (
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ELU,
    keras.layers.Softmax,
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
    """

    inputs: int = 0
    nonzero_inputs: int = 0
    activations: int = 0
    nonzero_activations: int = 0
    pairs: int | None = 0


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
    with _unrolled(model):
        for x in batches:
            graph = record_graph(model, steps, keras.tree.map_structure(_to_tensor, x))
            _add(graph, counts, total)
    return counts, total


def _add(graph, counts, total):
    consumers, outputs = graph.consumers(), {id(tensor) for tensor in graph.outputs}
    seen = set()
    for call in graph.calls:
        if id(call.operation) not in counts:
            continue
        own = counts[id(call.operation)]
        inputs = call.inputs[:2] if _is_cell(call.operation) else call.inputs[:1]
        for tensor in inputs:
            own.inputs += _size(tensor)
            own.nonzero_inputs += int(nonzero_examples(tensor).sum())
        pairs = count_pairs(call.operation, call.inputs, call.outputs)
        own.pairs = None if pairs is None or own.pairs is None else own.pairs + pairs
        made_by, is_output = activation_call(call, consumers, outputs)
        tensor = made_by.outputs[0]
        size = _size(tensor)
        nonzero = size if is_output else int(nonzero_examples(tensor).sum())
        for sums in (own,) if id(tensor) in seen else (own, total):
            sums.activations += size
            sums.nonzero_activations += nonzero
        seen.add(id(tensor))


def activation_call(call, consumers, outputs):
    """The call that makes a layer's activations, and whether they are an output of the model.

    Args:
        call: `Call` of the layer.
        consumers: What `CallGraph.consumers` returned.
        outputs: Set of the ids of the model's outputs.

    Returns:
        Tuple (`Call`, bool). The activations are the first output of the call.
    """
    done = not _is_linear(call.operation)
    while id(call.outputs[0]) not in outputs:
        following = consumers.get(id(call.outputs[0]), ())
        if done or len(following) != 1:
            return call, False
        if following[0].outputs[0].shape != call.outputs[0].shape:
            return call, False
        done = _is_activation(following[0].operation)
        if not done and not _is_between(following[0].operation):
            return call, False
        call = following[0]
    return call, True


def _is_linear(layer):
    return getattr(layer, "activation", None) in (None, keras.activations.linear)


def _is_activation(operation):
    if isinstance(operation, keras.layers.Layer):
        return isinstance(operation, _ACTIVATIONS) and not _is_linear_activation(operation)
    return _in_snake_case(operation) in dir(keras.activations)


def _is_linear_activation(layer):
    return isinstance(layer, keras.layers.Activation) and _is_linear(layer)


def _is_between(operation):
    if isinstance(operation, keras.layers.Layer):
        return isinstance(operation, _BETWEEN) or _is_linear_activation(operation)
    return _in_snake_case(operation) in ("add", "multiply")


def _in_snake_case(operation):
    name = type(operation).__name__
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def _is_cell(layer):
    return hasattr(layer, "state_size")


@contextlib.contextmanager
def _unrolled(model):
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
