"""UNIDIRECTIONAL_SEQUENCE_LSTM as a call of an int8 kernel."""

import math

import numpy as np

from keras_prune.export.c.graph import check_activation
from keras_prune.export.c.state import (
    biases_of,
    keep_matrix,
    matrix_of,
    scale_factor,
    state_of,
)
from keras_prune.export.c.steps import SCRATCH, Step
from keras_prune.export.c.weighted import PORTABLE
from keras_prune.export.c.windows import activation_name

# Positions of the operator's inputs; gates in the order input, forget, cell, output.
_INPUT_WEIGHTS, _RECURRENT_WEIGHTS, _BIASES = (1, 2, 3, 4), (5, 6, 7, 8), (12, 13, 14, 15)
_HIDDEN_STATE, _CELL_STATE = 18, 19
_UNSUPPORTED = {
    (9, 10, 11): "peephole connections",
    (16, 17): "a projection",
    (20, 21, 22, 23): "layer normalisation",
}
_HIDDEN_INTERMEDIATE = 4
_GATE_SCALE = np.float32(2.0**-12)
_UPDATE_INSTRUCTIONS = 500  # of one unit: five activations and what joins them


def lstm(node, target):
    """Lower UNIDIRECTIONAL_SEQUENCE_LSTM with int8 activations and a 16-bit cell state."""
    if len(node.inputs) not in (20, 24) or len(node.outputs) != 1:
        raise node.refuse("it needs 20 or 24 inputs and one output")
    source, output = node.inputs[0], node.outputs[0]
    for tensor in (source, output):
        check_activation(node, tensor)
    _check_variant(node, source)
    batch, time, inputs, units = _sizes(node, source, output)
    hidden = state_of(node, _HIDDEN_STATE, "INT8", batch * units)
    cell = state_of(node, _CELL_STATE, "INT16", batch * units)
    step = Step(node.index, node.kind, [source], output, "spk_lstm_s8__c")
    step.sources, step.states = (f"{PORTABLE}/lstm_s8.c",), (hidden, cell)
    step.macs = 4 * batch * time * units * (inputs + units)
    step.instructions = _UPDATE_INSTRUCTIONS * batch * time * units
    biases = biases_of(node, _BIASES, units)
    sides = (
        ("input", _INPUT_WEIGHTS, source, inputs, biases),
        ("recurrent", _RECURRENT_WEIGHTS, hidden, units, np.zeros_like(biases)),
    )
    for name, positions, tensor, columns, bias in sides:
        matrix = matrix_of(node, positions, (units, columns))
        _side(step, node, target, name, matrix, tensor, bias, batch * time)
    fields = [
        ("batch", batch), ("time", time), ("inputs", inputs), ("units", units),
        ("time_major", int(node.options.timeMajor)),
        ("input", "&input"), ("recurrent", "&recurrent"),
        *_cell(node, cell), *_hidden(node),
    ]  # fmt: skip
    step.struct("spk_lstm", "lstm", fields)
    step.arguments += [source, hidden, cell, output, SCRATCH]
    step.scratch_bytes = 4 * units * 6 + 2 * max(inputs, units)
    return step


def _check_variant(node, source):
    for positions, what in _UNSUPPORTED.items():
        if any(node.input(position) is not None for position in positions):
            raise node.refuse(f"{what} is not supported")
    if any(node.input(position) is None for position in (1, 5, 12)):
        raise node.refuse("an input gate coupled to the forget gate is not supported")
    if node.options is None or activation_name(node) != "TANH":
        raise node.refuse("its activation must be TANH")
    if getattr(node.options, "diagonalRecurrentTensors", False):
        raise node.refuse("diagonal recurrent weights are not supported")
    if source.data is not None:
        raise node.refuse("a constant input is not supported")


def _sizes(node, source, output):
    weights = node.inputs[_INPUT_WEIGHTS[0]]
    if len(source.shape) != 3 or len(weights.shape) != 2:
        raise node.refuse(f"it needs a 3-D input, not shape {source.shape}")
    units = weights.shape[0]
    if units < 1 or output.shape != (*source.shape[:2], units):
        raise node.refuse(f"input {source.shape}, {units} units and output {output.shape} disagree")
    first, second, inputs = source.shape
    batch, time = (second, first) if node.options.timeMajor else (first, second)
    return batch, time, inputs, units


def _side(step, node, target, name, matrix, tensor, bias, vectors):
    # One `spk_lstm_side`: what the input, or the hidden state, says to the gates.
    values = matrix.values.astype(np.int64)
    bias = bias - tensor.zero_point * values.sum(axis=1)
    reach = np.abs(bias) + 128 * np.abs(values).sum(axis=1)
    if reach.max() >= 1 << 31:
        raise node.refuse("its bias and weights can overflow an int32 accumulator")
    # TFLite multiplies and divides in float32.
    factors = matrix.scales * np.float32(tensor.scale) / _GATE_SCALE
    pairs = [scale_factor(node, factor, int(reach.max())) for factor in factors]
    kernel, stored = keep_matrix(step, name, matrix.values, target, vectors)
    fields = [
        ("add_rows", kernel),
        ("weights", stored),
        ("bias", step.constant(f"bias_{name}", "int32_t", bias)),
        ("multiplier", [multiplier for multiplier, _ in pairs]),
        ("shift", [shift for _, shift in pairs]),
    ]
    step.structs.append(("spk_lstm_side", name, fields))


def _cell(node, cell):
    fraction, exponent = math.frexp(float(cell.scale))
    bits = 15 + exponent - 1
    if fraction != 0.5 or not 0 <= bits <= 6:
        raise node.refuse(
            f"the scale of its cell state must be a power of two from 2**-15 to 2**-9, not "
            f"{float(cell.scale):g}"
        )
    clip = np.float32(node.options.cellClip)
    if not clip >= 0:
        raise node.refuse(f"its cell_clip must not be negative, not {clip}")
    clip = int(min(clip / cell.scale, np.float32(32767)))
    return [("cell_bits", bits), ("cell_clip", clip)]


def _hidden(node):
    if len(node.intermediates) != 5:
        raise node.refuse("it needs the five intermediate tensors of an int8 LSTM")
    inner = node.intermediates[_HIDDEN_INTERMEDIATE]
    if len(inner.scales) != 1 or len(inner.zero_points) != 1 or not inner.scale > 0:
        raise node.refuse(f"{inner.name!r} needs one positive scale and one zero point")
    if not -128 <= inner.zero_point <= 127:
        raise node.refuse(f"{inner.name!r} needs an int8 zero point, not {inner.zero_point}")
    factor = np.float32(2.0**-15 / float(inner.scale) * 2.0**-15)
    multiplier, shift = scale_factor(node, factor, 1 << 30)
    return [
        ("hidden_multiplier", multiplier),
        ("hidden_shift", shift),
        ("hidden_zero_point", inner.zero_point),
    ]
