"""The constant weights of a TensorFlow Lite model, and who reads them."""

import collections
import dataclasses

import numpy as np

from keras_prune.export.flatbuffer import tensor_array, type_name

WEIGHT_TYPES = ("FLOAT32", "FLOAT16", "BFLOAT16", "INT16", "INT8", "INT4", "UINT8")


@dataclasses.dataclass
class Weight:
    """A constant of two or more dimensions.

    Args:
        subgraph: `SubGraphT`.
        index: Int. The tensor's number in the subgraph.
        readers: List of `(operator, position)`: the `OperatorT` that read it, and as which input.
        array: Array. Its dense values.
        form: `Form` or `None`. How it may become sparse.
        reason: Str or `None`. Why it stays dense.
        encoded: `(bytes, layout, values, levels)` or `None`.
    """

    subgraph: object
    index: int
    readers: list
    array: np.ndarray
    form: object = None
    reason: str | None = None
    encoded: tuple | None = None

    @property
    def tensor(self):
        """The weight's `TensorT`."""
        return self.subgraph.tensors[self.index]

    @property
    def nonzero(self):
        """How many values stand for another number than 0."""
        quantization = self.tensor.quantization
        zero_points = None if quantization is None else quantization.zeroPoint
        single = zero_points is not None and len(zero_points) == 1
        return int(np.count_nonzero(self.array != (zero_points[0] if single else 0)))

    @property
    def sparsity(self):
        """The fraction of values that stand for 0."""
        return 1 - self.nonzero / self.array.size


def constant_weights(model):
    """List the constant weights of a model.

    Args:
        model: `ModelT` from `read_model`.

    Returns:
        List of `Weight`: the constants of two or more dimensions and a numeric type of at most
        32 bits that some operator reads, in the order of the file.

    Raises:
        ValueError: If a constant cannot be decoded.
    """
    return [weight for subgraph in model.subgraphs for weight in _weights(model, subgraph)]


def _weights(model, subgraph):
    readers = collections.defaultdict(list)
    for operator in subgraph.operators:
        for position, index in enumerate(operator.inputs):
            readers[int(index)].append((operator, position))
    for index, tensor in enumerate(subgraph.tensors):
        if index not in readers or len(tensor.shape) < 2 or tensor.isVariable:
            continue
        if type_name(tensor) in WEIGHT_TYPES:
            array = tensor_array(model, tensor)
            if array is not None and array.size:
                yield Weight(subgraph, index, readers[index], array)
