"""Packets of Hexagon's vector unit that multiply a chunk of rows, in an order that fills them.

One packet holds two products of 128 bytes, a load of a vector and one more instruction, at most two
of them in memory. What is written for 32 pixels:

    v0 ...      sums, one vector a row, up to `MOST_ROWS`
    v26 ... v31 inputs: 32 pixels of four columns
    r5:4 ...    words of weights, two a load
    r0, r15     the inputs, and the place among them that loads are near
    r1          weights;  r2, r3: sums of the first 16 rows and of the others
"""

import dataclasses
import itertools

MOST_ROWS = 26
VECTOR = 128  # bytes
REACH = range(-8, 8)  # vectors, from a register, of a load or a store
INPUTS = ("v26", "v27", "v28", "v29", "v30", "v31")
SOON = 2  # products
PAIRS = ((4, 5), (6, 7), (8, 9), (10, 11), (12, 13))
_SMALL = range(-(1 << 15), 1 << 15)  # constants that need no word of their own


@dataclasses.dataclass(eq=False)
class Packet:
    """Instructions that are executed at once."""

    lines: list = dataclasses.field(default_factory=list)
    words: int = 0
    memory: int = 0

    def has_room(self, words=1, memory=0):
        """True if so much more fits."""
        return self.words + words <= 4 and self.memory + memory <= 2

    def add(self, line, words=1, memory=0):
        """Add an instruction."""
        self.lines.append(line)
        self.words += words
        self.memory += memory


