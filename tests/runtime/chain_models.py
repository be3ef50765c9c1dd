"""Hand-built TensorFlow Lite files of several float32 layers on images."""

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
    """

    def __init__(self, seed=0):
        self.builder = ModelBuilder()
        self.random = np.random.default_rng(seed)
        self.shapes, self.inputs = {}, []

    def _tensor(self, shape, data=None):
        number = self.builder.tensor(f"t{len(self.shapes)}", shape, np.float32, data)
        self.shapes[number] = tuple(shape)
        return number

    def _constant(self, data):
        return self._tensor(data.shape, data.astype(np.float32))

    def _node(self, name, inputs, shape, options=None, version=1):
        tables = self.builder.tables
        output = self._tensor(shape)
        code = getattr(tables.BuiltinOperator, name)
        kind = 0
        if options is not None:
            kind = getattr(tables.BuiltinOptions, type(options).__name__.removesuffix("T"))
        self.builder.operator(code, version, inputs, [output], kind, options)
        return output

    def source(self, shape):
        self.inputs.append(self._tensor(shape))
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
    ):
        """Weights whose zeros come in blocks of `rows` output channels."""
        shape = (channels, kernel, kernel, self.shapes[x][3])
        keep = self.random.random((-(-channels // rows), *shape[1:])) >= zeros
        keep = keep.repeat(rows, axis=0)[:channels]
        weights = self.random.normal(size=shape) * keep / np.sqrt(max(1, keep[0].sum()))
        filters = self._filters(weights.astype(np.float32), form)
        last = self._constant(self.random.normal(size=channels)) if bias else None
        if last is None:
            last = self._constant(np.zeros(channels))
        options = self.builder.tables.Conv2DOptionsT()
        options.dilationHFactor = options.dilationWFactor = dilation
        return self._window(
            "CONV_2D", x, [filters, last], channels, options, kernel, activation, padding, stride
        )

    def depthwise(self, x, kernel=3, *, activation=3, padding=SAME, stride=1, dilation=1):
        channels = self.shapes[x][3]
        weights = self.random.normal(size=(1, kernel, kernel, channels)) / kernel
        filters = self._constant(weights)
        bias = self._constant(self.random.normal(size=channels))
        options = self.builder.tables.DepthwiseConv2DOptionsT()
        options.depthMultiplier = 1
        options.dilationHFactor = options.dilationWFactor = dilation
        name = "DEPTHWISE_CONV_2D"
        return self._window(
            name, x, [filters, bias], channels, options, kernel, activation, padding, stride
        )

    def _window(self, name, x, constants, channels, options, kernel, activation, padding, stride):
        options.padding, options.fusedActivationFunction = padding, activation
        options.strideH = options.strideW = stride
        batch, height, width, _ = self.shapes[x]
        reach = (kernel - 1) * options.dilationHFactor if padding == VALID else 0
        sizes = [-(-(size - reach) // stride) for size in (height, width)]
        return self._node(name, [x, *constants], (batch, *sizes, channels), options, 2)

    def _filters(self, weights, form):
        if form == "dense":
            return self._constant(weights)
        layout = CONV_LAYOUTS["csr"]
        values, levels = encode(weights, layout)
        tables = self.builder.tables
        sparsity = sparse_parameters.to_schema(layout, levels, tables)
        sparse = self.builder.tensor(
            f"s{len(self.shapes)}", weights.shape, np.float32, values, None, sparsity
        )
        return self._node("DENSIFY", [sparse], weights.shape, tables.DensifyOptionsT())

    def add(self, a, b, activation=0):
        options = self.builder.tables.AddOptionsT()
        options.fusedActivationFunction = activation
        return self._node("ADD", [a, b], self.shapes[a], options)

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
