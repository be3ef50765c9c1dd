"""Hand-built TensorFlow Lite files of several layers on images."""

import numpy as np

from keras_prune.export import sparse_parameters
from keras_prune.export.flatbuffer import serialize_model
from keras_prune.export.sparse_encoding import encode
from tests.runtime.delegate_models import CONV_LAYOUTS, ModelBuilder

SAME, VALID = 0, 1


class Images:
    """A network on images of which every method adds a node and returns its output's number.

    Args:
        seed: Int. Decides the weights.
        dtype: Str. `"float32"` or `"int8"`; of int8 there are only convolutions and sums.
        strange: Float. The share of int8 channels with unusual scales.
    """

    def __init__(self, seed=0, dtype="float32", strange=0.0):
        self.builder = ModelBuilder()
        self.random = np.random.default_rng(seed)
        self.dtype, self.strange = dtype, strange
        self.shapes, self.inputs, self.scales = {}, [], {}

    def _tensor(self, shape, data=None, dtype=np.float32, quantization=None):
        name = f"t{len(self.shapes)}"
        number = self.builder.tensor(name, shape, dtype, data, quantization)
        self.shapes[number] = tuple(shape)
        return number

    def _image(self, shape, scale, activation=0):
        # What the converter does behind a RELU, or any zero point.
        if self.dtype == "float32":
            return self._tensor(shape)
        zero_point = -128 if activation else int(self.random.integers(-60, 61))
        number = self._tensor(
            shape, dtype=np.int8, quantization=self.builder.quantization(scale, zero_point)
        )
        self.scales[number] = scale
        return number

    def _constant(self, data):
        return self._tensor(data.shape, data.astype(np.float32))

    def _node(self, name, inputs, shape, options=None, version=1, output=None):
        tables = self.builder.tables
        output = self._tensor(shape) if output is None else output
        code = getattr(tables.BuiltinOperator, name)
        kind = 0
        if options is not None:
            kind = getattr(tables.BuiltinOptions, type(options).__name__.removesuffix("T"))
        self.builder.operator(code, version, inputs, [output], kind, options)
        return output

    def source(self, shape):
        self.inputs.append(self._image(shape, 0.05))
        return self.inputs[-1]

    def conv2d(
        self,
        x,
        channels,
        kernel=1,
        *,
        zeros=0.8,
        rows=4,
        activation=1,
        padding=SAME,
        stride=1,
        dilation=1,
        form="dense",
        bias=True,
        groups=1,
    ):
        """Weights whose zeros come in blocks of `rows` output channels."""
        shape = (channels, kernel, kernel, self.shapes[x][3] // groups)
        keep = self.random.random((-(-channels // rows), *shape[1:])) >= zeros
        keep = keep.repeat(rows, axis=0)[:channels]
        options = self.builder.tables.Conv2DOptionsT()
        options.dilationHFactor = options.dilationWFactor = dilation
        rest = options, kernel, activation, padding, stride
        if self.dtype == "int8":
            constants, scale = self._quantized(x, keep, 0, bias, form)
            return self._window("CONV_2D", x, constants, channels, *rest, scale)
        weights = self.random.normal(size=shape) * keep / np.sqrt(max(1, keep[0].sum()))
        filters = self._filters(weights.astype(np.float32), form)
        last = self._constant(self.random.normal(size=channels) * bias)
        return self._window("CONV_2D", x, [filters, last], channels, *rest)

    def depthwise(self, x, kernel=3, *, activation=3, padding=SAME, stride=1, dilation=1):
        channels = self.shapes[x][3]
        options = self.builder.tables.DepthwiseConv2DOptionsT()
        options.depthMultiplier = 1
        options.dilationHFactor = options.dilationWFactor = dilation
        rest = options, kernel, activation, padding, stride
        name, shape = "DEPTHWISE_CONV_2D", (1, kernel, kernel, channels)
        if self.dtype == "int8":
            constants, scale = self._quantized(x, np.ones(shape, bool), 3)
            return self._window(name, x, constants, channels, *rest, scale)
        filters = self._constant(self.random.normal(size=shape) / kernel)
        bias = self._constant(self.random.normal(size=channels))
        return self._window(name, x, [filters, bias], channels, *rest)

    def _quantized(self, x, keep, axis, bias=True, form="dense"):
        # int8 weights where `keep`, their bias, and a scale that most outputs fit.
        channels = keep.shape[axis]
        weights = (self.random.integers(-127, 128, keep.shape) * keep).astype(np.int8)
        scales = self.random.uniform(0.005, 0.02, channels)
        strange = self.random.random(channels) < self.strange
        scales[strange] *= 10.0 ** self.random.uniform(-8, 3, strange.sum())
        terms = max(1.0, keep.sum() / channels)
        sums = self.random.normal(size=channels) * 4000 * np.sqrt(terms) * bias
        of_weights = self.builder.quantization(scales, 0, axis)
        of_bias = self.builder.quantization(self.scales[x] * scales, 0)
        filters = self._filters(weights, form, of_weights)
        last = self._tensor((channels,), sums.astype(np.int32), np.int32, of_bias)
        return [filters, last], self.scales[x] * 0.012 * 4000 * np.sqrt(terms) / 40

    def _window(
        self, name, x, constants, channels, options, kernel, activation, padding, stride, scale=None
    ):
        options.padding, options.fusedActivationFunction = padding, activation
        options.strideH = options.strideW = stride
        batch, height, width, _ = self.shapes[x]
        reach = (kernel - 1) * options.dilationHFactor if padding == VALID else 0
        sizes = [-(-(size - reach) // stride) for size in (height, width)]
        shape = (batch, *sizes, channels)
        output = self._image(shape, scale, activation)
        version = 2 if self.dtype == "float32" else 3
        return self._node(name, [x, *constants], shape, options, version, output)

    def _filters(self, weights, form, quantization=None):
        dtype = weights.dtype
        if form == "dense":
            return self._tensor(weights.shape, weights, dtype, quantization)
        layout = CONV_LAYOUTS["csr"]
        values, levels = encode(weights, layout)
        tables = self.builder.tables
        sparsity = sparse_parameters.to_schema(layout, levels, tables)
        sparse = self.builder.tensor(
            f"s{len(self.shapes)}", weights.shape, dtype, values, quantization, sparsity
        )
        dense = self._tensor(weights.shape, None, dtype, quantization)
        return self._node("DENSIFY", [sparse], weights.shape, tables.DensifyOptionsT(), 1, dense)

    def add(self, a, b, activation=0, scale=None):
        """`scale` is that of an int8 output; most sums fit the default."""
        options = self.builder.tables.AddOptionsT()
        options.fusedActivationFunction = activation
        if self.dtype == "float32":
            return self._node("ADD", [a, b], self.shapes[a], options)
        fitting = self.random.uniform(0.8, 1.5) * max(self.scales[a], self.scales[b])
        output = self._image(self.shapes[a], scale or fitting, activation)
        return self._node("ADD", [a, b], self.shapes[a], options, 2, output)

    def mul(self, a, b, activation=0):
        options = self.builder.tables.MulOptionsT()
        options.fusedActivationFunction = activation
        return self._node("MUL", [a, b], self.shapes[a], options)

    def unary(self, name, x):
        options = self.builder.tables.HardSwishOptionsT() if name == "HARD_SWISH" else None
        return self._node(name, [x], self.shapes[x], options)

    def build(self, *outputs):
        """Return the file as bytes."""
        self.builder.graph.inputs = np.array(self.inputs, np.int32)
        self.builder.graph.outputs = np.array(outputs, np.int32)
        return serialize_model(self.builder.model)
