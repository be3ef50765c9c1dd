"""CONV_2D and DEPTHWISE_CONV_2D as calls of int8 kernels."""

from keras_prune.export.c import (
    armv7em,
    armv7em_depthwise,
    armv81m,
    armv81m_dense,
    hexagon,
    tile_cost,
)
from keras_prune.export.c.steps import SCRATCH, Step
from keras_prune.export.c.weighted import (
    PORTABLE,
    Candidate,
    bias_of,
    ends_of,
    pack_groups,
    pack_stream,
    requantization,
    take_best,
    weights_of,
    worth_packing,
)
from keras_prune.export.c.windows import convolution_window, depthwise_window

TILE = f"{PORTABLE}/tile_s8.c"


def conv2d(node, target):
    """Lower CONV_2D: weights (out, kernel_h, kernel_w, in)."""
    source, output = ends_of(node)
    weights = weights_of(node, rank=4, channel_axis=0)
    channels = weights.shape[0]
    fields, pixels = convolution_window(node, source, weights, output)
    step = Step(node.index, node.kind, [source], output, macs=pixels * weights.size)
    step.struct("spk_window2d", "window", fields)
    matrix = weights.data.reshape(channels, -1)
    if target.vectors == "hvx":
        _, stored = take_best(step, matrix, hexagon.candidates(weights.data, fields))
        bias = hexagon.folded_bias(step, node, matrix, source)
    else:
        found = candidates(matrix, target, fields, pixels)
        if target.vectors == "mve":
            dense = armv81m_dense.convolution(matrix, dict(fields))
            found += [dense] if dense else []
            found += armv81m.convolutions(matrix, dict(fields))
        best, stored = take_best(step, matrix, found)
        if best.group:
            step.arguments.append(str(best.group))
        bias = bias_of(step, node, matrix, -source.zero_point if best.folds_offset else None)
    requantization(step, node, source, weights, output, channels, matrix)
    step.instructions += armv7em.clamps(target, node, output)
    step.arguments += [source, stored, bias, output, SCRATCH]
    return step


def candidates(matrix, target, fields, pixels):
    """Return the kernels that could compute a convolution of these weights (rows, columns).

    `fields` are those of its `spk_window2d`, which gives so many pixels.
    """
    found = [_candidate("dense", matrix, matrix.reshape(-1), target, dict(fields), pixels)]
    if worth_packing(matrix):
        stream = pack_stream(matrix)
        found.append(_candidate("stream", matrix, stream, target, dict(fields), pixels))
        if target.dsp:
            found += _groups(matrix, dict(fields))
    return found


def _groups(matrix, w):
    names = ("conv2d_s8_groups.c", "tile_s8.c", "tile_groups_s8.c")
    sources = tuple(f"{PORTABLE}/{name}" for name in names) + armv7em.sources("groups")
    for m, groups in pack_groups(matrix):
        if armv7em.takes_groups(w, m):
            yield Candidate(
                f"groups{m}",
                "spk_conv2d_s8_groups__armv7em",
                sources,
                groups,
                armv7em.instructions(f"groups{m}", w, matrix, groups.size),
                armv7em.scratch_bytes(w, m),
                group=m,
            )


def _candidate(encoding, matrix, values, target, w, pixels):
    kernel = f"spk_conv2d_s8_{encoding}"
    portable = f"{PORTABLE}/conv2d_s8_{encoding}.c"
    sources = (portable, TILE, f"{PORTABLE}/tile_{encoding}_s8.c")
    if target.dsp:
        return Candidate(
            encoding,
            f"{kernel}__armv7em",
            sources + armv7em.sources(encoding),
            values,
            armv7em.instructions(encoding, w, matrix, values.size),
            armv7em.scratch_bytes(w),
        )
    taps = w["kernel_h"] * w["kernel_w"]
    instructions = tile_cost.dense(target, matrix, pixels, taps)
    if encoding == "stream":
        instructions = tile_cost.stream(target, matrix, values.size, pixels, taps)
    scratch = tile_cost.TILE_BYTES * matrix.shape[1]
    return Candidate(encoding, f"{kernel}__c", sources, values, instructions, scratch)


def depthwise_conv2d(node, target):
    """Lower DEPTHWISE_CONV_2D: weights (1, kernel_h, kernel_w, out), always dense."""
    source, output = ends_of(node)
    weights = weights_of(node, rank=4, channel_axis=3)
    channels = weights.shape[3]
    fields, pixels = depthwise_window(node, source, weights, output)
    step = Step(node.index, node.kind, [source], output, macs=pixels * weights.size)
    step.struct("spk_window2d", "window", fields)
    matrix = weights.data.reshape(-1, channels).T
    found = [_depthwise_candidate(step, weights.data, dict(fields), target)]
    if target.vectors == "mve":
        vectors = armv81m_dense.depthwise(weights.data, dict(fields))
        found += [vectors] if vectors else []
    best, stored = take_best(step, matrix, found)
    bias = bias_of(step, node, matrix, -source.zero_point if best.folds_offset else None)
    requantization(step, node, source, weights, output, channels, matrix)
    step.instructions += armv7em.clamps(target, node, output)
    step.arguments += [source, stored, bias, output, SCRATCH]
    return step


def _depthwise_candidate(step, weights, w, target):
    sources = (f"{PORTABLE}/depthwise_conv2d_s8_dense.c",)
    scratch = depthwise_scratch(w)
    rows = w["batch"] * w["out_h"] * w["out_c"]
    instructions = tile_cost.depthwise(target, step.macs, rows * w["out_w"], rows)
    suffix = "c"
    if target.dsp and armv7em_depthwise.is_suited(w):
        sources += armv7em_depthwise.SOURCES
        scratch = armv7em_depthwise.scratch_bytes(w, scratch)
        instructions = armv7em_depthwise.instructions(w)
        suffix = "armv7em"
    kernel = f"spk_depthwise_conv2d_s8_dense__{suffix}"
    return Candidate("dense", kernel, sources, weights.reshape(-1), instructions, scratch)


def depthwise_scratch(w):
    """Bytes of scratch of the portable kernel for depthwise convolution."""
    reach = (w["out_w"] - 1) * w["stride_w"] + (w["kernel_w"] - 1) * w["dilation_w"] + 1
    rows = (w["kernel_h"] - 1) * w["dilation_h"] + 1
    band = rows * max(reach, w["pad_left"] + w["in_w"]) * w["in_c"]
    return 4 * (w["out_c"] + w["kernel_h"] + w["out_w"]) + band
