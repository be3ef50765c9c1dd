"""What the operators of a graph become: calls of kernels, with their constants."""

import dataclasses

import numpy as np

from keras_prune.export.c.graph import Tensor

SCRATCH = object()  # argument of a call: the step's scratch memory


@dataclasses.dataclass(frozen=True, eq=False)
class Constant:
    """An array that lies in flash: `c_type` is `int8_t`, `uint8_t`, `int32_t`, `float` ...."""

    name: str
    c_type: str
    values: np.ndarray
    alignment: int = 4  # bytes, at least

    @property
    def bytes(self):
        """Bytes in flash."""
        return self.values.nbytes


@dataclasses.dataclass(frozen=True, eq=False)
class Code:
    """A function in assembly, `name`, whose instructions hold a layer's weights."""

    name: str
    parameters: tuple
    lines: tuple
    bytes: int
    stack_bytes: int = 0


@dataclasses.dataclass(frozen=True, eq=False)
class Weights:
    """How a layer's weights are kept: `encoding` as in `CLayer`."""

    encoding: str
    dense_bytes: int
    stored_bytes: int
    zeros: int
    count: int

    def with_more(self, other):
        """Return what both cost together, for a step that keeps several matrices."""
        encoding = self.encoding
        if other.encoding != encoding:
            encoding = f"{encoding}+{other.encoding}"
        return Weights(
            encoding,
            self.dense_bytes + other.dense_bytes,
            self.stored_bytes + other.stored_bytes,
            self.zeros + other.zeros,
            self.count + other.count,
        )


@dataclasses.dataclass(eq=False)
class Step:
    """One call of a kernel.

    `structs` are (C type, name, fields) triples, `arguments` strings, `Tensor`s, `Constant`s or
    `SCRATCH`. A step without a kernel only gives its output the memory of its input. An operator
    of several steps numbers them by `part`. `overwrites` are inputs whose memory the output may
    take: every element is read before the one in its place is written. `candidates` are the kernels
    that a layer with weights was chosen from, the chosen one among them. A step whose weights are
    `code` has a `twin`: what compilers get that do not take the code.
    """

    index: int
    kind: str
    inputs: list
    output: Tensor
    kernel: str = ""
    sources: tuple = ()
    structs: list = dataclasses.field(default_factory=list)
    arguments: list = dataclasses.field(default_factory=list)
    constants: list = dataclasses.field(default_factory=list)
    scratch_bytes: int = 0
    macs: int = 0
    weights: Weights | None = None
    instructions: int = 0
    candidates: tuple = ()
    part: int = 0
    overwrites: tuple = ()
    states: tuple = ()
    code: Code | None = None
    twin: "Step | None" = None

    @property
    def number(self):
        """What tells it from all other steps: `"3"`, or `"3_1"` for a later part."""
        return f"{self.index}_{self.part}" if self.part else str(self.index)

    @property
    def function(self):
        """The name of its C function."""
        return f"op_{self.number}_{self.kind.lower()}"

    def struct(self, c_type, name, fields):
        """Add a constant struct and pass its address as the next argument."""
        self.structs.append((c_type, name, fields))
        self.arguments.append(f"&{name}")

    def constant(self, name, c_type, values, alignment=4):
        """Add a constant array, keep it and return it."""
        dtype = np.dtype("float32" if c_type == "float" else c_type.removesuffix("_t"))
        array = np.ascontiguousarray(values, dtype)
        made = Constant(f"{name}_{self.number}", c_type, array, max(alignment, dtype.itemsize))
        self.constants.append(made)
        return made

    def operand(self, name, tensor):
        """Return what a call passes for a tensor: itself, or the constant that it is."""
        if tensor.data is None:
            return tensor
        return self.constant(name, c_type(tensor.data), tensor.data)


def c_type(values):
    """Return the C type of an array's elements."""
    return "float" if values.dtype == np.float32 else f"{values.dtype.name}_t"
