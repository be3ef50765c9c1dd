"""Hand-built TensorFlow Lite files of one layer, in every form in which weights can come."""

import dataclasses

import numpy as np

from keras_prune.export import sparse_parameters
from keras_prune.export.flatbuffer import schema, serialize_model
from keras_prune.export.sparse_encoding import CSR, DENSE, SparseLayout, encode

RANDOM = SparseLayout((0, 1), (DENSE, CSR))
LAYOUTS = {
    "csr": RANDOM,
    "csc": SparseLayout((1, 0), (DENSE, CSR)),
    "all sparse": SparseLayout((0, 1), (CSR, CSR)),
    "1x4": SparseLayout((0, 1, 2), (DENSE, CSR, DENSE), (1,), (4,)),
    "4x4": SparseLayout((0, 1, 2, 3), (DENSE, CSR, DENSE, DENSE), (0, 1), (4, 4)),
}
CONV_LAYOUTS = {
    "csr": SparseLayout((0, 1, 2, 3), (DENSE, DENSE, DENSE, CSR)),
    "all sparse": SparseLayout((0, 1, 2, 3), (CSR, CSR, CSR, CSR)),
    "permuted": SparseLayout((3, 0, 1, 2), (DENSE, CSR, DENSE, CSR)),
    "1x4": SparseLayout((0, 1, 2, 3, 4), (DENSE, DENSE, DENSE, CSR, DENSE), (3,), (4,)),
}


@dataclasses.dataclass
class Layer:
    """One layer. `weights` is (out, in) or (out, height, width, in), float32 or int8.

    With `depthwise`, `weights` is (1, height, width, out).

    `form` says how the weights are stored: `"dense"`, `"densify"` or `"direct"`. int8 layers
    have random scales, one for each output channel unless `per_tensor`.
    """

    weights: np.ndarray
    input_shape: tuple
    bias: np.ndarray | None = None
    form: str = "dense"
    layout: SparseLayout | None = None
    activation: int = 0
    padding: int = 0
    stride: tuple = (1, 1)
    dilation: tuple = (1, 1)
    per_tensor: bool = False
    keep_num_dims: bool = False
    input_zero_point: int = 5
    output_zero_point: int = -7
    weight_zero_point: int = 0
    readers: int = 1  # layers that share the weights
    weights_are_output: bool = False
    depthwise: bool = False

    @property
    def channels(self):
        """Number of output channels."""
        return self.weights.shape[3 if self.depthwise else 0]


