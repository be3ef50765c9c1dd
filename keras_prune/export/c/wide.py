"""Operators on int16 activations: TFLite's 16x8 quantisation, where weights stay int8."""

import numpy as np

from keras_prune.export.c.quantization import (
    channel_multipliers,
    exact_multipliers,
    quantize_multiplier,
)
from keras_prune.export.c.reductions import MAX_SUM, REFERENCE
from keras_prune.export.c.steps import SCRATCH, Step
from keras_prune.export.c.weighted import (
    PORTABLE,
    Candidate,
    take_best,
    weights_of,
    worth_packing,
)
from keras_prune.export.c.wide_elements import OPERATORS as ELEMENTS
from keras_prune.export.c.wide_ends import checked_ends, limits, same_scale
from keras_prune.export.c.windows import (
    convolution_window,
    dense_batch,
    depthwise_window,
    window,
)

_BIASES = ("INT64", "INT32")
_MAX_SUM = 1 << 47  # what TFLite multiplies by a scale factor
_DENSE_WEIGHT, _STREAM_PAIR, _ROW = 5, 7, 45  # instructions


def is_wide(node):
    """True for an operator that reads or writes int16 and is in `OPERATORS`."""
    ends = [*node.inputs[:1], *node.outputs[:1]]
    return node.kind in OPERATORS and any(t is not None and t.type == "INT16" for t in ends)


def conv2d(node, target):
    """Lower CONV_2D: weights (out, kernel_h, kernel_w, in)."""
    source, output = _weighted_ends(node)
    weights = weights_of(node, rank=4, channel_axis=0)
    channels = weights.shape[0]
    fields, pixels = convolution_window(node, source, weights, output)
    matrix = weights.data.reshape(channels, -1)
    return _convolution(node, fields, pixels, matrix, _rounded_once_up)


def fully_connected(node, target):
    """Lower FULLY_CONNECTED: a 1x1 convolution over the rows of a batch."""
    source, output = _weighted_ends(node)
    weights = weights_of(node, rank=2, channel_axis=0)
    rows, cols = weights.shape
    batch = dense_batch(node, source, weights, output)
    fields = [
        ("batch", 1), ("in_h", 1), ("in_w", batch), ("in_c", cols),
        ("out_h", 1), ("out_w", batch), ("out_c", rows),
        ("kernel_h", 1), ("kernel_w", 1), ("stride_h", 1), ("stride_w", 1),
        ("dilation_h", 1), ("dilation_w", 1), ("pad_top", 0), ("pad_left", 0),
    ]  # fmt: skip
    return _convolution(node, fields, batch, weights.data, _rounded_in_double)


def depthwise_conv2d(node, target):
    """Lower DEPTHWISE_CONV_2D: weights (1, kernel_h, kernel_w, out), always dense."""
    source, output = _weighted_ends(node)
    weights = weights_of(node, rank=4, channel_axis=3)
    channels = weights.shape[3]
    fields, pixels = depthwise_window(node, source, weights, output)
    step = Step(node.index, node.kind, [source], output, macs=pixels * weights.size)
    step.struct("spk_window2d", "window", fields)
    matrix = weights.data.reshape(-1, channels).T
    name = "depthwise_conv2d_s16"
    instructions = pixels * (matrix.size * 12 + channels * _ROW)
    sources, values = (f"{REFERENCE}/{name}.c",), weights.data.reshape(-1)
    candidate = Candidate("dense", f"spk_{name}_dense__ref", sources, values, instructions)
    _, stored = take_best(step, matrix, [candidate])
    _requantization(step, node, matrix, _rounded_once_up)
    step.arguments += [source, stored, output]
    return step


def pool2d(node, target):
    """Lower MAX_POOL_2D and AVERAGE_POOL_2D."""
    source, output = checked_ends(node)
    same_scale(node, source, output)
    if node.options is None or len(source.shape) != 4:
        raise node.refuse(f"it needs its options and a 4-D input, not shape {source.shape}")
    kernel_h, kernel_w = node.options.filterHeight, node.options.filterWidth
    fields, _ = window(node, source, output, kernel_h, kernel_w, source.shape[3])
    if kernel_h * kernel_w > MAX_SUM >> 8:
        raise node.refuse(f"a window of {kernel_h}x{kernel_w} overflows its sum")
    name = f"{'max' if node.kind == 'MAX_POOL_2D' else 'average'}_pool2d_s16"
    step = Step(node.index, node.kind, [source], output, f"spk_{name}__ref")
    step.sources = (f"{REFERENCE}/{name}.c",)
    step.struct("spk_window2d", "window", fields)
    step.arguments += [*map(str, limits(node, output)), source, output]
    step.instructions = 8 * output.size * kernel_h * kernel_w
    return step


def reshape(node, target):
    """Lower RESHAPE, SQUEEZE and EXPAND_DIMS: the output is the input's memory."""
    source, output = checked_ends(node, node.inputs[:1])
    if source.size != output.size:
        raise node.refuse(f"input {source.shape} and output {output.shape} differ in size")
    return Step(node.index, node.kind, [source], output)


def quantize(node, target):
    """Lower QUANTIZE from float32, at the start of a model."""
    return _convert(node, ("FLOAT32",), ("INT16",), "quantize_f32_s16")


def dequantize(node, target):
    """Lower DEQUANTIZE to float32, at the end of a model."""
    return _convert(node, ("INT16",), ("FLOAT32",), "dequantize_s16_f32")


