"""FULLY_CONNECTED, CONV_2D and DEPTHWISE_CONV_2D as calls of int8 kernels."""

import numpy as np

from keras_prune.export.c import cost
from keras_prune.export.c.graph import check_activation
from keras_prune.export.c.quantization import (
    activation_range,
    channel_multipliers,
    exact_multipliers,
)
from keras_prune.export.c.steps import SCRATCH, Step, Weights
from keras_prune.export.c.windows import activation_name, window

REFERENCE, PORTABLE = "kernels/reference", "kernels/portable"
ROWS = f"{PORTABLE}/requantize_rows_s8.c"


def fully_connected(node, target):
    """Lower FULLY_CONNECTED: weights (rows, cols), any leading input dimensions as batch."""
    source, output = _ends(node)
    weights = _weights(node, rank=2, channel_axis=0)
    if getattr(node.options, "weightsFormat", 0) != 0:
        raise node.refuse("only the default weights format is supported")
    rows, cols = weights.shape
    batch, rest = divmod(source.size, cols)
    if rest or output.size != batch * rows:
        raise node.refuse(
            f"input {source.shape}, weights {weights.shape} and output {output.shape} disagree"
        )
    step = Step(node.index, node.kind, [source], output, macs=batch * rows * cols)
    matrix = weights.data
    stored = _store(step, matrix, target, batch, live=source.live)
    step.arguments += [str(batch), str(rows), str(cols)]
    bias = _bias(step, node, matrix)
    _requant(step, node, source, weights, output, rows, matrix, exact=True)
    step.arguments += [source, stored, bias, output]
    if step.weights.encoding == "dense":
        step.kernel = "spk_fully_connected_s8_dense__c"
        step.sources = (f"{PORTABLE}/fully_connected_s8_dense.c", ROWS)
        return step
    step.arguments.append(SCRATCH)
    if step.weights.encoding == "columns":
        step.kernel = "spk_fully_connected_s8_columns__c"
        step.sources = (f"{PORTABLE}/fully_connected_s8_columns.c", ROWS)
        step.scratch_bytes = 4 * rows
        return step
    step.kernel = "spk_fully_connected_s8_stream__c"
    step.sources = (
        f"{PORTABLE}/fully_connected_s8_stream.c",
        f"{PORTABLE}/conv2d_s8_stream.c",
        f"{PORTABLE}/tile_s8.c",
        ROWS,
    )
    step.scratch_bytes = 2 * cols if batch == 1 else cost.TILE_BYTES * cols
    return step


def conv2d(node, target):
    """Lower CONV_2D: weights (out, kernel_h, kernel_w, in)."""
    source, output = _ends(node)
    weights = _weights(node, rank=4, channel_axis=0)
    channels, kernel_h, kernel_w, depth = weights.shape
    if len(source.shape) == 4 and source.shape[3] != depth:
        raise node.refuse(
            f"grouped convolution is not supported: input {source.shape}, weights {weights.shape}"
        )
    fields, pixels = window(node, source, output, kernel_h, kernel_w, channels)
    step = Step(node.index, node.kind, [source], output, macs=pixels * weights.size)
    step.struct("spk_window2d", "window", fields)
    matrix = weights.data.reshape(channels, -1)
    stored = _store(step, matrix, target, pixels, kernel_h * kernel_w)
    bias = _bias(step, node, matrix)
    _requant(step, node, source, weights, output, channels, matrix)
    step.arguments += [source, stored, bias, output, SCRATCH]
    step.kernel = f"spk_conv2d_s8_{step.weights.encoding}__c"
    step.sources = (f"{PORTABLE}/conv2d_s8_{step.weights.encoding}.c", f"{PORTABLE}/tile_s8.c")
    step.scratch_bytes = cost.TILE_BYTES * matrix.shape[1]
    return step


def depthwise_conv2d(node, target):
    """Lower DEPTHWISE_CONV_2D: weights (1, kernel_h, kernel_w, out), always dense."""
    source, output = _ends(node)
    weights = _weights(node, rank=4, channel_axis=3)
    one, kernel_h, kernel_w, channels = weights.shape
    depth = source.shape[3] if len(source.shape) == 4 else 0
    multiplier = getattr(node.options, "depthMultiplier", 0)
    if one != 1 or depth < 1 or depth * multiplier != channels:
        raise node.refuse(
            f"input {source.shape}, weights {weights.shape} and multiplier {multiplier} disagree"
        )
    fields, pixels = window(node, source, output, kernel_h, kernel_w, channels)
    step = Step(node.index, node.kind, [source], output, macs=pixels * weights.size)
    step.struct("spk_window2d", "window", fields)
    matrix = weights.data.reshape(-1, channels).T
    stored = step.constant("weights", "int8_t", weights.data.reshape(-1))
    step.weights = _dense(matrix)
    step.instructions = cost.depthwise_instructions(
        target, step.macs, pixels * channels, pixels * channels // output.shape[2]
    )
    bias = _bias(step, node, matrix)
    _requant(step, node, source, weights, output, channels, matrix)
    step.arguments += [source, stored, bias, output, SCRATCH]
    step.kernel = "spk_depthwise_conv2d_s8_dense__c"
    step.sources = (f"{PORTABLE}/depthwise_conv2d_s8_dense.c",)
    step.scratch_bytes = 4 * (channels + kernel_h + output.shape[2]) + _band_bytes(dict(fields))
    return step


