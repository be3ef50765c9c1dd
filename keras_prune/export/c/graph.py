"""The graph of a .tflite file, as the C export sees it."""

import dataclasses
import math

import numpy as np

from keras_prune.export.flatbuffer import operator_name, read_model, tensor_array, type_name
from keras_prune.export.live_inputs import stored_shares
from keras_prune.export.winner_options import CUSTOM_CODE, from_bytes

MAX_TENSOR_BYTES = 1 << 30
_END_TYPES = ("INT8", "INT16", "FLOAT32")
ELEMENT_BYTES = {"INT8": 1, "UINT8": 1, "BOOL": 1, "INT16": 2, "FLOAT16": 2, "INT32": 4}
ELEMENT_BYTES |= {"FLOAT32": 4, "INT64": 8, "FLOAT64": 8}
# The options that are not called like their operator.
_OPTIONS = dict.fromkeys(("MAX_POOL_2D", "AVERAGE_POOL_2D", "L2_POOL_2D"), "pool2d")
_OPTIONS |= dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"), "reducer")
_OPTIONS |= dict.fromkeys(("MAXIMUM", "MINIMUM"), "maximumminimum")


@dataclasses.dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor: constant when `data` is an array, else computed or given at run time.

    `live` is the share of its elements that are not zero, as calibration data had it; `1.0` where
    nothing is known. A `variable` tensor is the memory of an operator: it keeps its values from
    call to call.
    """

    index: int
    name: str
    shape: tuple
    type: str
    scales: np.ndarray
    zero_points: np.ndarray
    axis: int
    data: np.ndarray | None
    live: float = 1.0
    variable: bool = False

    @property
    def size(self):
        """Number of elements."""
        return math.prod(self.shape)  # not numpy, which overflows on shapes of hostile files

    @property
    def bytes(self):
        """Number of bytes."""
        return self.size * ELEMENT_BYTES[self.type]

    @property
    def scale(self):
        """The one scale of an activation, float32."""
        return self.scales[0]

    @property
    def zero_point(self):
        """The one zero point of an activation."""
        return int(self.zero_points[0])


@dataclasses.dataclass(frozen=True, eq=False)
class Node:
    """One operator. `inputs` may hold `None` for an absent optional input.

    `intermediates` are tensors that only tell how the operator quantises inside.
    """

    index: int
    kind: str
    inputs: list
    outputs: list
    options: object
    intermediates: tuple = ()

    def refuse(self, reason):
        """Return the error that says why this operator cannot be exported."""
        return ValueError(
            f"Operator {self.index} ({self.kind}) cannot be exported to C: {reason}. "
            f"Received: operator={self.kind}, index={self.index}"
        )

    def input(self, position):
        """Return an input, or `None` where the operator has no such input."""
        return self.inputs[position] if position < len(self.inputs) else None


@dataclasses.dataclass(frozen=True, eq=False)
class Graph:
    """Inputs, outputs and operators in the order in which they run."""

    inputs: list
    outputs: list
    nodes: list


def read_graph(path):
    """Read the single subgraph of a .tflite file; DENSIFY of constants is folded.

    Args:
        path: Path-like. The file.

    Returns:
        A `Graph`.

    Raises:
        ValueError: If the file is broken or has several subgraphs.
    """
    model = read_model(path)
    if len(model.subgraphs) != 1:
        raise ValueError(
            "The C export takes models with exactly one subgraph. "
            f"Received: subgraphs={len(model.subgraphs)}, path={path}"
        )
    return graph_of(model)


def graph_of(model):
    """Return the first subgraph of a model; DENSIFY of constants is folded.

    Args:
        model: `ModelT`.

    Returns:
        A `Graph`; the index of a node is that of its operator.
    """
    subgraph = model.subgraphs[0]
    tensors = _Tensors(model, subgraph, stored_shares(model))
    nodes = []
    for index, operator in enumerate(subgraph.operators):
        kind = operator_name(model, operator)
        if kind == "DENSIFY" and tensors.fold(operator):
            continue
        node = Node(
            index,
            kind,
            [tensors[i] if i >= 0 else None for i in operator.inputs],
            [tensors[i] for i in operator.outputs],
            _options(kind, operator),
            tuple(tensors[i] for i in operator.intermediates),
        )
        nodes.append(node)
    ends = ([tensors[i] for i in each] for each in (subgraph.inputs, subgraph.outputs))
    return Graph(*ends, nodes)


class _Tensors(dict):
    # Tensors by index, made when first asked for, so that unused ones need not be readable.
    def __init__(self, model, subgraph, shares):
        super().__init__()
        self._model, self._subgraph, self._shares = model, subgraph, shares

    def __missing__(self, index):
        raw = self._subgraph.tensors[index]
        self[index] = self._make(index, raw, tensor_array(self._model, raw))
        return self[index]

    def fold(self, operator):
        """Make the output of a DENSIFY the constant that it would compute."""
        if len(operator.inputs) != 1 or len(operator.outputs) != 1:
            return False
        source, target = self[operator.inputs[0]], operator.outputs[0]
        raw = self._subgraph.tensors[target]
        if source.data is None or type_name(raw) != source.type:
            return False
        if tuple(raw.shape) != source.shape:
            return False
        self[target] = self._make(target, raw, source.data)
        return True

    def _make(self, index, raw, data):
        scales, zero_points = np.zeros(0, np.float32), np.zeros(0, np.int64)
        axis = 0
        if raw.quantization is not None:
            scales = _array(raw.quantization.scale, np.float32)
            zero_points = _array(raw.quantization.zeroPoint, np.int64)
            axis = raw.quantization.quantizedDimension
        name = raw.name.decode(errors="replace") if isinstance(raw.name, bytes) else str(raw.name)
        shape = tuple(int(size) for size in raw.shape)
        live = self._shares.get(name, 1.0)
        return Tensor(
            index,
            name,
            shape,
            type_name(raw),
            scales,
            zero_points,
            axis,
            data,
            live,
            bool(raw.isVariable) and data is None,
        )


def _options(kind, operator):
    if kind == f"CUSTOM:{CUSTOM_CODE}":
        return from_bytes(() if operator.customOptions is None else operator.customOptions)
    # Options of another operator are none at all, as in TFLite.
    table = type(operator.builtinOptions).__name__.removesuffix("OptionsT").lower()
    expected = _OPTIONS.get(kind, kind.replace("_", "").lower())
    return operator.builtinOptions if table == expected else None


def _array(values, dtype):
    return np.zeros(0, dtype) if values is None else np.asarray(values, dtype)


def check_graph(graph):
    """Check what holds for all operators: types at the ends, and an order that can run.

    Args:
        graph: `Graph`.

    Raises:
        ValueError: If inputs or outputs are neither int8, int16 nor float32, or operators are not
            in an order in which they can run.
    """
    _check_ends(graph)
    _check_order(graph)


def _check_ends(graph):
    if not graph.nodes or not graph.inputs or not graph.outputs:
        raise ValueError(
            "The C export takes models with at least one operator, one input and one output. "
            f"Received: operators={len(graph.nodes)}, inputs={len(graph.inputs)}, "
            f"outputs={len(graph.outputs)}"
        )
    for tensor in [*graph.inputs, *graph.outputs]:
        if tensor.data is not None or tensor.variable:
            kind = "variable" if tensor.variable else "constant"
            raise ValueError(
                "Inputs and outputs of a model must be computed or given at run time. "
                f"Received: {kind} tensor {tensor.name!r}"
            )
        for node in graph.nodes:
            if tensor in [*node.inputs, *node.outputs] and tensor.type not in _END_TYPES:
                raise node.refuse(
                    "inputs and outputs of a model must be INT8, INT16 or FLOAT32, not "
                    f"{tensor.type}"
                )


def _check_order(graph):
    ready = {tensor.index for tensor in graph.inputs}
    for node in graph.nodes:
        for tensor in node.inputs:
            if tensor is None or tensor.data is not None or tensor.variable:
                continue
            if tensor.index not in ready:
                raise node.refuse(f"its input {tensor.name!r} is not computed before it")
        for tensor in node.outputs:
            if tensor.index in ready or tensor.data is not None or tensor.variable:
                raise node.refuse(f"its output {tensor.name!r} has a value already")
            ready.add(tensor.index)
    for tensor in graph.outputs:
        if tensor.index not in ready:
            raise ValueError(
                "An output of the model is computed by no operator. "
                f"Received: output={tensor.name!r}"
            )


def check_activation(node, tensor, types=("INT8",)):
    """Raise the node's refusal unless the tensor is a plain quantised activation.

    Args:
        node: `Node` that reads or writes the tensor.
        tensor: `Tensor`.
        types: Tuple of type names that the operator takes there.

    Raises:
        ValueError: If type, shape, scale or zero point are not what the kernels take.
    """
    if tensor is None:
        raise node.refuse("an input is missing")
    if tensor.type not in types:
        raise node.refuse(f"{' or '.join(types)} is supported, not {tensor.type}")
    if tensor.variable:
        raise node.refuse(f"it uses {tensor.name!r}, which another operator keeps as its state")
    if any(size < 1 for size in tensor.shape):
        raise node.refuse(f"shape {tensor.shape} has a size below 1")
    if tensor.bytes > MAX_TENSOR_BYTES:
        raise node.refuse(f"shape {tensor.shape} is larger than {MAX_TENSOR_BYTES} bytes")
    if tensor.type == "FLOAT32" and tensor.data is not None and not np.isfinite(tensor.data).all():
        raise node.refuse(f"constant {tensor.name!r} holds a number that is not finite")
    if tensor.type != "INT8":
        return
    if len(tensor.scales) != 1 or len(tensor.zero_points) != 1:
        raise node.refuse(f"{tensor.name!r} needs exactly one scale and one zero point")
    if not (np.isfinite(tensor.scale) and tensor.scale > 0):
        raise node.refuse(f"{tensor.name!r} needs a positive scale, not {tensor.scale}")
    if not -128 <= tensor.zero_point <= 127:
        raise node.refuse(f"{tensor.name!r} needs an int8 zero point, not {tensor.zero_point}")
