"""FULLY_CONNECTED, CONV_2D and DEPTHWISE_CONV_2D of float32 models."""

import numpy as np

from keras_prune.export.c.floats import ends, limits
from keras_prune.export.c.steps import SCRATCH, Step
from keras_prune.export.c.weighted import PORTABLE, Candidate, take_best, worth_packing
from keras_prune.export.c.windows import convolution_window, dense_batch, depthwise_window

REFERENCE = "kernels/reference"
_TILE_PIXELS = 16


def fully_connected(node, target):
    """Lower FULLY_CONNECTED: weights (rows, cols), any leading input dimensions as batch."""
    source, output = ends(node, inputs=(2, 3))
    weights = _weights_of(node, rank=2)
    rows, cols = weights.shape
    batch = dense_batch(node, source, weights, output)
    one = ("in_h", "in_w", "out_h", "out_w", "kernel_h", "kernel_w", "stride_h", "stride_w")
    sizes = [("batch", batch), ("in_c", cols), ("out_c", rows), *((name, 1) for name in one)]
    sizes += [("dilation_h", 1), ("dilation_w", 1)]
    step = Step(node.index, node.kind, [source], output, macs=batch * rows * cols)
    return _layer(step, node, "fully_connected", weights.data, sizes, source, units=batch)


def conv2d(node, target):
    """Lower CONV_2D: weights (out, kernel_h, kernel_w, in)."""
    source, output = ends(node, inputs=(2, 3))
    weights = _weights_of(node, rank=4)
    channels = weights.shape[0]
    sizes, pixels = convolution_window(node, source, weights, output)
    step = Step(node.index, node.kind, [source], output, macs=pixels * weights.size)
    matrix = weights.data.reshape(channels, -1)
    return _layer(step, node, "conv2d", matrix, sizes, source, units=source.shape[0])


def depthwise_conv2d(node, target):
    """Lower DEPTHWISE_CONV_2D: weights (1, kernel_h, kernel_w, out), always dense."""
    source, output = ends(node, inputs=(2, 3))
    weights = _weights_of(node, rank=4)
    channels = weights.shape[3]
    sizes, pixels = depthwise_window(node, source, weights, output)
    step = Step(node.index, node.kind, [source], output, macs=pixels * weights.size)
    step.struct("spk_window2d", "window", sizes)
    candidate = Candidate(
        "dense",
        "spk_depthwise_conv2d_f32__c",
        (f"{PORTABLE}/depthwise_conv2d_f32.c",),
        weights.data.reshape(-1),
        10 * step.macs + 12 * output.size,
    )
    matrix = weights.data.reshape(-1, channels).T
    _, stored = take_best(step, matrix, [candidate])
    bias = _bias_of(step, node, channels)
    step.arguments += [*limits(node), source, stored, bias, output]
    return step


def _layer(step, node, name, matrix, sizes, source, units):
    # A kernel of spk/kernels_f32.h: everything goes by two structs.
    best, stored = take_best(step, matrix, _candidates(name, matrix, step.macs))
    low, high = limits(node)
    fields = [(f"window.{field}", value) for field, value in sizes]
    fields += [("act_min", low), ("act_max", high)]
    fields.append(("bias", _bias_of(step, node, len(matrix))))
    step.structs.append(("spk_layer", "layer", fields))
    arguments = [("layer", "&layer"), ("packed", stored), ("input", source)]
    arguments += [("output", step.output), ("end", units)]
    if best.scratch_bytes:
        arguments.append(("scratch", SCRATCH))
    step.struct("spk_args", "args", arguments)
    return step


def _candidates(name, matrix, macs):
    from keras_prune.runtime.packers import pack_csr_f32

    kernel = f"spk_{name}_f32_dense__ref"
    sources = (f"{REFERENCE}/{name}_f32_dense.c",)
    instructions = (8 if name == "conv2d" else 6) * macs
    dense = Candidate("dense", kernel, sources, matrix.reshape(-1), instructions)
    if not worth_packing(matrix):
        return [dense]
    packed = np.frombuffer(pack_csr_f32(matrix), np.uint32)
    share = np.count_nonzero(matrix) / matrix.size
    scratch = 4 * _TILE_PIXELS * matrix.shape[1] if name == "conv2d" else 0
    sources = (f"{PORTABLE}/{name}_f32_csr.c",)
    instructions = 6 * macs * share + 12 * macs / matrix.shape[1]
    kernel = f"spk_{name}_f32_csr__c"
    return [dense, Candidate("csr", kernel, sources, packed, instructions, scratch)]


def _weights_of(node, rank):
    weights = node.inputs[1]
    if weights is None or weights.data is None:
        raise node.refuse("its weights must be a constant")
    if weights.type != "FLOAT32":
        raise node.refuse(f"FLOAT32 weights are supported for FLOAT32 inputs, not {weights.type}")
    if len(weights.shape) != rank or weights.size < 1:
        raise node.refuse(f"its weights need {rank} dimensions, not shape {weights.shape}")
    if not np.isfinite(weights.data).all():
        raise node.refuse("its weights hold a number that is not finite")
    return weights


def _bias_of(step, node, rows):
    bias = node.input(2)
    if bias is None:
        return "NULL"
    if bias.data is None or bias.type != "FLOAT32" or bias.size != rows:
        raise node.refuse(f"its bias must be a constant of {rows} FLOAT32 values")
    if not np.isfinite(bias.data).all():
        raise node.refuse("its bias holds a number that is not finite")
    return step.constant("bias", "float", bias.data.reshape(-1))
