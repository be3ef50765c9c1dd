"""Small int8 .tflite files, operator by operator, and LiteRT's reference kernels on them."""

import shutil

import numpy as np
import pytest

from keras_prune.export.flatbuffer import schema, write_model

_VERSIONS = {
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "FULLY_CONNECTED": 4,
    "ADD": 2,
    "MAX_POOL_2D": 2,
    "AVERAGE_POOL_2D": 2,
    "MEAN": 2,
    "PAD": 2,
    "PADV2": 2,
    "ABS": 2,
    "TOPK_V2": 2,
    "STRIDED_SLICE": 2,
    "LESS_EQUAL": 2,
    "RELU": 2,
    "RELU6": 2,
    "SOFTMAX": 2,
    "QUANTIZE": 2,
    "DEQUANTIZE": 2,
    "SUB": 2,
    "MUL": 2,
    "MAXIMUM": 2,
    "MINIMUM": 2,
    "LOGISTIC": 2,
    "TANH": 2,
    "LEAKY_RELU": 2,
    "CONCATENATION": 2,
    "SPLIT": 2,
    "SPLIT_V": 2,
    "PACK": 2,
    "UNPACK": 2,
    "SLICE": 2,
    "TRANSPOSE": 2,
    "REDUCE_MAX": 2,
    "REDUCE_MIN": 2,
    "SUM": 2,
    "DIV": 2,
    "EXP": 2,
    "GELU": 2,
    "LOG": 2,
    "RSQRT": 2,
    "SQRT": 2,
    "SQUARED_DIFFERENCE": 2,
    "RESIZE_BILINEAR": 2,
    "RESIZE_NEAREST_NEIGHBOR": 2,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 3,
    "SVDF": 3,
}
_OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "ADD": "AddOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "MEAN": "ReducerOptions",
    "RESHAPE": "ReshapeOptions",
    "SOFTMAX": "SoftmaxOptions",
    "SQUEEZE": "SqueezeOptions",
    "EXPAND_DIMS": "ExpandDimsOptions",
    "PAD": "PadOptions",
    "PADV2": "PadV2Options",
    "ABS": "AbsOptions",
    "TOPK_V2": "TopKV2Options",
    "STRIDED_SLICE": "StridedSliceOptions",
    "LESS_EQUAL": "LessEqualOptions",
    "SELECT_V2": "SelectV2Options",
    "QUANTIZE": "QuantizeOptions",
    "DEQUANTIZE": "DequantizeOptions",
    "SUB": "SubOptions",
    "MUL": "MulOptions",
    "MAXIMUM": "MaximumMinimumOptions",
    "MINIMUM": "MaximumMinimumOptions",
    "LEAKY_RELU": "LeakyReluOptions",
    "HARD_SWISH": "HardSwishOptions",
    "CONCATENATION": "ConcatenationOptions",
    "SPLIT": "SplitOptions",
    "SPLIT_V": "SplitVOptions",
    "PACK": "PackOptions",
    "UNPACK": "UnpackOptions",
    "SLICE": "SliceOptions",
    "TRANSPOSE": "TransposeOptions",
    "REDUCE_MAX": "ReducerOptions",
    "REDUCE_MIN": "ReducerOptions",
    "SUM": "ReducerOptions",
    "DIV": "DivOptions",
    "EXP": "ExpOptions",
    "GELU": "GeluOptions",
    "NEG": "NegOptions",
    "SQUARE": "SquareOptions",
    "SQUARED_DIFFERENCE": "SquaredDifferenceOptions",
    "RESIZE_BILINEAR": "ResizeBilinearOptions",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTMOptions",
    "SHAPE": "ShapeOptions",
    "SVDF": "SVDFOptions",
}
_TYPES = {"bool": "BOOL", "int8": "INT8", "int32": "INT32", "float32": "FLOAT32", "uint8": "UINT8"}
_TYPES |= {"int16": "INT16", "int64": "INT64"}


