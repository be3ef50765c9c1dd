"""Are the weights that pruning made zero still zero in the file?"""

import keras
import numpy as np

from keras_prune.export.flatbuffer import tensor_array
from keras_prune.weights import find_weights

# TensorFlow Lite keeps a kernel's axes in other orders; ours are tried in turn.
_ORDERS = {
    2: [(1, 0), (0, 1)],
    3: [(2, 0, 1), (1, 2, 0), (2, 1, 0), (0, 1, 2)],
    4: [(3, 0, 1, 2), (2, 0, 1, 3), (0, 1, 2, 3)],
}
_CHECKED = (
    keras.layers.Dense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.Conv2DTranspose,
)


def check_zeros(model, parsed):
    """Compare the zeros of a Keras model with those of its file.

    Every kernel of a dense or convolutional layer that has zeros must be found among the file's
    constants, with a zero wherever the kernel has one. Folding batch normalization and
    quantizing keep zeros, so the file may only have more.

    Args:
        model: `keras.Model`.
        parsed: `ModelT`, the dense file.

    Returns:
        List of str: notes on pruned weights of other layers that could not be traced.

    Raises:
        ValueError: If a kernel's zeros are lost.
    """
    constants = list(_constants(parsed))
    notes = []
    for weight in find_weights(model):
        zero = weight.numpy() == 0
        if not zero.any() or any(
            all(_traced(part, constants) for part in parts) for parts in _forms(weight, zero)
        ):
            continue
        # A kernel that is put together from other weights is no constant of the file.
        if isinstance(weight.layer, _CHECKED) and weight.layer.kernel is weight.variable:
            raise ValueError(
                "The zeros of a pruned weight did not survive the conversion. "
                f"Received: weight={weight.path!r}, sparsity={zero.mean():.3f}"
            )
        notes.append(f"the zeros of {weight.path} could not be traced in the file")
    return notes


def _forms(weight, zero):
    # Whole, or for the operator of an LSTM a constant for each gate.
    yield [zero]
    if isinstance(weight.layer, keras.layers.LSTMCell) and zero.ndim == 2:
        yield np.split(zero, 4, axis=1)


def _constants(parsed):
    for subgraph in parsed.subgraphs:
        for tensor in subgraph.tensors:
            array = tensor_array(parsed, tensor)
            if array is not None and array.ndim >= 2:
                yield (array == 0).reshape(-1)


def _traced(zero, constants):
    flat = [
        np.ascontiguousarray(zero.transpose(order)).reshape(-1)
        for order in _ORDERS.get(zero.ndim, [tuple(range(zero.ndim))])
    ]
    return any(
        len(found) == zero.size and not (wanted & ~found).any()
        for found in constants
        for wanted in flat
    )
