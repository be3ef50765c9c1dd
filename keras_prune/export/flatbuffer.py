"""TensorFlow Lite files as objects: read, checked, looked into, written.

The parser is the official schema module. It trusts what it reads; `flatbuffer_checks.py` does
not.
"""

import copy
import functools
import math
import pathlib

import numpy as np

from keras_prune.export.flatbuffer_checks import (
    CountedBytes,
    Malformed,
    check_indices,
    check_table_count,
    fill_in,
    take_in_trailing_data,
    text,
)
from keras_prune.export.sparse_parameters import decode_sparse
from keras_prune.files import write_atomically

IDENTIFIER = b"TFL3"
MAX_SPARSE_TENSOR_BYTES = 1 << 28
MAX_FILE_BYTES = (1 << 31) - 1

_DTYPES = {
    "FLOAT32": "<f4",
    "FLOAT16": "<f2",
    "FLOAT64": "<f8",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "BOOL": "?",
    "COMPLEX64": "<c8",
    "COMPLEX128": "<c16",
    "BFLOAT16": "<u2",
    "INT4": "i1",
}
_WITHOUT_NUMBERS = ("STRING", "RESOURCE", "VARIANT")


def schema():
    """Return the official schema module.

    Returns:
        The module `ai_edge_litert.schema_py_generated`.

    Raises:
        ImportError: If `ai-edge-litert` or `flatbuffers` is not installed.
    """
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise ImportError(
            "Reading and writing TensorFlow Lite files needs the packages `ai-edge-litert` and "
            '`flatbuffers`. Install them with `pip install "keras-prune[tflite]"`.'
        ) from error
    return schema_py_generated


def read_model(path):
    """Read a TensorFlow Lite file into the schema's object tree.

    What comes back can be walked without fear: lists are never `None`, every tensor, buffer and
    operator-code index is in range (`-1` stands for an absent optional input), and data that
    the file kept behind the flatbuffer (as files above 2 GB do) is in the buffers.

    Example:

    ```python
    model = read_model("model.tflite")
    for operator in model.subgraphs[0].operators:
        print(operator_name(model, operator))
    ```

    Args:
        path: Path-like. The file.

    Returns:
        A `ModelT`. Its arrays are read-only views of the file's bytes.

    Raises:
        ValueError: If the file cannot be read, is truncated, or is not what it claims to be.
    """
    try:
        data = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"Cannot read the file: {error.strerror}. Received: path={path}") from None
    try:
        return parse_model(data)
    except Malformed as error:
        raise ValueError(
            f"The file is not a valid TensorFlow Lite model: {error}. Received: path={path}"
        ) from None