def random_weights(shape, dtype="float32", density=0.2, seed=0, low=-127):
    """Weights of which about `density` are not zero, in runs of four."""
    random = np.random.default_rng(seed)
    keep = random.random((*shape[:-1], -(-shape[-1] // 4))).repeat(4, axis=-1)
    mask = (keep < density)[..., : shape[-1]]
    if dtype == "int8":
        return np.where(mask, random.integers(low, 128, shape), 0).astype(np.int8)
    return np.where(mask, random.normal(size=shape), 0).astype(np.float32)


class ModelBuilder:
    """Collects the tables of a file."""

    def __init__(self):
        self.tables = schema()
        self.model = self.tables.ModelT()
        self.model.version = 3
        self.model.buffers = [self.tables.BufferT()]
        self.model.operatorCodes = []
        self.graph = self.tables.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]

    def tensor(self, name, shape, dtype, data=None, quantization=None, sparsity=None):
        tensor = self.tables.TensorT()
        tensor.name, tensor.shape = name, np.array(shape, np.int32)
        tensor.type = {
            "float32": self.tables.TensorType.FLOAT32,
            "int32": self.tables.TensorType.INT32,
            "int8": self.tables.TensorType.INT8,
        }[np.dtype(dtype).name]
        tensor.buffer, tensor.quantization, tensor.sparsity = 0, quantization, sparsity
        if data is not None:
            buffer = self.tables.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def quantization(self, scale, zero_point, dimension=0):
        quantization = self.tables.QuantizationParametersT()
        quantization.scale = np.array(scale, np.float32).reshape(-1)
        quantization.zeroPoint = np.broadcast_to(
            np.array(zero_point, np.int64), quantization.scale.shape
        ).copy()
        quantization.quantizedDimension = dimension
        return quantization

    def operator(self, code, version, inputs, outputs, options_type=0, options=None):
        operator_code = self.tables.OperatorCodeT()
        operator_code.builtinCode, operator_code.version = code, version
        operator_code.deprecatedBuiltinCode = min(code, 127)
        self.model.operatorCodes.append(operator_code)
        operator = self.tables.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs = np.array(inputs, np.int32)
        operator.outputs = np.array(outputs, np.int32)
        operator.builtinOptionsType, operator.builtinOptions = options_type, options
        self.graph.operators.append(operator)


def build(layer):
    """Return the file of a one-layer model as bytes."""
    builder = ModelBuilder()
    dtype = layer.weights.dtype
    channels = layer.channels
    random = np.random.default_rng(3)
    scales = [0.01] if layer.per_tensor else random.uniform(0.005, 0.02, channels)
    weights = bias_scale = of_input = of_output = None
    if dtype == np.int8:
        weights = builder.quantization(scales, layer.weight_zero_point, 3 if layer.depthwise else 0)
        bias_scale = builder.quantization(0.05 * np.array(scales), 0)
        of_input = builder.quantization(0.05, layer.input_zero_point)
        of_output = builder.quantization(0.11, layer.output_zero_point)
    source = builder.tensor("input", layer.input_shape, dtype, quantization=of_input)
    filters = _add_weights(builder, layer, weights)
    bias = -1
    if layer.bias is not None:
        bias = builder.tensor(
            "bias", (channels,), layer.bias.dtype, layer.bias, quantization=bias_scale
        )
    outputs = [filters] if layer.weights_are_output else []
    for i in range(layer.readers):
        sink = builder.tensor(f"output{i}", _output_shape(layer), dtype, quantization=of_output)
        _add_layer(builder, layer, [source, filters, bias], sink)
        outputs.insert(i, sink)
    builder.graph.inputs = np.array([source], np.int32)
    builder.graph.outputs = np.array(outputs, np.int32)
    return serialize_model(builder.model)


def _add_weights(builder, layer, quantization):
    shape, dtype = layer.weights.shape, layer.weights.dtype
    if layer.form == "dense":
        return builder.tensor("weights", shape, dtype, layer.weights, quantization)
    values, levels = encode(layer.weights, layer.layout)
    sparsity = sparse_parameters.to_schema(layer.layout, levels, builder.tables)
    sparse = builder.tensor("sparse", shape, dtype, values, quantization, sparsity)
    if layer.form == "direct":
        return sparse
    dense = builder.tensor("weights", shape, dtype, quantization=quantization)
    builder.operator(
        builder.tables.BuiltinOperator.DENSIFY,
        1,
        [sparse],
        [dense],
        builder.tables.BuiltinOptions.DensifyOptions,
        builder.tables.DensifyOptionsT(),
    )
    return dense


def _add_layer(builder, layer, inputs, output):
    tables = builder.tables
    quantized = layer.weights.dtype == np.int8
    if layer.weights.ndim == 2:
        options = tables.FullyConnectedOptionsT()
        options.fusedActivationFunction = layer.activation
        options.keepNumDims = layer.keep_num_dims
        code, version = tables.BuiltinOperator.FULLY_CONNECTED, 4 if quantized else 1
        kind = tables.BuiltinOptions.FullyConnectedOptions
        version = 8 if layer.form == "direct" else 5 if layer.keep_num_dims else version
    else:
        options = tables.DepthwiseConv2DOptionsT() if layer.depthwise else tables.Conv2DOptionsT()
        options.padding = layer.padding
        options.strideH, options.strideW = layer.stride
        options.dilationHFactor, options.dilationWFactor = layer.dilation
        options.fusedActivationFunction = layer.activation
        code, version = tables.BuiltinOperator.CONV_2D, 3 if quantized else 2
        kind = tables.BuiltinOptions.Conv2DOptions
    if layer.depthwise:
        options.depthMultiplier = layer.channels // layer.input_shape[-1]
        code, kind = (
            tables.BuiltinOperator.DEPTHWISE_CONV_2D,
            tables.BuiltinOptions.DepthwiseConv2DOptions,
        )
    builder.operator(code, version, inputs, [output], kind, options)


def _output_shape(layer):
    channels = layer.channels
    if layer.weights.ndim == 2:
        if layer.keep_num_dims:
            return (*layer.input_shape[:-1], channels)
        return (int(np.prod(layer.input_shape)) // layer.weights.shape[1], channels)
    batch, height, width, _ = layer.input_shape
    sizes = []
    for i, extent in enumerate((height, width)):
        reach = (layer.weights.shape[1 + i] - 1) * layer.dilation[i] + 1
        span = extent if layer.padding == 0 else extent - reach + 1
        sizes.append(-(-span // layer.stride[i]))
    return (batch, *sizes, channels)
