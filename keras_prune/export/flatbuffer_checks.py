"""What must hold before a parsed TensorFlow Lite file can be walked without fear.

The number of tables and the length of strings are bounded by the size of the file (offsets may
point anywhere, also many times at one place), and every index that one table holds into another
is inside.
"""

import numpy as np


class Malformed(ValueError):
    pass


class CountedBytes(bytes):
    # The parser copies every string with a slice and everything else without one, so a
    # budget on slices keeps strings that overlap from adding up to more than memory.
    def __getitem__(self, key):
        piece = super().__getitem__(key)
        if isinstance(key, slice):
            self.copied = getattr(self, "copied", 0) + len(piece)
            if self.copied > 4 * len(self) + 4096:
                raise Malformed("its strings overlap")
        return piece


def check_table_count(root, limit):
    # Vectors of tables are the only places where the parser multiplies work: a vector may
    # name one table many times, at each level again. A table takes at least a 4-byte
    # reference, so honest files stay far below one table for every 4 bytes.
    left = limit

    def each(parent, field):
        nonlocal left
        count = getattr(parent, f"{field}Length")()
        left -= count
        if left < 0:
            raise Malformed("it claims more tables than fit into it")
        return (getattr(parent, field)(i) for i in range(count))

    for field in ("OperatorCodes", "Buffers", "Metadata", "ExternalBufferGroups"):
        each(root, field)
    each(root, "ExternalBuffers")
    for signature in each(root, "SignatureDefs"):
        each(signature, "Inputs")
        each(signature, "Outputs")
    for subgraph in each(root, "Subgraphs"):
        each(subgraph, "Operators")
        for tensor in each(subgraph, "Tensors"):
            each(tensor, "VariantTensors")
            if tensor.Sparsity() is not None:
                each(tensor.Sparsity(), "DimMetadata")


def fill_in(model):
    none = np.zeros(0, np.int32)
    model.operatorCodes = model.operatorCodes or []
    model.subgraphs = model.subgraphs or []
    model.buffers = model.buffers or []
    for subgraph in model.subgraphs:
        subgraph.tensors = subgraph.tensors or []
        subgraph.operators = subgraph.operators or []
        for owner in (subgraph, *subgraph.operators):
            owner.inputs = none if owner.inputs is None else owner.inputs
            owner.outputs = none if owner.outputs is None else owner.outputs
        for operator in subgraph.operators:
            if operator.intermediates is None:
                operator.intermediates = none
        for tensor in subgraph.tensors:
            tensor.shape = none if tensor.shape is None else tensor.shape


def take_in_trailing_data(model, data):
    # Offset 1 marks a buffer that a writer reserved and never placed.
    for buffer in model.buffers:
        if buffer.offset > 1:
            buffer.data = _slice(data, buffer.offset, buffer.size, "a buffer")
        buffer.offset = buffer.size = 0
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            if operator.largeCustomOptionsOffset > 1:
                operator.customOptions = _slice(
                    data,
                    operator.largeCustomOptionsOffset,
                    operator.largeCustomOptionsSize,
                    "a custom option",
                )
            operator.largeCustomOptionsOffset = operator.largeCustomOptionsSize = 0


def _slice(data, offset, size, what):
    if offset + size > len(data):
        raise Malformed(f"{what} ends behind the end of the file")
    return np.frombuffer(data, np.uint8, size, offset)


def check_indices(model):
    if not model.subgraphs:
        raise Malformed("it has no subgraph")
    for number, subgraph in enumerate(model.subgraphs):
        count = len(subgraph.tensors)
        for tensor in subgraph.tensors:
            _check_tensor(model, tensor, number)
        _check_range(subgraph.inputs, 0, count, f"an input of subgraph {number}")
        _check_range(subgraph.outputs, 0, count, f"an output of subgraph {number}")
        for index, operator in enumerate(subgraph.operators):
            where = f"operator {index} of subgraph {number}"
            codes = len(model.operatorCodes)
            _check_range([operator.opcodeIndex], 0, codes, f"the operator code of {where}")
            _check_range(operator.inputs, -1, count, f"an input of {where}")
            _check_range(operator.outputs, 0, count, f"an output of {where}")
            _check_range(operator.intermediates, 0, count, f"an intermediate tensor of {where}")
    for entry in model.metadata or []:
        _check_range([entry.buffer], 0, len(model.buffers), "the buffer of a metadata entry")
    for signature in model.signatureDefs or []:
        _check_range([signature.subgraphIndex], 0, len(model.subgraphs), "a signature's subgraph")
        count = len(model.subgraphs[signature.subgraphIndex].tensors)
        for entry in (signature.inputs or []) + (signature.outputs or []):
            _check_range([entry.tensorIndex], 0, count, "a signature's tensor")


def _check_tensor(model, tensor, number):
    name = text(tensor.name)
    _check_range([tensor.buffer], 0, len(model.buffers), f"the buffer of tensor {name!r}")
    if (np.asarray(tensor.shape) < 0).any():
        raise Malformed(f"tensor {name!r} of subgraph {number} has a negative dimension")


def _check_range(indices, low, high, what):
    indices = np.asarray(indices)
    if indices.size and not low <= indices.min() <= indices.max() < high:
        raise Malformed(f"{what} is out of range")


def text(value):
    """Turn a name from the file, bytes or `None`, into a printable string."""
    return (value or b"").decode("utf-8", "replace") if not isinstance(value, str) else value
