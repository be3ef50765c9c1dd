"""CONV_2D for Hexagon whose weights are instructions, where the caller of the export wants it."""

import numpy as np

from keras_prune.export.c import convolutions, hexagon
from keras_prune.export.c.code_layers import code_step
from keras_prune.export.c.hexagon_code import VECTOR, write_program
from keras_prune.export.c.quantization import activation_range, channel_multipliers
from keras_prune.export.c.steps import SCRATCH
from keras_prune.export.c.weighted import Candidate, ends_of, worth_packing
from keras_prune.export.c.windows import activation_name, convolution_window

KERNEL = "spk_conv2d_s8_code__hvx"
PARAMETERS = ("const uint8_t *x", "const uint32_t *literals", "uint8_t *sums", "int32_t chunk")
SOURCES = ("kernels/hexagon/conv2d_s8_code_hvx.c", *hexagon.SOURCES)
MOST_WEIGHTS = 1 << 19  # not zero: what is written takes several times as many bytes
MOST_COLUMNS = 1 << 14  # of which sums stay within 30 bits
_RIGHT = 15  # bits that one instruction shifts


def conv2d(node, target):
    """Lower CONV_2D to code if that takes the fewest packets, else as ever."""
    from keras_prune.runtime.vector_packers import column_offsets_hvx, fours_scratch_hvx

    twin = convolutions.conv2d(node, target)
    source, output = ends_of(node)
    weights = node.inputs[1]
    fields, _ = convolution_window(node, source, weights, output)
    window, matrix = [value for _, value in fields], hexagon.padded_matrix(weights.data)
    records = _records(node, source, output, matrix)
    few = np.count_nonzero(matrix) <= MOST_WEIGHTS
    if records is None or not few or not worth_packing(matrix):
        return twin
    program = write_program(matrix, column_offsets_hvx(window, matrix.shape[1] // 4))
    sums = 5 * program.chunk_rows + 1  # vectors
    candidate = Candidate(
        "code",
        KERNEL,
        SOURCES,
        program.words,
        hexagon.packets_of(fields, matrix, program.packets),
        fours_scratch_hvx(window, sums * VECTOR // 4),
        code_bytes=program.code_bytes,
    )
    step = code_step(node, twin, candidate, program, PARAMETERS)
    if step is twin:
        return twin
    step.struct("spk_window2d", "window", fields)
    low, high = activation_range(activation_name(node), output)
    ends = [("output_offset", output.zero_point), ("act_min", low), ("act_max", high)]
    step.struct("spk_requant", "requant", [("input_offset", -source.zero_point), *ends])
    step.arguments.append(source)
    fields = [
        ("products", step.code.name),
        ("literals", step.constant("literals", "uint32_t", program.words, alignment=8)),
        ("records", step.constant("records", "int32_t", records, alignment=8)),
        ("chunks", -(-len(matrix) // program.chunk_rows)),
        ("chunk_rows", program.chunk_rows),
        ("wide", int((records[:, 2] >> 8).any())),
    ]
    step.struct("spk_hvx_code", "code", fields)
    step.arguments += [output, SCRATCH]
    return step


def _records(node, source, output, matrix):
    # (rows + 1, 4) as the kernel reads them, or None where it cannot scale.
    weights = node.inputs[1]
    rows = len(matrix)
    multipliers, shifts = channel_multipliers(source.scale, weights.scales, output.scale, rows)
    bias = hexagon.folded_bias_values(node, matrix, source)
    small = matrix.shape[1] <= MOST_COLUMNS and abs(bias).max() < 1 << 29
    if not small or max(shifts) >= 0:
        return None
    rights = -np.asarray(shifts)
    before = np.maximum(rights - _RIGHT, 0)
    records = np.zeros((rows + 1, 4), np.int64)
    records[:-1, 0], records[:-1, 1] = multipliers, bias
    records[1:, 2] = (rights - before) | before << 8
    return records