def needs(*programs):
    """Mark a test as one that needs programs, to be skipped where one is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"Not installed: {', '.join(missing)}")


needs_qemu = needs("arm-none-eabi-gcc", "qemu-system-arm", "cc")


class Model:
    """A .tflite file in the making; tensors are known by their number."""

    def __init__(self):
        self._tables = schema()
        self._model = self._tables.ModelT()
        self._model.version = 3
        self._model.buffers = [self._tables.BufferT()]
        self._model.operatorCodes = []
        self._graph = self._tables.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []
        self._model.subgraphs = [self._graph]

    def tensor(
        self, shape, scale=None, zero_point=0, data=None, dtype="int8", axis=0, variable=False
    ):
        """Add a tensor; with `data` it is a constant, with `variable` a state."""
        tensor = self._tables.TensorT()
        tensor.name = f"t{len(self._graph.tensors)}".encode()
        tensor.shape = np.array(shape, np.int32)
        tensor.type = getattr(self._tables.TensorType, _TYPES[dtype])
        tensor.buffer = 0
        tensor.isVariable = variable
        if data is not None:
            buffer = self._tables.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data, dtype).tobytes(), np.uint8)
            self._model.buffers.append(buffer)
            tensor.buffer = len(self._model.buffers) - 1
        if scale is not None:
            parameters = self._tables.QuantizationParametersT()
            scales = np.atleast_1d(np.asarray(scale, np.float32))
            parameters.scale = scales
            zero_points = zero_point if np.ndim(zero_point) else [zero_point] * len(scales)
            parameters.zeroPoint = np.array(zero_points, np.int64)
            parameters.quantizedDimension = axis
            tensor.quantization = parameters
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def operator(self, kind, inputs, outputs, intermediates=(), **options):
        """Add an operator; `options` are fields of its options table."""
        code = self._tables.OperatorCodeT()
        code.builtinCode = getattr(self._tables.BuiltinOperator, kind)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = _VERSIONS.get(kind, 1)
        self._model.operatorCodes.append(code)
        operator = self._tables.OperatorT()
        operator.opcodeIndex = len(self._model.operatorCodes) - 1
        operator.inputs = np.array(inputs, np.int32)
        operator.outputs = np.array(outputs, np.int32)
        operator.intermediates = np.array(intermediates, np.int32)
        if kind in _OPTIONS:
            table = getattr(self._tables, f"{_OPTIONS[kind]}T")()
            for name, value in options.items():
                setattr(table, name, value)
            operator.builtinOptions = table
            operator.builtinOptionsType = getattr(self._tables.BuiltinOptions, _OPTIONS[kind])
        self._graph.operators.append(operator)
        return outputs[0]

    def save(self, path, inputs, outputs):
        """Write the file."""
        self._graph.inputs = np.array(inputs, np.int32)
        self._graph.outputs = np.array(outputs, np.int32)
        write_model(self._model, path)
        return path


def reference(path, inputs, resolver="BUILTIN_REF"):
    """Run LiteRT's reference kernels, or others of its own, one row an inference.

    Args:
        path: Path-like.
        inputs: Array of shape `(n, ...)`, or a tuple of such arrays.
        resolver: Str. The name of an `OpResolverType`.

    Returns:
        Array of shape `(n, size)`, or a tuple of such arrays where there are several outputs.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(str(path), experimental_op_resolver_type=OpResolverType[resolver])
    interpreter.allocate_tensors()
    arrays = inputs if isinstance(inputs, tuple) else (inputs,)
    rows = []
    for row in zip(*arrays, strict=True):
        for detail, values in zip(interpreter.get_input_details(), row, strict=True):
            interpreter.set_tensor(detail["index"], values.reshape(detail["shape"]))
        interpreter.invoke()
        details = interpreter.get_output_details()
        rows.append([interpreter.get_tensor(each["index"]).reshape(-1) for each in details])
    outputs = tuple(np.array(each) for each in zip(*rows, strict=True))
    return outputs if len(outputs) > 1 else outputs[0]


def random_int8(rng, shape):
    """Return int8 values over the whole range."""
    return rng.integers(-128, 128, shape).astype(np.int8)


def edge_and_random_inputs(rng, size, count=2):
    """Return rows of lowest, highest and alternating values, and `count` random rows."""
    edges = np.full((3, size), -128, np.int8)
    edges[1] = 127
    edges[2, ::2] = 127
    return np.concatenate([edges, random_int8(rng, (count, size))])