def _convert(node, source_types, output_types, name):
    source, output = checked_ends(node, source_types=source_types, output_types=output_types)
    if source.shape != output.shape:
        raise node.refuse(f"input {source.shape} and output {output.shape} disagree")
    scale = (source if source.type == "INT16" else output).scale
    step = Step(node.index, node.kind, [source], output, f"spk_{name}__ref")
    step.sources = (f"{REFERENCE}/{name}.c",)
    # Hexadecimal keeps every bit of the float32.
    step.arguments += [str(source.size), f"{float(scale).hex()}f", source, output]
    step.instructions = 30 * output.size
    return step


def _convolution(node, fields, pixels, matrix, factors):
    step = Step(node.index, node.kind, node.inputs[:1], node.outputs[0])
    step.macs = pixels * matrix.size
    step.struct("spk_window2d", "window", fields)
    best, stored = take_best(step, matrix, _candidates(matrix, pixels))
    step.kernel, step.sources = "spk_conv2d_s16__c", (f"{PORTABLE}/conv2d_s16.c", *best.sources)
    _requantization(step, node, matrix, factors)
    step.arguments += [best.kernel, stored, node.inputs[0], node.outputs[0], SCRATCH]
    step.scratch_bytes = 8 * matrix.shape[0] + 2 * matrix.shape[1]
    return step


def _candidates(matrix, pixels):
    from keras_prune.runtime.packers import pack_stream_s8

    def candidate(encoding, values, instructions):
        name = f"sum_rows_s16_{encoding}"
        cost = pixels * (instructions + matrix.shape[0] * _ROW)
        return Candidate(encoding, f"spk_{name}__c", (f"{PORTABLE}/{name}.c",), values, cost)

    made = [candidate("dense", matrix.reshape(-1), matrix.size * _DENSE_WEIGHT)]
    if worth_packing(matrix):
        stream = np.frombuffer(pack_stream_s8(matrix), np.uint8)
        made.append(candidate("stream", stream, stream.size // 2 * _STREAM_PAIR))
    return made


def _requantization(step, node, matrix, factors):
    # Pass `spk_requant_s16`: bias, scale factors and bounds.
    source, weights, output = *node.inputs[:2], node.outputs[0]
    bias, channels = node.input(2), matrix.shape[0]
    reach = 32768 * np.abs(matrix.astype(np.int64)).sum(axis=1)
    argument = "NULL"
    if bias is not None:
        if bias.data is None or bias.type not in _BIASES or bias.size != channels:
            raise node.refuse(f"its bias must be a constant of {channels} INT64 or INT32 values")
        values = bias.data.reshape(-1).astype(np.int64)
        if np.any(values < -_MAX_SUM) or np.any(values > _MAX_SUM):
            raise node.refuse("its bias is beyond 48 bits")
        reach = reach + np.abs(values)
        argument = step.constant("bias", "int64_t", values)
        if bias.type == "INT32" and factors is _rounded_once_up:
            factors = _rounded_twice
    try:
        made = factors(node, source.scale, weights.scales, output.scale, channels, reach)
    except ValueError as error:
        raise node.refuse(str(error)) from None
    fields = [("bias", argument), ("rounds_twice", int(factors is _rounded_twice))]
    for name, c_type in (("multiplier", "int32_t"), ("right", "int32_t"), ("low", "uint32_t")):
        if name in made:
            fields.append((name, step.constant(name, c_type, made[name])))
    low, high = limits(node, output)
    step.struct("spk_requant_s16", "requant", [*fields, ("act_min", low), ("act_max", high)])


def _rounded_once_up(node, source_scale, scales, output_scale, channels, reach):
    # TFLite keeps the upper half of the multiplier for sums of 64 bits.
    if reach.max() >= _MAX_SUM:
        raise ValueError("its bias and weights can overflow a sum of 48 bits")
    products = [float(source_scale) * float(s) / float(output_scale) for s in scales]
    pairs = np.array([quantize_multiplier(each) for each in products], np.int64)
    fixed, shift = np.broadcast_to(pairs, (channels, 2)).T
    if shift.max() > 7:
        raise ValueError("its scale factors are above 128")
    reduced = np.where(fixed < 0x7FFF0000, (fixed + (1 << 15)) >> 16, 0x7FFF)
    return {"multiplier": reduced, "right": 15 - shift}


def _rounded_twice(node, source_scale, scales, output_scale, channels, reach):
    # With biases of 32 bits TFLite's sums have 32 bits too.
    if reach.max() >= 1 << 31:
        raise ValueError("its bias and weights can overflow a sum of 32 bits")
    fixed, shift = channel_multipliers(source_scale, scales, output_scale, channels)
    if shift.max() > 0:
        raise ValueError("its scale factors are above 1")
    return {"multiplier": fixed, "right": 31 - shift}


def _rounded_in_double(node, source_scale, scales, output_scale, channels, reach):
    if reach.max() >= 1 << 31:
        raise ValueError("its bias and weights can overflow a sum of 32 bits")
    exact = exact_multipliers(source_scale, scales, output_scale)
    fixed, low, shift = (np.broadcast_to(each, channels) for each in exact)
    if shift.max() > 30:
        raise ValueError("its scale factors are too large")
    return {"multiplier": fixed, "right": 31 - shift, "low": low}


def _weighted_ends(node):
    if len(node.inputs) not in (2, 3):
        raise node.refuse("it needs an input, weights, an optional bias and one output")
    return checked_ends(node, node.inputs[:1])


OPERATORS = {
    **ELEMENTS,
    "AVERAGE_POOL_2D": pool2d,
    "CONV_2D": conv2d,
    "DEPTHWISE_CONV_2D": depthwise_conv2d,
    "DEQUANTIZE": dequantize,
    "EXPAND_DIMS": reshape,
    "FULLY_CONNECTED": fully_connected,
    "MAX_POOL_2D": pool2d,
    "QUANTIZE": quantize,
    "RESHAPE": reshape,
    "SQUEEZE": reshape,
}
