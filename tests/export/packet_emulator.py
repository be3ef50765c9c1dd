"""Runs the few packets that weights as code are made of on Hexagon."""

import re

import numpy as np

VECTOR = 128
_PLACES = {"x": 1 << 24, "words": 1 << 26, "sums": 1 << 28}  # where memories begin


def run_program(program, x, rows):
    """Run a `Program`, chunk by chunk.

    Args:
        program: `Program`.
        x: uint8 array, the inputs of a tile.
        rows: Int.

    Returns:
        int32 array (rows, 128 pixels), the sums, and the packets that they took.
    """
    sums, packets = [], 0
    for first in range(0, rows, program.chunk_rows):
        count = min(program.chunk_rows, rows - first)
        machine = _Machine(program.words, x, count)
        packets += machine.run(program.lines, first // program.chunk_rows)
        sums.append(machine.sums.transpose(1, 0, 2).reshape(count, -1))
    return np.concatenate(sums), packets


class _Machine:
    # What a packet reads is what was there before it.
    def __init__(self, words, x, rows):
        self.words, self.x = words, x
        self.sums = np.zeros((4, rows, 32), np.int32)
        self.written = set()
        self.vectors = {}
        self.registers = {"r0": _PLACES["x"], "r1": _PLACES["words"], "r2": _PLACES["sums"]}

    def run(self, lines, chunk):
        at = lines.index(f"{10 + chunk}:")
        count = 4 + 1  # to the chunk's first packet; and the one that returns
        while "jumpr r31" not in lines[at]:
            line = lines[at]
            at += 1
            if line.endswith(":"):
                continue
            count += 1
            changes = [self._change(each) for each in line.strip("{} ").split("; ")]
            if ":endloop0" in line:
                self.left -= 1
                at = self.begin if self.left else at
            for table, name, value in filter(None, changes):
                table[name] = value
            if "loop0(" in line:
                self.left, self.begin = 4, lines.index("2:", at)
        assert len(self.written) == self.sums.shape[0] * self.sums.shape[1]
        return count

    def _change(self, instruction):
        instruction = instruction.split("}")[0].strip()
        name, _, source = instruction.partition(" = ")
        if instruction.startswith("loop0"):
            return None
        if found := re.fullmatch(r"(v\d+)\.w (\+?)= vrmpy\((v\d+)\.ub, r(\d+)\.b\)", instruction):
            return self._products(*found.groups())
        if found := re.fullmatch(r"vmem\((r\d+) \+ #(-?\d+)\) = (v\d+)", instruction):
            place = self.registers[found[1]] + VECTOR * int(found[2]) - _PLACES["sums"]
            where = divmod(place // VECTOR, self.sums.shape[1])
            assert place % VECTOR == 0
            assert where not in self.written
            if where[0] >= 0:  # what is before the sums may be overwritten
                self.written.add(where)
                self.sums[where] = self.vectors[found[3]]
            return None
        if found := re.fullmatch(r"vmem\((r\d+) \+ #(-?\d+)\)", source):
            assert int(found[2]) in range(-8, 8)
            place = self.registers[found[1]] + VECTOR * int(found[2]) - _PLACES["x"]
            assert 0 <= place <= len(self.x) - VECTOR
            return self.vectors, name, self.x[place : place + VECTOR].astype(np.int64)
        if found := re.fullmatch(r"add\((r\d+), ##?(-?\d+)\)", source):
            return self.registers, name, self.registers[found[1]] + int(found[2])
        if found := re.fullmatch(r"vxor\((v\d+), \1\)", source):
            return self.vectors, name, np.zeros(32, np.int64)
        if source == "memd(r1++#8)":
            place = self.registers["r1"] - _PLACES["words"]
            self.registers["r1"] += 8
            high, low = name[1:].split(":")
            pair = self.words[place // 4 : place // 4 + 2].copy()
            return self.registers, (f"r{low}", f"r{high}"), pair
        assert source in ("r14",), instruction
        return self.registers, name, self.registers[source]

    def _products(self, sums, adds, source, weight):
        word = next(
            pair[names.index(f"r{weight}")]
            for names, pair in self.registers.items()
            if isinstance(names, tuple) and f"r{weight}" in names
        )
        four = np.array([word], np.uint32).view(np.int8).astype(np.int64)
        product = self.vectors[source].reshape(32, 4) @ four
        return self.vectors, sums, product + (self.vectors[sums] if adds else 0)
