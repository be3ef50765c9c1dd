"""FULLY_CONNECTED whose weights are instructions, where the caller of the export pays the flash."""

import dataclasses

import numpy as np

from keras_prune.export.c import dense_layers
from keras_prune.export.c.code_writer import STACK_BYTES
from keras_prune.export.c.quantization import activation_range, exact_multipliers
from keras_prune.export.c.rounding import round_up_multipliers
from keras_prune.export.c.steps import SCRATCH, Code, Step
from keras_prune.export.c.weighted import Candidate, bias_values, ends_of, requantization
from keras_prune.export.c.weights_as_code import LARGEST_RIGHT, Scales, write_program
from keras_prune.export.c.windows import activation_name

KERNEL = "spk_fully_connected_s8_code__armv7em"
PARAMETERS = ("const int16_t *x", "const uint32_t *literals", "void *output")
MOST_WEIGHTS = 1 << 20  # not zero, and rows: more than any flash of such processors holds
SOURCES = (f"{dense_layers.ARMV7EM}/fully_connected_s8_code.c", dense_layers.ROWS)
# Instructions beside those that are written, counted under QEMU, gcc -O3: per input row, input,
# and row that the code leaves to be scaled.
_CALL, _INPUT, _SCALED_ROW = 95, 1.17, 25


def check_option(weights_as_code, target):
    """Raise `ValueError` unless the argument of `export_c` fits the target."""
    listed = isinstance(weights_as_code, (list, tuple))
    if not isinstance(weights_as_code, bool) and not (
        listed and all(type(each) is int for each in weights_as_code)
    ):
        raise ValueError(
            "Argument `weights_as_code` must be a bool or a list of operators' numbers. "
            f"Received: weights_as_code={weights_as_code!r}"
        )
    if weights_as_code and not is_suited(target):
        raise ValueError(
            "Argument `weights_as_code` is for the targets cortex-m4, cortex-m7, cortex-m33 and "
            "hexagon. "
            f"Received: weights_as_code={weights_as_code!r}, target={target.name!r}"
        )


def check_layers(weights_as_code, kind, suited):
    """Raise `ValueError` unless `weights_as_code` lists operators of that kind, of `suited`."""
    if not set(weights_as_code) <= set(suited):
        raise ValueError(
            f"Argument `weights_as_code` must list int8 {kind} operators, which are "
            f"{sorted(suited)} here. Received: weights_as_code={list(weights_as_code)}"
        )


def is_suited(target):
    """True if code is written for the processor, which has nothing faster."""
    return target.vectors == "hvx" or (target.dsp and target.vectors == "")


def fully_connected(node, target):
    """Lower FULLY_CONNECTED to code if that takes the fewest instructions, else as ever."""
    twin = dense_layers.fully_connected(node, target)
    source, output = ends_of(node)
    matrix = node.inputs[1].data
    rows, cols = matrix.shape
    if np.count_nonzero(matrix) + rows > MOST_WEIGHTS:
        return twin
    batch = source.size // cols
    scales = _scales(node, source, output, rows)
    program = write_program(matrix, bias_values(node, matrix), scales)
    each = _CALL + _INPUT * cols + len(program.lines) + (0 if scales else _SCALED_ROW * rows)
    candidate = Candidate(
        "code",
        KERNEL,
        SOURCES,
        program.words,
        batch * each,
        scratch_bytes(rows, cols, scales is not None),
        code_bytes=program.code_bytes,
    )
    step = code_step(node, twin, candidate, program, PARAMETERS, STACK_BYTES)
    if step is twin:
        return twin
    literals = step.constant("literals", "uint32_t", program.words)
    step.arguments += [str(batch), str(rows), str(cols)]
    if scales is None:
        requantization(step, node, source, node.inputs[1], output, rows, matrix, exact=True)
    else:
        step.struct("spk_requant", "requant", [("input_offset", -source.zero_point)])
    step.arguments += [source, step.code.name, literals, output, SCRATCH]
    return step


def code_step(node, twin, candidate, program, parameters, stack_bytes=0):
    """Return the step of a layer whose weights are code, or its twin if that takes no more.

    Args:
        node: `Node`.
        twin: `Step` of the ordinary kernel, which gets the candidate too.
        candidate: `Candidate` of the code.
        program: What was written: its `lines` and `code_bytes`.
        parameters: Tuple of str, those of the function in C.
        stack_bytes: Int. What the function takes of the stack.
    """
    others = twin.candidates
    twin.candidates += (candidate,)
    if any(other.instructions <= candidate.instructions for other in others):
        return twin
    ends, kernel = ([*twin.inputs], twin.output), (candidate.kernel, candidate.sources)
    step = Step(node.index, node.kind, *ends, *kernel, macs=twin.macs)
    step.twin, step.candidates = twin, twin.candidates
    step.instructions = round(candidate.instructions)
    step.weights = dataclasses.replace(
        twin.weights, encoding="code", stored_bytes=candidate.stored_bytes
    )
    step.scratch_bytes = max(candidate.scratch_bytes, twin.scratch_bytes)
    name = f"op_{step.number}_code"
    step.code = Code(name, parameters, program.lines, program.code_bytes, stack_bytes)
    return step


def scratch_bytes(rows, cols, scales):
    """Bytes of scratch: inputs as int16, two words more, and sums that the code does not scale."""
    return dense_layers.widened_bytes(cols) + 8 + (0 if scales else 4 * rows)


def _scales(node, source, output, rows):
    # How the code scales, or None where one multiplier of 31 bits does not give the same bytes.
    weights, (low, high) = node.inputs[1], activation_range(activation_name(node), output)
    factors = exact_multipliers(source.scale, weights.scales, output.scale)
    levels = low - output.zero_point, high - output.zero_point
    shorter = round_up_multipliers(*factors, levels)
    if shorter is None or -min(shorter[1]) > LARGEST_RIGHT:
        return None
    multipliers, shifts = shorter if len(shorter[1]) > 1 else (rows * each for each in shorter)
    rights = tuple(-shift for shift in shifts)
    return Scales(tuple(multipliers), rights, output.zero_point, low, high)