class Schedule:
    """Packets for the products of a chunk, filled one after the other.

    They are the body of a loop. Its first packets also store the sums of `late` rows, which the
    iteration before has left in registers.

    Args:
        rows: Int. Of the chunk.
        inputs: List of ints: bytes from r0 to every input, in the order of loads.
        words: List of dicts from a row to four weights, one dict an input.
        late: Set of rows.
    """

    def __init__(self, rows, inputs, words, late=()):
        self.rows, self.inputs, self.late = rows, inputs, frozenset(late)
        self.left = [dict(each) for each in words]  # products that are to be written
        self.counts = [sum(row in each for each in words) for row in range(rows)]
        self.begun, self.stored = set(), {}
        self.packets, self.words = [], []
        self.total = sum(map(len, words))
        self.loaded, self.pairs = [], []  # in which packet an input and a pair were loaded
        self.near, self.near_since = None, -1  # what r15 holds, and in which packet it was set
        first = {row: at for at, each in reversed([*enumerate(words)]) for row in each}
        self.kept = sorted(self.late, key=lambda row: first.get(row, 0))
        self.ready = {}  # rows whose sums are done, and since when
        self.moved = {base: None for base in ("r2", "r3")[: 1 + (rows > 16)]}
        self.empty = [row for row in range(rows) if not self.counts[row]]
        self.waiting = [row for row in range(rows) if row not in self.late]

    def run(self):
        """Write all packets; `late` of the result may be given to another `Schedule`."""
        while len(self.words) < self.total or self.waiting or self.kept:
            packet = Packet()
            self._clear(packet)
            self._multiply(packet)
            # What products soon run out of; else stores go first, or they would be left over.
            inputs = sum(len(self.left[number]) for number in self._held())
            pairs = 2 * len(self.pairs) - len(self.words)
            urgent = [(inputs, 0, self._load), (pairs, 1, self._fetch), (SOON, 2, self._store)]
            for _, _, fill in sorted(urgent):
                fill(packet)
            self.packets.append(packet)
        return self

    def _clear(self, packet):
        for row in self.empty[:2]:
            packet.add(f"v{row} = vxor(v{row}, v{row})")
            self.ready[row] = len(self.packets)
        self.empty = self.empty[2:]

    def _multiply(self, packet):
        rows = set(self.kept)
        for _ in range(2 - len(packet.lines)):
            pair, side = divmod(len(self.words), 2)
            if pair >= len(self.pairs) or self.pairs[pair] >= len(self.packets):
                return
            found = self._next(rows)
            if found is None:
                return
            row, number = found
            rows.add(row)
            sums = "+=" if row in self.begun else "="
            source, weight = INPUTS[number % len(INPUTS)], PAIRS[pair % len(PAIRS)][side]
            packet.add(f"v{row}.w {sums} vrmpy({source}.ub, r{weight}.b)")
            self.begun.add(row)
            self.words.append(self.left[number].pop(row))
            self.counts[row] -= 1
            if not self.counts[row]:
                self.ready[row] = len(self.packets)

    def _next(self, taken):
        # A product of the oldest input whose row is free; those that are done soonest first.
        for number in self._held():
            if self.loaded[number] < len(self.packets):
                free = [row for row in self.left[number] if row not in taken]
                if free:
                    return min(free, key=self.counts.__getitem__), number
        return None

    def _held(self):
        # The inputs in registers, the oldest first.
        return range(max(0, len(self.loaded) - len(INPUTS)), len(self.loaded))

    def _load(self, packet):
        number = len(self.loaded)
        if number < len(self.inputs) and self._is_near(self.inputs[number]):
            before = number - len(INPUTS)
            free = before < 0 or not self.left[before]
            if free and self.near_since < len(self.packets) and packet.has_room(memory=1):
                by = (self.inputs[number] - self.near) // VECTOR
                packet.add(f"{INPUTS[number % len(INPUTS)]} = vmem(r15 + #{by})", memory=1)
                self.loaded.append(len(self.packets))
                number += 1
        if number < len(self.inputs) and not self._is_near(self.inputs[number]):
            self._move(packet, self.inputs[number])

    def _is_near(self, place):
        if self.near is None or (place - self.near) % VECTOR:
            return False
        return (place - self.near) // VECTOR in REACH

    def _move(self, packet, place):
        # The lowest of what follows, as far as it reaches.
        lowest = highest = place
        for other in itertools.islice(self.inputs, len(self.loaded), None):
            low, high = min(lowest, other), max(highest, other)
            if (other - place) % VECTOR or (high - low) // VECTOR >= len(REACH):
                break
            lowest, highest = low, high
        wanted = lowest - REACH.start * VECTOR
        by = None if self.near is None else wanted - self.near
        if by in _SMALL:
            line, words = f"r15 = add(r15, #{by})", 1
        elif wanted in _SMALL:
            line, words = f"r15 = add(r0, #{wanted})", 1
        else:
            line, words = f"r15 = add(r0, ##{wanted})", 2
        if packet.has_room(words):
            packet.add(line, words)
            self.near, self.near_since = wanted, len(self.packets)

    def _fetch(self, packet):
        number = len(self.pairs)
        if 2 * number >= self.total or not packet.has_room(memory=1):
            return
        if len(self.words) >= 2 * (number - len(PAIRS)) + 2:
            low, high = PAIRS[number % len(PAIRS)]
            packet.add(f"r{high}:{low} = memd(r1++#8)", memory=1)
            self.pairs.append(len(self.packets))

    def _store(self, packet):
        now = len(self.packets)
        if self.kept and packet.has_room(memory=1):
            packet.add(store(self.kept.pop(0)), memory=1)
        elif packet.has_room(memory=1):
            for row in self.waiting:
                moved = self.moved[_base(row)[0]]
                if self.ready.get(row, now) < now and moved is not None and moved < now:
                    packet.add(store(row), memory=1)
                    self.waiting.remove(row)
                    self.stored[row] = now
                    break
        for base, since in self.moved.items():
            is_free = since is None and all(_base(row)[0] != base for row in self.kept)
            if is_free and packet.has_room():
                packet.add(f"{base} = add({base}, #{VECTOR * self.rows})")
                self.moved[base] = now


def _base(row):
    return ("r2", row) if row < 16 else ("r3", row - 16)


def store(row):
    """Return the instruction that stores the sums of a row."""
    base, number = _base(row)
    return f"vmem({base} + #{number + REACH.start}) = v{row}"


def scheduled(rows, inputs, words):
    """Return the shorter `Schedule` of two: with late rows, and without.

    Late are those rows that are done at the end, one for each packet that only stores.
    """
    plain = Schedule(rows, inputs, words).run()
    last = max(plain.ready.values())
    late = [row for row, since in plain.stored.items() if since > last]
    other = Schedule(rows, inputs, words, late).run()
    return min(plain, other, key=lambda each: len(each.packets))