def _ends(node):
    if len(node.inputs) not in (2, 3) or len(node.outputs) != 1:
        raise node.refuse("it needs an input, weights, an optional bias and one output")
    check_activation(node, node.inputs[0])
    check_activation(node, node.outputs[0])
    if node.inputs[0].data is not None:
        raise node.refuse("a constant input is not supported")
    return node.inputs[0], node.outputs[0]


def _weights(node, rank, channel_axis):
    weights = node.inputs[1]
    if weights is None or weights.data is None:
        raise node.refuse("its weights must be a constant")
    if weights.type != "INT8":
        raise node.refuse(f"INT8 weights are supported, not {weights.type}")
    if len(weights.shape) != rank or weights.size < 1:
        raise node.refuse(f"its weights need {rank} dimensions, not shape {weights.shape}")
    scales = weights.scales
    if len(scales) not in (1, weights.shape[channel_axis]) or len(weights.zero_points) == 0:
        raise node.refuse(f"its weights need one scale, or one a channel, not {len(scales)}")
    if len(scales) > 1 and weights.axis != channel_axis:
        raise node.refuse(f"its weights are quantised along axis {weights.axis}")
    if not np.all(np.isfinite(scales) & (scales > 0)) or np.any(weights.zero_points):
        raise node.refuse("its weights need positive scales and zero points of 0")
    return weights


def _bias(step, node, matrix):
    bias = node.input(2)
    if bias is None:
        return "NULL"
    rows = matrix.shape[0]
    if bias.data is None or bias.type != "INT32" or bias.size != rows:
        raise node.refuse(f"its bias must be a constant of {rows} INT32 values")
    # |x + offset| is at most 255.
    reach = np.abs(bias.data.reshape(-1).astype(np.int64)) + 255 * np.abs(
        matrix.astype(np.int64)
    ).sum(axis=1)
    if reach.max() >= 1 << 31:
        raise node.refuse("its bias and weights can overflow an int32 accumulator")
    return step.constant("bias", "int32_t", bias.data.reshape(-1))


def _lane_run(matrix, encoding):
    # The longest run of columns, or of stored pairs, that keeps 255 * sum |w| below 2**22.
    # Filler pairs of a stream only shorten what a run really holds.
    sizes = np.abs(matrix.astype(np.int64))
    if encoding != "dense":
        sizes = -np.sort(-sizes, axis=1)
    sums = np.pad(255 * sizes.cumsum(axis=1), ((0, 0), (1, 0)))
    run = sums.shape[1] - 1
    while run > 128 and (sums[:, run:] - sums[:, :-run]).max() >= 1 << 22:
        run -= max(run // 16, 1)
    return max(run, 128)


def _requant(step, node, source, weights, output, channels, matrix, exact=False):
    limits = activation_range(activation_name(node), output)
    if limits is None:
        raise node.refuse(f"activation {activation_name(node)} is not supported")
    scales = (source.scale, weights.scales, output.scale)
    low = None
    try:
        if exact:
            multipliers, low, shifts = exact_multipliers(*scales)
        else:
            multipliers, shifts = channel_multipliers(*scales, channels)
    except ValueError as error:
        raise node.refuse(str(error)) from None
    fields = [
        ("multiplier", step.constant("multiplier", "int32_t", multipliers)),
        ("shift", step.constant("shift", "int32_t", shifts)),
        ("input_offset", -source.zero_point),
        ("output_offset", output.zero_point),
        ("act_min", limits[0]),
        ("act_max", limits[1]),
    ]
    if low is not None:
        fields.append(("multiplier_low", step.constant("multiplier_low", "uint32_t", low)))
        fields.append(("per_tensor", int(len(low) == 1)))
    fields.append(("lane_run", _lane_run(matrix, step.weights.encoding)))
    step.struct("spk_requant", "requant", fields)


def _dense(matrix):
    zeros = int(matrix.size - np.count_nonzero(matrix))
    return Weights("dense", matrix.size, matrix.size, zeros, matrix.size)


def _store(step, matrix, target, pixels, taps=1, live=1.0):
    from keras_prune.runtime.native import pack_stream_s8

    dense, packed = _dense(matrix), {}
    if dense.zeros * 5 >= dense.count:  # below 20 % zeros no stream has ever been better
        packed["stream"] = pack_stream_s8(matrix)
        if step.kind == "FULLY_CONNECTED":
            packed["columns"] = pack_stream_s8(matrix.T)
    sizes = {encoding: len(blob) for encoding, blob in packed.items()}
    choice = cost.choose(target, matrix, sizes, pixels, taps, live)
    step.instructions = choice.instructions
    if choice.encoding == "dense":
        step.weights = dense
        return step.constant("weights", "int8_t", matrix.reshape(-1))
    blob = packed[choice.encoding]
    step.weights = Weights(choice.encoding, matrix.size, len(blob), dense.zeros, dense.count)
    return step.constant(choice.encoding, "uint8_t", np.frombuffer(blob, np.uint8))


def _band_bytes(w):
    reach = (w["out_w"] - 1) * w["stride_w"] + (w["kernel_w"] - 1) * w["dilation_w"] + 1
    rows = (w["kernel_h"] - 1) * w["dilation_h"] + 1
    return rows * max(reach, w["pad_left"] + w["in_w"]) * w["in_c"]
