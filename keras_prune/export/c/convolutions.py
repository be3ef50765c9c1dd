"""CONV_2D and DEPTHWISE_CONV_2D as calls of int8 kernels."""

from keras_prune.export.c import tile_cost
from keras_prune.export.c.steps import SCRATCH, Step
from keras_prune.export.c.weighted import (
    PORTABLE,
    Candidate,
    bias_of,
    ends_of,
    pack_stream,
    requantization,
    take_best,
    weights_of,
    worth_packing,
)
from keras_prune.export.c.windows import window

TILE = f"{PORTABLE}/tile_s8.c"


def conv2d(node, target):
    """Lower CONV_2D: weights (out, kernel_h, kernel_w, in)."""
    source, output = ends_of(node)
    weights = weights_of(node, rank=4, channel_axis=0)
    channels, kernel_h, kernel_w, depth = weights.shape
    if len(source.shape) == 4 and source.shape[3] != depth:
        raise node.refuse(
            f"grouped convolution is not supported: input {source.shape}, weights {weights.shape}"
        )
    fields, pixels = window(node, source, output, kernel_h, kernel_w, channels)
    step = Step(node.index, node.kind, [source], output, macs=pixels * weights.size)
    step.struct("spk_window2d", "window", fields)
    matrix = weights.data.reshape(channels, -1)
    taps = kernel_h * kernel_w
    _, stored = take_best(step, matrix, candidates(matrix, target, pixels, taps))
    bias = bias_of(step, node, matrix)
    requantization(step, node, source, weights, output, channels, matrix)
    step.arguments += [source, stored, bias, output, SCRATCH]
    return step


def candidates(matrix, target, pixels, taps):
    """Return the kernels that could compute a convolution of these weights (rows, columns)."""

    def candidate(encoding, values, instructions):
        sources = (f"{PORTABLE}/conv2d_s8_{encoding}.c", TILE)
        scratch = tile_cost.TILE_BYTES * matrix.shape[1]
        kernel = f"spk_conv2d_s8_{encoding}__c"
        return Candidate(encoding, kernel, sources, values, instructions, scratch)

    instructions = tile_cost.dense(target, matrix, pixels, taps)
    found = [candidate("dense", matrix.reshape(-1), instructions)]
    if worth_packing(matrix):
        stream = pack_stream(matrix)
        instructions = tile_cost.stream(target, matrix, stream.size, pixels, taps)
        found.append(candidate("stream", stream, instructions))
    return found


def depthwise_conv2d(node, target):
    """Lower DEPTHWISE_CONV_2D: weights (1, kernel_h, kernel_w, out), always dense."""
    source, output = ends_of(node)
    weights = weights_of(node, rank=4, channel_axis=3)
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
    candidate = Candidate(
        "dense",
        "spk_depthwise_conv2d_s8_dense__c",
        (f"{PORTABLE}/depthwise_conv2d_s8_dense.c",),
        weights.data.reshape(-1),
        tile_cost.depthwise(
            target, step.macs, pixels * channels, pixels * channels // output.shape[2]
        ),
        4 * (channels + kernel_h + output.shape[2]) + _band_bytes(dict(fields)),
    )
    _, stored = take_best(step, matrix, [candidate])
    bias = bias_of(step, node, matrix)
    requantization(step, node, source, weights, output, channels, matrix)
    step.arguments += [source, stored, bias, output, SCRATCH]
    return step


def _band_bytes(w):
    reach = (w["out_w"] - 1) * w["stride_w"] + (w["kernel_w"] - 1) * w["dilation_w"] + 1
    rows = (w["kernel_h"] - 1) * w["dilation_h"] + 1
    return rows * max(reach, w["pad_left"] + w["in_w"]) * w["in_c"]
