"""The weights of a dense layer as instructions for Arm cores with the DSP extension.

Six rows at a time have their sums in registers. Inputs, widened to int16, come three words (six
columns) a load; words that meet no weight are passed over. A weight costs one SMLABB, or half
an SMLAD where two columns of a word both have one. Its value is half a word of a list of
literals, which the code reads from beginning to end, three words a load: values in the instructions
themselves (MOVW) would cost as many instructions again. The list also holds biases and multipliers.
"""

import bisect
import dataclasses

import numpy as np

from keras_prune.export.c.code_writer import HALVES, INPUTS, SUMS, WEIGHTS, Writer, as_list

_REACH = 32  # bytes that a narrow STRB reaches
LARGEST_RIGHT = 23  # sums scaled so far still hold an int8 offset


@dataclasses.dataclass(frozen=True, eq=False)
class Scales:
    """How sums become int8: `floor(sum * multiplier * 2**-(31 + right) + 1/2) + offset`, clamped.

    `multipliers` and `rights` are ints, one a row, `right` from 1 to `LARGEST_RIGHT`.
    """

    multipliers: tuple
    rights: tuple
    offset: int
    low: int
    high: int


def write_program(matrix, bias, scales=None):
    """Write the instructions of a layer.

    Args:
        matrix: int8 array (rows, columns).
        bias: Ints, one a row.
        scales: `Scales`, or `None`: the results are the sums, int32.

    Returns:
        A `Program`. It takes the inputs as `spk_widen_s8` leaves them.
    """
    writer = Writer()
    writer.emit(4, "push {r2, r4-r11, lr}")
    pairs = _pairs(matrix)
    for first in range(0, len(matrix), len(SUMS)):
        rows = range(first, min(first + len(SUMS), len(matrix)))
        writer.load(SUMS[: len(rows)], [int(bias[row]) for row in rows])
        _add_products(writer, pairs[first : rows.stop])
        _store(writer, rows, scales)
    writer.emit(4, "pop {r2, r4-r11, pc}")
    return writer.program()


def _pairs(matrix):
    # (rows, words, 2): bytes 0 and 2 of four widened columns are a word, 1 and 3 the next.
    rows, cols = matrix.shape
    padded = np.pad(matrix, ((0, 0), (0, -cols % 4)))
    return padded.reshape(rows, -1, 2, 2).swapaxes(2, 3).reshape(rows, -1, 2)


def _add_products(writer, pairs):
    used = np.flatnonzero(pairs.any(axis=(0, 2)))
    for first in _loads(used, len(INPUTS)):
        writer.move_to(first)
        writer.emit(2, f"ldm r0!, {as_list(INPUTS)}")
        writer.at += len(INPUTS)
        _add_loaded(writer, pairs[:, first : first + len(INPUTS)])
    writer.end_weights()


def _loads(used, count):
    # Where loads of `count` neighbouring words begin, so that every used word is in one. A load
    # goes on where the last one ended, or one more instruction moves there: the fewest of both.
    used = used.tolist()
    costs, begins = {}, {}

    def best(at):
        # From an end of a load: the fewest instructions that are left, and where the next begins.
        if at not in costs:
            number = bisect.bisect_left(used, at)
            if number == len(used):
                return 0, None
            return 1 + costs[used[number]], used[number]
        return costs[at], begins[at]

    for number in reversed(range(len(used))):
        wanted = used[number]
        lowest = max(wanted - count + 1, used[number - 1] + 1 if number else 0)
        for at in range(wanted, lowest - 1, -1):
            costs[at], begins[at] = 1 + best(at + count)[0], at
            if 1 + costs[wanted] < costs[at]:
                costs[at], begins[at] = 1 + costs[wanted], wanted
    at = used[0] if used else None
    while at is not None:
        yield at
        at = best(at + count)[1]


def _add_loaded(writer, pairs):
    singles, doubles = [], []
    for row, word in np.argwhere(pairs.any(axis=2)).tolist():
        values = pairs[row, word].tolist()
        (doubles if all(values) else singles).append((SUMS[row], INPUTS[word], values))
    if writer.is_odd and singles:
        _add_single(writer, *singles.pop())
    for total, source, values in doubles:
        weights, _ = writer.weight(*values)
        writer.emit(4, f"smlad {total}, {source}, {weights}, {total}")
    for single in singles:
        _add_single(writer, *single)


def _add_single(writer, total, source, values):
    side = 0 if values[0] else 1
    weight, half = writer.weight(values[side])
    writer.emit(4, f"smla{HALVES[side]}{half} {total}, {source}, {weight}, {total}")


def _store(writer, rows, scales):
    writer.emit(2, "ldr r3, [sp]")
    if scales is None:
        totals = SUMS[: len(rows)]
        one = len(totals) == 1  # STM has no such form
        writer.emit(4, "str r8, [r3], #4" if one else f"stm r3!, {as_list(totals)}")
        writer.emit(2, "str r3, [sp]")
        return
    if writer.stored + len(rows) > _REACH:
        writer.emit(2, f"adds r3, #{writer.stored}")
        writer.emit(2, "str r3, [sp]")
        writer.stored = 0
    nudge = None  # what r2 holds
    for first in range(rows.start, rows.stop, len(WEIGHTS)):
        some = range(first, min(first + len(WEIGHTS), rows.stop))
        registers, values = WEIGHTS[: len(some)], [scales.multipliers[row] for row in some]
        if _nudge(scales, first) != nudge:
            nudge = _nudge(scales, first)
            registers, values = ("r2", *registers), [nudge, *values]
        writer.load(registers, values)
        for row, register in zip(some, WEIGHTS, strict=False):
            if _nudge(scales, row) != nudge:
                nudge = _nudge(scales, row)
                writer.load(("r2",), [nudge])
            _store_row(writer, SUMS[row - rows.start], register, scales.rights[row] - 1, scales)


def _nudge(scales, row):
    # Half of what is shifted out, and the offset.
    right = scales.rights[row] - 1
    return (1 << right >> 1) + (scales.offset << right)


def _store_row(writer, total, register, right, scales):
    # Without a shift the product itself is rounded.
    writer.emit(4, f"smmla{'' if right else 'r'} {register}, {total}, {register}, r2")
    writer.emit(4, f"ssat {register}, #8, {register}" + (f", asr #{right}" if right else ""))
    for limit, beyond, loosest in ((scales.low, "lt", -128), (scales.high, "gt", 127)):
        if limit != loosest:
            size = 2 if limit >= 0 else 4
            writer.emit(size, f"cmp {register}, #{limit}")
            writer.emit(2, f"it {beyond}")
            writer.emit(size, f"mov{beyond} {register}, #{limit}")
    writer.emit(2, f"strb {register}, [r3, #{writer.stored}]")
    writer.stored += 1
