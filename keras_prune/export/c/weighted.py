"""What the layers with weights share: their operands, and the choice of how weights are kept."""

import dataclasses

import numpy as np

from keras_prune.export.c.graph import check_activation
from keras_prune.export.c.quantization import (
    activation_range,
    channel_multipliers,
    exact_multipliers,
)
from keras_prune.export.c.rounding import round_up_multipliers
from keras_prune.export.c.steps import Weights, c_type
from keras_prune.export.c.windows import activation_name

PORTABLE = "kernels/portable"


@dataclasses.dataclass(frozen=True, eq=False)
class Candidate:
    """A kernel that could compute a layer, and the weights as it reads them.

    `instructions` is an estimate for the target, `encoding` one of those of `Weights`. A kernel
    that `folds_offset` expects the input offset times the sum of the weights in its bias, one
    with a `group` gets it behind the shape. One that `rounds_up` reads `round_up` of `spk_requant`,
    with a shift for each of the `"rows"` or one for the `"layer"`. `code_bytes` are those of
    instructions that hold weights.
    """

    encoding: str
    kernel: str
    sources: tuple
    values: np.ndarray
    instructions: float
    scratch_bytes: int = 0
    folds_offset: bool = False
    group: int = 0
    rounds_up: str | None = None
    code_bytes: int = 0

    @property
    def stored_bytes(self):
        """Bytes in flash."""
        return self.values.nbytes + self.code_bytes


def best_of(candidates):
    """Return the `Candidate` of the smallest product of bytes and instructions."""
    return min(candidates, key=lambda each: each.stored_bytes * each.instructions)


def take_best(step, matrix, candidates):
    """Give a step the kernel with the smallest product of bytes and instructions.

    What is smaller and faster always wins, and a small loss in one must buy more in the other.

    Args:
        step: `Step` that gets kernel, sources, scratch, weights and instructions.
        matrix: Array (rows, columns) of the dense weights.
        candidates: List of `Candidate`; of equal ones the first is taken.

    Returns:
        The `Candidate`, and the `Constant` that holds its weights.
    """
    best = best_of(candidates)
    zeros = int(matrix.size - np.count_nonzero(matrix))
    step.weights = Weights(best.encoding, matrix.nbytes, best.stored_bytes, zeros, matrix.size)
    step.kernel, step.sources = best.kernel, best.sources
    step.candidates = tuple(candidates)
    step.scratch_bytes, step.instructions = best.scratch_bytes, round(best.instructions)
    name = "weights" if best.encoding == "dense" else best.encoding
    return best, step.constant(name, c_type(best.values), best.values)


def worth_packing(matrix):
    """True from 20 % zeros on: below, no stream has ever been better."""
    return np.count_nonzero(matrix == 0) * 5 >= matrix.size


def pack_stream(matrix):
    """Return the stream of a matrix as an array of bytes."""
    from keras_prune.runtime.packers import pack_stream_s8

    return np.frombuffer(pack_stream_s8(matrix), np.uint8)


def pack_groups(matrix):
    """Yield (m, bytes) for every format of one weight in each group of m columns that fits."""
    from keras_prune.runtime.packers import pack_groups_s8

    for m in (4, 8):
        try:
            yield m, np.frombuffer(pack_groups_s8(matrix, m), np.uint8)
        except ValueError:  # several weights in a group
            continue


def ends_of(node):
    """Return the input and the output of a layer with weights, or refuse the node."""
    if len(node.inputs) not in (2, 3) or len(node.outputs) != 1:
        raise node.refuse("it needs an input, weights, an optional bias and one output")
    check_activation(node, node.inputs[0])
    check_activation(node, node.outputs[0])
    if node.inputs[0].data is not None:
        raise node.refuse("a constant input is not supported")
    return node.inputs[0], node.outputs[0]


def weights_of(node, rank, channel_axis):
    """Return the constant int8 weights, quantised by tensor or along `channel_axis`."""
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


def bias_of(step, node, matrix, folded_offset=None):
    """Return the argument for the bias: a constant, or NULL.

    With `folded_offset`, an input offset, it is always a constant: bias + offset * sum of weights.
    """
    values = bias_values(node, matrix)
    if folded_offset is not None:
        values = values + folded_offset * matrix.astype(np.int64).sum(axis=1)
    elif node.input(2) is None:
        return "NULL"
    return step.constant("bias", "int32_t", values)


def bias_values(node, matrix):
    """Return the bias of every row, 0 where there is none; refuse the node if sums can overflow."""
    bias, rows = node.input(2), matrix.shape[0]
    if bias is None:
        values = np.zeros(rows, np.int64)
    elif bias.data is None or bias.type != "INT32" or bias.size != rows:
        raise node.refuse(f"its bias must be a constant of {rows} INT32 values")
    else:
        values = bias.data.reshape(-1).astype(np.int64)
    # |x + offset| is at most 255.
    reach = np.abs(values) + 255 * np.abs(matrix.astype(np.int64)).sum(axis=1)
    if reach.max() >= 1 << 31:
        raise node.refuse("its bias and weights can overflow an int32 accumulator")
    return values


def _lane_run(matrix, encoding, offset):
    # The longest run of columns, or of stored pairs, whose sums stay within 2**21 whatever the
    # inputs are, which an offset moves off int8. Filler pairs only shorten what a run holds.
    products = matrix.astype(np.int64)[None] * np.array([offset - 128, offset + 127])[:, None, None]
    reach = np.concatenate([products.max(axis=0), -products.min(axis=0)])  # both ways
    if encoding != "dense":
        reach = -np.sort(-reach, axis=1)
    sums = np.pad(reach.cumsum(axis=1), ((0, 0), (1, 0)))
    run = sums.shape[1] - 1
    while run > 64 and (sums[:, run:] - sums[:, :-run]).max() >= 1 << 21:
        run -= max(run // 16, 1)
    return max(run, 64)


def requantization(
    step, node, source, weights, output, channels, matrix, exact=False, rounds_up=None
):
    """Pass `spk_requant`; `exact` is for the operators that LiteRT rounds once, in float64.

    With `rounds_up` their multipliers are shortened, if the bytes stay the same.
    """
    limits = activation_range(activation_name(node), output)
    if limits is None:
        raise node.refuse(f"activation {activation_name(node)} is not supported")
    scales = (source.scale, weights.scales, output.scale)
    low = shorter = None
    try:
        if exact:
            multipliers, low, shifts = exact_multipliers(*scales)
        else:
            multipliers, shifts = channel_multipliers(*scales, channels)
    except ValueError as error:
        raise node.refuse(str(error)) from None
    if rounds_up:
        levels = limits[0] - output.zero_point, limits[1] - output.zero_point
        shorter = round_up_multipliers(multipliers, low, shifts, levels, rounds_up == "layer")
    if shorter is not None:
        multipliers, shifts = (np.array(each) for each in shorter)
        if rounds_up == "rows":
            multipliers, shifts = (np.resize(each, channels) for each in (multipliers, shifts))
        low = None
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
    if shorter is not None:
        fields += [("round_up", 1), ("per_tensor", int(len(multipliers) == 1))]
    run = _lane_run(matrix, step.weights.encoding, -source.zero_point)
    fields.append(("lane_run", run))
    step.struct("spk_requant", "requant", fields)
