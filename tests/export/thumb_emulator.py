"""Runs the few instructions that weights as code are made of."""

import re

import numpy as np

_MASK = (1 << 32) - 1
_OUTPUT = 1 << 20  # where results go
_ORDER = [*(f"r{n}" for n in range(13)), "lr"]


def run_program(program, x):
    """Run a `Program`.

    Args:
        program: `Program`.
        x: int16 array, the widened inputs.

    Returns:
        A dict from the offset of a result to its bytes.
    """
    machine = _Machine(program.words, x)
    for line in program.lines:
        machine.run(line)
    return machine.written


def _signed(value):
    value &= _MASK
    return value - (1 << 32) if value >> 31 else value


def _half(word, side):
    half = (word >> 16 if side == "t" else word) & 0xFFFF
    return half - (1 << 16) if half >> 15 else half


class _Machine:
    def __init__(self, words, x):
        # Two words behind the inputs are anybody's.
        inputs = np.concatenate([x, np.full(4, -1)]).astype(np.int16).tobytes()
        self.memories = {"r0": np.frombuffer(inputs, np.uint32).tolist(), "r1": words.tolist()}
        self.registers = {"r0": 0, "r1": 0, "r2": _OUTPUT}
        self.stack, self.written, self.flags, self.condition = None, {}, 0, None

    def run(self, line):
        name, _, rest = line.partition(" ")
        operands = re.findall(r"\{.*\}|\[.*\]|[^,\s]+", rest)
        if name.startswith("mov"):
            if {"lt": self.flags < 0, "gt": self.flags > 0}[name[3:]]:
                self.registers[operands[0]] = int(operands[1][1:]) & _MASK
        elif name.startswith("smla") and len(name) == 6:
            self._multiply(name[4:], *operands)
        else:
            getattr(self, f"_{name}")(*operands)

    def _push(self, _):
        self.stack = self.registers["r2"]

    def _pop(self, _):
        pass

    def _ldr(self, target, address, step=None):
        if step is None:
            assert address == "[sp]"
            self.registers[target] = self.stack
        else:
            self._load(address[1:-1], [target])

    def _str(self, source, address, step=None):
        if step is None:
            assert address == "[sp]"
            self.stack = self.registers[source]
        else:
            self._stm("r3!", f"{{{source}}}")

    def _ldm(self, base, registers):
        self._load(base.rstrip("!"), registers[1:-1].split(", "))

    def _load(self, base, registers):
        memory = self.memories[base]
        for register in sorted(
            registers,
            key=[
                "r0",
                "r1",
                "r2",
                "r3",
                "r4",
                "r5",
                "r6",
                "r7",
                "r8",
                "r9",
                "r10",
                "r11",
                "r12",
                "lr",
            ].index,
        ):
            at = self.registers[base]
            assert at >= 0
            self.registers[register] = memory[at // 4]
            self.registers[base] += 4

    def _stm(self, base, registers):
        assert base == "r3!"
        for register in registers[1:-1].split(", "):
            self.written[self.registers["r3"] - _OUTPUT] = _signed(self.registers[register])
            self.registers["r3"] += 4

    def _adds(self, register, *operands):
        self.registers[register] += int(operands[-1][1:])

    def _subs(self, register, *operands):
        self.registers[register] -= int(operands[-1][1:])

    _addw, _subw = _adds, _subs

    def _multiply(self, sides, total, x, weight, _):
        r = self.registers
        product = _half(r[x], sides[0]) * _half(r[weight], sides[1])
        assert abs(_signed(r[total]) + product) < 1 << 31
        r[total] = (r[total] + product) & _MASK

    def _smlad(self, total, x, weight, _):
        for side in "bt":
            self._multiply(2 * side, total, x, weight, total)

    def _smmla(self, target, a, b, c, half=0):
        r = self.registers
        high = (_signed(r[a]) * _signed(r[b]) + half) >> 32
        assert abs(_signed(r[c]) + high) < 1 << 31
        r[target] = (_signed(r[c]) + high) & _MASK

    def _smmlar(self, target, a, b, c):
        self._smmla(target, a, b, c, 1 << 31)

    def _ssat(self, target, bits, source, *shift):
        value = _signed(self.registers[source])
        if shift:
            value >>= int(shift[1][1:])
        self.registers[target] = min(max(value, -128), 127) & _MASK

    def _cmp(self, register, value):
        self.flags = _signed(self.registers[register]) - int(value[1:])

    def _it(self, condition):
        pass

    def _strb(self, source, address):
        base, offset = address[1:-1].split(", ")
        place = self.registers[base] + int(offset[1:]) - _OUTPUT
        assert 0 <= int(offset[1:]) < 32
        self.written[place] = _signed(self.registers[source])
