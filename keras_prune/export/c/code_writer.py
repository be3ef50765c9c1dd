"""Instructions of Thumb-2 as text, their bytes, and the list of words that they read.

r0 inputs, r1 literals, r2-r4 six inputs, r5-r7 six weights, r8-r12 and lr sums;
where results go is on the stack
"""

import dataclasses

import numpy as np

INPUTS, WEIGHTS = ("r2", "r3", "r4"), ("r5", "r6", "r7")
SUMS = ("r8", "r9", "r10", "r11", "r12", "lr")
HALVES = "bt"
STACK_BYTES = 40


@dataclasses.dataclass(frozen=True, eq=False)
class Program:
    """Instructions as text, the words that they read, and their bytes in flash without these."""

    lines: tuple
    words: np.ndarray
    code_bytes: int


class Writer:
    """A program in the making.

    `at` is the word of the inputs that r0 points at, `stored` how many results lie beyond the
    address on the stack.
    """

    def __init__(self):
        self.lines, self.words, self.code_bytes = [], [], 0
        self.at = self.stored = 0
        self._loaded, self._used = None, 0  # the last load of weights, and halves of it in use

    def emit(self, size, line):
        """Add an instruction of so many bytes."""
        self.lines.append(line)
        self.code_bytes += size

    def load(self, registers, values):
        """Load the next words of the list."""
        is_low = set(registers) <= {*INPUTS, *WEIGHTS}
        if len(registers) == 1 and not is_low:  # LDM has no such form
            self.emit(4, f"ldr {registers[0]}, [r1], #4")
        else:
            self.emit(2 if is_low else 4, f"ldm r1!, {as_list(registers)}")
        self.words += values

    def weight(self, *values):
        """Return where the next weight is, a register and a half, or a word of two weights."""
        if self.is_odd and len(values) == 2:
            self._used += 1
        if self._loaded is None or self._used == 2 * len(WEIGHTS):
            self.load(WEIGHTS, [0] * len(WEIGHTS))
            self._loaded, self._used = len(self.lines) - 1, 0
        word, half = divmod(self._used, 2)
        for value in values:
            place = len(self.words) - len(WEIGHTS) + self._used // 2
            self.words[place] |= (value & 0xFFFF) << 16 * (self._used % 2)
            self._used += 1
        return WEIGHTS[word], HALVES[half]

    @property
    def is_odd(self):
        """True if half a word of weights is left."""
        return self._loaded is not None and self._used % 2 == 1

    def end_weights(self):
        """Take back what was loaded in vain: the registers are wanted for something else."""
        if self._loaded is not None:
            used = -(-self._used // 2)
            self.lines[self._loaded] = f"ldm r1!, {as_list(WEIGHTS[:used])}"
            del self.words[len(self.words) - len(WEIGHTS) + used :]
        self._loaded = None

    def move_to(self, word):
        """Point r0 at a word of the inputs."""
        distance, self.at = 4 * (word - self.at), word
        name, left = ("add", distance) if distance > 0 else ("sub", -distance)
        while left > 0:
            step = min(left, 4095)
            if step < 256:
                self.emit(2, f"{name}s r0, #{step}")
            else:
                self.emit(4, f"{name}w r0, r0, #{step}")
            left -= step

    def program(self):
        """Return what has been written."""
        words = np.array(self.words, np.int64) & 0xFFFFFFFF
        return Program(tuple(self.lines), words.astype(np.uint32), self.code_bytes)


def as_list(registers):
    """Return registers as LDM and STM take them."""
    return f"{{{', '.join(registers)}}}"