def parse_model(data):
    """Parse the bytes of a TensorFlow Lite file; see `read_model`.

    Args:
        data: Bytes.

    Returns:
        A `ModelT`.

    Raises:
        ValueError: If the bytes are not a TensorFlow Lite model.
    """
    tables = schema()
    if len(data) < 8 or data[4:8] != IDENTIFIER:
        raise Malformed(f"the identifier {IDENTIFIER.decode()} is missing")
    counted = CountedBytes(data)
    try:
        root = tables.Model.GetRootAs(counted, 0)
        check_table_count(root, limit=len(data) // 4)
        model = tables.ModelT.InitFromObj(root)
    except Malformed:
        raise
    # The generated parser has no error type of its own: from bytes that it was not made for
    # come struct.error, ValueError, TypeError, AssertionError and others.
    except Exception as error:
        raise Malformed("its tables point outside the file or overlap") from error
    fill_in(model)
    take_in_trailing_data(model, data)
    check_indices(model)
    return model


def write_model(model, path):
    """Write a model in one step, every constant on a 16-byte boundary.

    Args:
        model: `ModelT`. Not changed.
        path: Path-like. The file to create or replace.

    Raises:
        ValueError: If the model has operator options that the schema module does not know (they
            would be lost), or is larger than the 2 GB that a flatbuffer can hold.
    """
    write_atomically(path, serialize_model(model))


def serialize_model(model):
    """Return the bytes of the file that `write_model` writes.

    Args:
        model: `ModelT`. Not changed.

    Returns:
        Bytes.
    """
    import flatbuffers

    _check_options(model)
    constants = sum(len(buffer.data) for buffer in model.buffers if buffer.data is not None)
    if constants > MAX_FILE_BYTES:
        raise ValueError(
            f"A TensorFlow Lite file holds at most 2 GB. Received: constants of {constants} bytes"
        )
    model = _packable(model)
    builder = flatbuffers.Builder(constants + 64 * 1024)
    builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
    return bytes(builder.Output())


def operator_name(model, operator):
    """Name the kind of an operator, e.g. `"CONV_2D"` or `"CUSTOM:MyOp"`.

    Args:
        model: `ModelT`.
        operator: `OperatorT` of that model.

    Returns:
        A string; `"BUILTIN_n"` for a code that the schema module does not know.
    """
    code = model.operatorCodes[operator.opcodeIndex]
    number = builtin_code(code)
    name = _names(schema().BuiltinOperator).get(number, f"BUILTIN_{number}")
    if name == "CUSTOM":
        return f"CUSTOM:{text(code.customCode)}"
    return name


def operator_version(model, operator):
    """Return the version of an operator's code."""
    return model.operatorCodes[operator.opcodeIndex].version


def builtin_code(code):
    """Return an operator code's number, from whichever of its two fields carries it."""
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def type_name(tensor):
    """Name a tensor's type, e.g. `"FLOAT32"`."""
    return _names(schema().TensorType).get(tensor.type, f"TYPE_{tensor.type}")


def tensor_array(model, tensor):
    """Return the value of a constant tensor.

    Args:
        model: `ModelT`.
        tensor: `TensorT` of that model.

    Returns:
        A read-only array with the tensor's shape: the dense values, also where the file keeps
        them sparse; bfloat16 as float32, int4 as int8. `None` if the tensor is not constant, or
        holds strings.

    Raises:
        ValueError: If the buffer's length or the sparse encoding does not fit the tensor.
    """
    data = model.buffers[tensor.buffer].data
    kind = type_name(tensor)
    if data is None or tensor.buffer == 0 or kind in _WITHOUT_NUMBERS:
        return None
    shape = tuple(int(size) for size in tensor.shape)
    count = _element_count(tensor, shape)
    if len(data) == 0 and count:
        return None
    try:
        values = _values(kind, data, count if tensor.sparsity is None else None)
        if tensor.sparsity is not None:
            values = decode_sparse(values, shape, tensor.sparsity)
        values = values.reshape(shape)
    except ValueError as error:
        raise ValueError(
            f"The constant tensor cannot be read: {error}. "
            f"Received: tensor={text(tensor.name)!r}, shape={shape}, type={kind}"
        ) from None
    values.flags.writeable = False
    return values


def _packable(model):
    # A copy whose constants are aligned, and where tensors that have the very same quantization
    # object share one table in the file, as a sparse tensor and its dense twin do.
    once = {}

    def packed_once(quantization):
        return quantization and once.setdefault(id(quantization), _PackedOnce(quantization))

    model = copy.copy(model)
    model.buffers = [_AlignedBuffer(buffer.data) for buffer in model.buffers]
    model.subgraphs = [copy.copy(subgraph) for subgraph in model.subgraphs]
    for subgraph in model.subgraphs:
        subgraph.tensors = [copy.copy(tensor) for tensor in subgraph.tensors]
        for tensor in subgraph.tensors:
            tensor.quantization = packed_once(tensor.quantization)
    return model


class _PackedOnce:
    def __init__(self, table):
        self.table, self.offset = table, None

    def Pack(self, builder):
        if self.offset is None:
            self.offset = self.table.Pack(builder)
        return self.offset


class _AlignedBuffer:
    # Packs like `BufferT`, with the bytes on the 16-byte boundary that the schema asks for
    # and its generated Python writer ignores.
    def __init__(self, data):
        self.data = None if data is None else bytes_of(data)

    def Pack(self, builder):
        tables = schema()
        if self.data is not None:
            builder.StartVector(1, len(self.data), 16)
            builder.head = builder.Head() - len(self.data)
            builder.Bytes[builder.Head() : builder.Head() + len(self.data)] = self.data
            vector = builder.EndVector()
        tables.BufferStart(builder)
        if self.data is not None:
            tables.BufferAddData(builder, vector)
        return tables.BufferEnd(builder)


def _check_options(model):
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            first = operator.builtinOptionsType and operator.builtinOptions is None
            if first or (operator.builtinOptions2Type and operator.builtinOptions2 is None):
                raise ValueError(
                    "The installed ai-edge-litert does not know the options of an operator, and "
                    "writing the model would lose them. "
                    f"Received: operator={operator_name(model, operator)}"
                )


def _element_count(tensor, shape):
    # Only what is stored sparse can be larger than the file.
    count = math.prod(shape)
    size = count * np.dtype(_DTYPES.get(type_name(tensor), "u1")).itemsize
    if tensor.sparsity is not None and size > MAX_SPARSE_TENSOR_BYTES:
        raise ValueError(
            f"A sparse tensor would be larger than {MAX_SPARSE_TENSOR_BYTES} bytes. "
            f"Received: tensor={text(tensor.name)!r}, shape={shape}"
        )
    return count


def _values(kind, data, count):
    # `count` is None for sparse tensors: then only the encoding tells how many there are.
    if kind not in _DTYPES:
        raise ValueError(f"type {kind} is not supported")
    data = bytes_of(data)
    if kind == "INT4" and count is not None:
        packed = np.frombuffer(data, np.int8)
        if len(packed) != (count + 1) // 2:
            raise ValueError(f"{len(data)} bytes do not hold {count} values")
        pairs = np.stack([(packed << 4) >> 4, packed >> 4], axis=1)
        return pairs.reshape(-1)[:count]
    dtype = np.dtype(_DTYPES[kind])
    if len(data) % dtype.itemsize or count not in (None, len(data) // dtype.itemsize):
        raise ValueError(f"{len(data)} bytes do not hold {count} values of {dtype.itemsize} bytes")
    values = np.frombuffer(data, dtype)
    if kind == "BFLOAT16":
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values


def bytes_of(data):
    """Return a buffer's content, an array, bytes or a list of numbers, as bytes."""
    return data if isinstance(data, bytes) else np.asarray(data, np.uint8).tobytes()


@functools.cache
def _names(enumeration):
    return {number: name for name, number in vars(enumeration).items() if not name.startswith("_")}
