"""How often each output of a layer is zero behind its non-linearity, counted over data."""

import keras
import numpy as np
from keras import ops

from keras_prune.analysis.call_graph import has_sublayers, record_graph, steps_of
from keras_prune.analysis.channel_steps import channels_first, is_cell, own_calls
from keras_prune.analysis.layer_activations import activation_call

MAKES_OUTPUTS = "its activations are the model's outputs"


def unit_activations(model, weights, x):
    """Run a model once and take the activations of some layers apart by their units.

    Args:
        model: Built `keras.Model`.
        weights: List of `PrunableWeight`.
        x: What to call the model with.

    Returns:
        List with a pair for each weight: a list of tensors (values, outputs), one a call of the
        layer, and `None` or the reason that they are not activations of units: a string.
    """
    layers = {id(weight.layer): weight.layer for weight in weights}
    steps = [*steps_of(model, has_sublayers), *layers.values()]
    graph = record_graph(model, steps, keras.tree.map_structure(_to_tensor, x))
    calls, consumers = own_calls(graph), graph.consumers()
    outputs = {id(tensor) for tensor in graph.outputs}

    def of(weight):
        found = [activation_call(c, consumers, outputs) for c in calls.get(id(weight.layer), ())]
        tensors = [_by_unit(weight, made_by.outputs[0]) for made_by, _, _ in found]
        if is_cell(weight.layer) or any(tensor is None for tensor in tensors):
            return [], "its outputs are not the units of its activations"
        if not found:
            return [], "its layer is not called"
        if not all(is_nonlinear for _, _, is_nonlinear in found):
            return tensors, "no non-linearity follows it alone, so nothing makes it zero"
        makes_outputs = any(is_output for _, is_output, _ in found)
        return tensors, MAKES_OUTPUTS if makes_outputs else None

    return [of(weight) for weight in weights]


def count_unit_zeros(model, weights, batches, eps=0.0):
    """Count the zeros of each unit, exactly, in integers.

    Args:
        model: Built `keras.Model`.
        weights: List of `PrunableWeight` whose layers have units, see `unit_activations`.
        batches: Iterable of what to call the model with.
        eps: Float >= 0. Activations up to it count as zero, of either sign. Defaults to `0.0`.

    Returns:
        List with a pair for each weight: the int64 array (outputs,) of zeros, and the number of
        activations of each unit.

    Raises:
        ValueError: If a layer has no units, or there is no batch.
    """
    zeros = [np.zeros(weight.view_shape[0], np.int64) for weight in weights]
    totals = [0] * len(weights)
    for x in batches:
        for index, (tensors, reason) in enumerate(unit_activations(model, weights, x)):
            if not tensors:
                raise ValueError(
                    f"The activations of a layer cannot be counted by unit: {reason}. "
                    f"Received: {weights[index].path}"
                )
            for tensor in tensors:
                small = ops.abs(tensor) <= ops.cast(eps, tensor.dtype)
                counts = ops.sum(ops.cast(small, "int32"), axis=0)
                zeros[index] += ops.convert_to_numpy(counts).astype(np.int64)
                totals[index] += int(tensor.shape[0])
    if weights and not all(totals):
        raise ValueError("Argument `data` holds no example. Received: no batch")
    return list(zip(zeros, totals, strict=True))


def _by_unit(weight, tensor):
    """Activations as tensor (values, outputs); `None` where their last axes are no outputs."""
    units = weight.view_shape[0]
    if channels_first(weight.layer):
        tensor = ops.moveaxis(tensor, 1, -1)
    elif isinstance(weight.layer, keras.layers.EinsumDense):
        result = weight.layer.equation.replace(" ", "").split("->")[1]
        letters = weight.layer.equation.replace(" ", "").split("->")[0].split(",")[1]
        if not result.endswith("".join(letters[axis] for axis in weight.outputs)):
            return None
    last = 1
    while last < len(tensor.shape) and np.prod(tensor.shape[-last:], dtype=int) < units:
        last += 1
    if np.prod(tensor.shape[-last:], dtype=int) != units:
        return None
    return ops.reshape(tensor, (-1, units))


def _to_tensor(array):
    return None if array is None else ops.convert_to_tensor(array)
