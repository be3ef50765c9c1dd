"""The weights of a convolution as instructions of Hexagon's vector unit.

Rows are cut into chunks whose sums fit into registers, so that a vector of inputs - 32 pixels of
four columns - is loaded once for all rows of a chunk. Every four weights of a row that are not all
zero are one product; nothing is left of the others. A chunk's packets go over the four vectors of a
tile one by one, and are small enough to stay in the cache of instructions meanwhile.
"""

import dataclasses

import numpy as np

from keras_prune.export.c.hexagon_packets import (
    MOST_ROWS,
    REACH,
    VECTOR,
    Packet,
    scheduled,
    store,
)

MOST_CODE = 24 << 10  # bytes of a chunk, of 32 kB that the cache has
_VECTORS = 4  # of a tile


@dataclasses.dataclass(frozen=True, eq=False)
class Program:
    """Packets as text, the words that they read, bytes without these, packets for a tile."""

    lines: tuple
    words: np.ndarray
    code_bytes: int
    chunk_rows: int
    packets: int


def write_program(matrix, offsets):
    """Write the packets of a layer.

    Args:
        matrix: int8 array (rows, columns), columns a multiple of four.
        offsets: Ints, one for every four columns: where they lie in a tile's inputs, in bytes.

    Returns:
        A `Program`: a function of inputs (r0), words (r1), sums (r2) and a chunk's number (r3).
    """
    blocks = np.ascontiguousarray(matrix).view(np.int32).astype(np.int64)  # (rows, fours)
    chunk_rows = _chunk_rows(blocks)
    starts = range(0, len(blocks), chunk_rows)
    lines = [
        "{ r5 = add(pc, ##1f@PCREL) }",
        "{ r5 = addasl(r5, r3, #2) }",
        "{ jumpr r5 }",
        "1:",
    ]
    lines += [f"{{ jump {10 + number}f }}" for number in range(len(starts))]
    words, size, packets = [], 16 + 4 * len(starts), 4 * len(starts)
    for number, first in enumerate(starts):
        chunk = blocks[first : first + chunk_rows]
        schedule = _chunk(chunk, offsets)
        packed, packet_count = _frame(schedule, 4 * len(words))
        lines += [f"{10 + number}:", *(text for text, _ in packed)]
        size += sum(bytes_ for _, bytes_ in packed)
        packets += packet_count
        words += schedule.words + [0] * (len(schedule.words) % 2)
    values = np.array(words or [0, 0], np.int64) & 0xFFFFFFFF
    return Program(tuple(lines), values.astype(np.uint32), size, chunk_rows, packets)


def _chunk_rows(blocks):
    # As many as fit, about the same number in every chunk.
    rows, most = len(blocks), MOST_ROWS
    each = max(1, 8 * np.count_nonzero(blocks) // rows)  # bytes of a row's packets
    most = max(1, min(most, MOST_CODE // each))
    return -(-rows // -(-rows // most))


def _chunk(blocks, offsets):
    # How 32 pixels are multiplied.
    used = np.flatnonzero(blocks.any(axis=0))
    order = sorted(used.tolist(), key=lambda four: offsets[four])
    words = [
        {row: int(blocks[row, four]) for row in np.flatnonzero(blocks[:, four]).tolist()}
        for four in order
    ]
    return scheduled(len(blocks), [offsets[four] for four in order], words)


def _frame(schedule, skipped):
    # A loop over the vectors of a tile: (text, bytes) of every packet, and how many are executed.
    begin, sums, start, end = Packet(), Packet(), Packet(), Packet()
    # The body moves on before it stores.
    back = REACH.start + schedule.rows
    begin.add(f"r14 = add(r1, ##{skipped})", 2)
    begin.add(f"r2 = add(r2, #{-back * VECTOR})")
    sums.add(f"r3 = add(r2, #{16 * VECTOR})")
    sums.add("r1 = r14")
    start.add(f"loop0(2f, #{_VECTORS})")
    body = schedule.packets
    if not body[-1].has_room(2):
        body = [*body, Packet()]
    body[-1].add(f"r0 = add(r0, #{VECTOR})")
    body[-1].add("r1 = r14")
    texts = [*map(_text, (begin, sums, start)), ("2:", 0), *map(_text, body)]
    texts[-1] = (f"{texts[-1][0]}:endloop0", texts[-1][1])
    late = sorted(schedule.late)
    for row in late:
        packet = Packet()
        packet.add(store(row), memory=1)
        texts.append(_text(packet))
    end.add("jumpr r31")
    texts.append(_text(end))
    return texts, 4 + _VECTORS * len(body) + len(late)


def _text(packet):
    return f"{{ {'; '.join(packet.lines)} }}", 4 * packet.words
