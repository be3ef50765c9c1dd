"""SVDF as a call of an int8 kernel."""

import numpy as np

from keras_prune.export.c.graph import check_activation
from keras_prune.export.c.state import (
    biases_of,
    constant_of,
    keep_matrix,
    matrix_of,
    scale_factor,
    state_of,
)
from keras_prune.export.c.steps import SCRATCH, Step
from keras_prune.export.c.weighted import PORTABLE
from keras_prune.export.c.windows import activation_name

_FEATURE_WEIGHTS, _TIME_WEIGHTS, _BIAS, _STATE = 1, 2, 3, 4
_TIME_INSTRUCTIONS = 5  # of one remembered feature
_OUTPUT_INSTRUCTIONS = 30


def svdf(node, target):
    """Lower SVDF with int8 activations and feature weights, int16 time weights and state."""
    if len(node.inputs) != 5 or len(node.outputs) != 1:
        raise node.refuse("it needs five inputs and one output")
    source, output = node.inputs[0], node.outputs[0]
    for tensor in (source, output):
        check_activation(node, tensor)
    if source.data is not None:
        raise node.refuse("a constant input is not supported")
    if node.options is None or activation_name(node) != "RELU":
        raise node.refuse("its activation must be RELU")
    batch, inputs, units, filters, memory = _sizes(node, source, output)
    features = matrix_of(node, [_FEATURE_WEIGHTS], (filters, inputs))
    times = constant_of(node, _TIME_WEIGHTS, "INT16", (filters, memory))
    state = state_of(node, _STATE, "INT16", batch * filters * memory)
    step = Step(node.index, node.kind, [source], output, "spk_svdf_s8__c")
    step.sources, step.states = (f"{PORTABLE}/svdf_s8.c",), (state,)
    step.macs = batch * filters * (inputs + memory)
    step.instructions = batch * (
        _TIME_INSTRUCTIONS * filters * memory + _OUTPUT_INSTRUCTIONS * (filters + units)
    )
    kernel, stored = keep_matrix(step, "feature", features.values, target, batch)
    fields = [
        ("batch", batch), ("inputs", inputs), ("units", units),
        ("rank", filters // units), ("memory", memory),
        ("add_rows", kernel), ("feature_weights", stored),
        ("time_weights", step.constant("weights_time", "int16_t", times.data)),
        ("bias", _bias(step, node, units)),
        ("input_offset", -source.zero_point),
        *_factors(node, source, features, times, state, output),
        ("output_zero_point", output.zero_point),
    ]  # fmt: skip
    step.struct("spk_svdf", "svdf", fields)
    step.arguments += [source, state, output, SCRATCH]
    step.scratch_bytes = 4 * filters + 2 * inputs
    return step


def _sizes(node, source, output):
    weights, times = node.inputs[_FEATURE_WEIGHTS], node.inputs[_TIME_WEIGHTS]
    if any(tensor is None or len(tensor.shape) != 2 for tensor in (source, weights, times)):
        raise node.refuse("its input and weights need two dimensions")
    filters, memory, rank = weights.shape[0], times.shape[1], node.options.rank
    if rank < 1 or filters < 1 or memory < 1 or filters % rank:
        raise node.refuse(f"rank {rank}, {filters} filters and memory {memory} disagree")
    batch, inputs = source.shape
    units = filters // rank
    if output.shape != (batch, units):
        raise node.refuse(f"its output must have shape {(batch, units)}, not {output.shape}")
    return batch, inputs, units, filters, memory


def _bias(step, node, units):
    if node.inputs[_BIAS] is None:
        return "NULL"
    return step.constant("bias", "int32_t", biases_of(node, [_BIAS], units))


def _factors(node, source, features, times, state, output):
    if len(times.scales) != 1 or not (np.isfinite(times.scale) and times.scale > 0):
        raise node.refuse(f"its weights {times.name!r} need one positive scale")
    if np.any(times.zero_points):
        raise node.refuse(f"its weights {times.name!r} need zero point 0")
    reach = 255 * int(np.abs(features.values.astype(np.int64)).sum(axis=1).max())
    if reach >= 1 << 31:
        raise node.refuse("its weights can overflow an int32 accumulator")
    # TFLite multiplies and divides in float32. The second sum may be any int32: it wraps around.
    first = source.scale * features.scales[0] / state.scale
    second = state.scale * times.scale / output.scale
    first = scale_factor(node, first, reach)
    second = scale_factor(node, second, (1 << 30) - 1)
    return [
        ("feature_multiplier", first[0]), ("feature_shift", first[1]),
        ("output_multiplier", second[0]), ("output_shift", second[1]),
    ]  # fmt: skip
