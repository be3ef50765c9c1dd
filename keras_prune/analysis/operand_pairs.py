"""How many products of a layer have two factors that are not zero: exact counts."""

import keras
import numpy as np
from keras import ops

from keras_prune import backend
from keras_prune.windows import layer_windows

_LAYERS = keras.layers
_PLAIN = (_LAYERS.Conv1D, _LAYERS.Conv2D, _LAYERS.Conv3D)
_DEPTHWISE = (_LAYERS.DepthwiseConv1D, _LAYERS.DepthwiseConv2D)
_SEPARABLE = (_LAYERS.SeparableConv1D, _LAYERS.SeparableConv2D)
_TRANSPOSED = (_LAYERS.Conv1DTranspose, _LAYERS.Conv2DTranspose, _LAYERS.Conv3DTranspose)
_CELLS = (_LAYERS.LSTMCell, _LAYERS.GRUCell, _LAYERS.SimpleRNNCell)


def count_pairs(layer, inputs, outputs, live=None):
    """Count the pairs (w, a) that a call multiplies, with w != 0 and a != 0.

    Products with the zeros of padding have no activation that is not zero; products that a
    transposed convolution computes and crops away belong to no output. Neither is counted.

    The count is a product of two histograms: for every kernel position, how many of its
    weights are not zero, and how often the input is not zero where that position reads it.

    Args:
        layer: `keras.layers.Layer` with a kernel.
        inputs: List of tensors, the arguments of the call; a cell's state comes second.
        outputs: List of tensors, its results.
        live: Bool array (batch, output channels), which of them are computed for an example, see
            `output_gates`. Defaults to `None`: all.

    Returns:
        Int, exact, over all examples of the batch; `None` where the layer's way of computing
        is unknown.
    """
    if getattr(layer, "quantization_mode", None) not in (None, "int8"):
        return None  # the kernel is packed
    if live is not None and not live.all():
        return _gated_pairs(layer, inputs, live)
    for kinds, count in _COUNTS.items():
        if isinstance(layer, kinds):
            return count(layer, inputs, outputs)
    return None


def output_gates(call, consumers):
    """Which output channels of a layer are multiplied by something else than zero.

    What a zero factor takes away need not be computed. Between layer and factor only
    normalization may stand, of channels that come last or first as the layer has them.

    Args:
        call: `Call` of a layer.
        consumers: Dict, see `CallGraph.consumers`.

    Returns:
        Bool array (batch, channels), or `None` where the layer is no plain one with a kernel or
        no such factor follows.
    """
    if not isinstance(call.operation, (*_PLAIN, _LAYERS.Dense)):
        return None
    if call.operation.activation is not keras.activations.linear:
        return None
    tensor = call.outputs[0]
    while True:
        following = consumers.get(id(tensor), ())
        if len(following) != 1:
            return None
        step = following[0].operation
        if isinstance(step, _LAYERS.Multiply):
            factors = [other for other in following[0].inputs if other is not tensor]
            return _live(call.operation, tensor, factors)
        if not isinstance(step, _LAYERS.BatchNormalization):
            return None
        tensor = following[0].outputs[0]


def _live(layer, tensor, factors):
    shape = tuple(tensor.shape)
    first = getattr(layer, "data_format", None) == "channels_first"
    axis = 1 if first else len(shape) - 1
    wanted = tuple(n if place in (0, axis) else 1 for place, n in enumerate(shape))
    if len(factors) != 1 or tuple(factors[0].shape) != wanted:
        return None
    return ops.convert_to_numpy(factors[0]).reshape(shape[0], shape[axis]) != 0


def nonzero_examples(tensor):
    """Int64 array (1, ...): in how many examples each value of a batch is not zero."""
    nonzero = ops.cast(ops.not_equal(tensor, ops.cast(0, tensor.dtype)), "int32")
    return ops.convert_to_numpy(ops.sum(nonzero, axis=0, keepdims=True)).astype(np.int64)


def einsum_letters(layer, rank):
    """The letters of an `EinsumDense` layer's input axes and of its kernel axes.

    Args:
        layer: `keras.layers.EinsumDense`.
        rank: Int. Axes of the input.

    Returns:
        A list with a letter, or `None` for an axis under the ellipsis, for each input axis, and
        the list of the kernel's letters.
    """
    operands = layer.equation.replace(" ", "").split("->")[0]
    inputs, kernel = operands.split(",")
    left, _, right = inputs.partition("...")
    return [*left, *[None] * (rank - len(left) - len(right)), *right], [*kernel]


def _dense(layer, inputs, _):
    return _matrix_pairs(inputs[0], _nonzero(layer.kernel))


def _embedding(layer, inputs, _):
    return 0  # a look-up, no product


def _einsum(layer, inputs, _):
    counts, kernel = nonzero_examples(inputs[0]), _nonzero(layer.kernel)
    axes, letters = einsum_letters(layer, counts.ndim)
    free = tuple(axis for axis, letter in enumerate(axes) if letter not in letters)
    shared = [letter for letter in axes if letter is not None and letter in letters]
    made = tuple(axis for axis, letter in enumerate(letters) if letter not in shared)
    kept = [letter for letter in letters if letter in shared]
    uses = kernel.sum(axis=made).transpose([kept.index(letter) for letter in shared])
    return int((counts.sum(axis=free) * uses).sum())


def _convolution(layer, inputs, _):
    kernel = _nonzero(layer.kernel)  # (*taps, inputs / groups, outputs)
    groups = layer.groups
    kernel = kernel.reshape(*kernel.shape[:-1], groups, -1).sum(-1)
    return _window_pairs(layer, inputs[0], kernel.swapaxes(-1, -2))


def _depthwise(layer, inputs, _):
    return _window_pairs(layer, inputs[0], _nonzero(layer.kernel).sum(-1))


def _separable(layer, inputs, _):
    middle = ops.depthwise_conv(
        ops.cast(inputs[0], layer.compute_dtype),
        ops.cast(layer.depthwise_kernel, layer.compute_dtype),
        strides=layer.strides,
        padding=layer.padding,
        dilation_rate=layer.dilation_rate,
        data_format=layer.data_format,
    )
    if layer.data_format == "channels_first":
        middle = ops.moveaxis(middle, 1, -1)
    pointwise = _nonzero(layer.pointwise_kernel)
    first = _window_pairs(layer, inputs[0], _nonzero(layer.depthwise_kernel).sum(-1))
    return first + _matrix_pairs(middle, pointwise.reshape(-1, pointwise.shape[-1]))


def _transposed(layer, inputs, outputs):
    # The adjoint of a convolution that reads the outputs where this one writes them.
    counts, spatial = nonzero_examples(inputs[0]), tuple(outputs[0].shape[1:-1])
    if layer.data_format == "channels_first":
        counts, spatial = np.moveaxis(counts, 1, -1), tuple(outputs[0].shape[2:])
        written = layer_windows(layer, np.ones((1, 1, *spatial), np.int64))
    else:
        written = layer_windows(layer, np.ones((1, *spatial, 1), np.int64))
    rank = layer.rank
    positions = written.shape[1 : rank + 1]
    if layer.output_padding is not None or positions != counts.shape[1:-1]:
        return None  # where the padding lies depends on the backend
    taps = written.shape[rank + 2 :]
    written = written.reshape(-1, int(np.prod(taps)))  # (positions, taps)
    reads = written.T @ counts.reshape(len(written), -1)  # (taps, inputs)
    return int((reads * _nonzero(layer.kernel).sum(-2).reshape(reads.shape)).sum())


def _cell(layer, inputs, _):
    if not getattr(layer, "reset_after", True):
        return None  # multiplies the state with a gate before the kernel
    state = _matrix_pairs(inputs[1], _nonzero(layer.recurrent_kernel))
    return _matrix_pairs(inputs[0], _nonzero(layer.kernel)) + state


def _gated_pairs(layer, inputs, live):
    """Pairs of a Dense or plain convolutional layer, example by example."""
    kernel, pairs = _nonzero(layer.kernel), 0
    outputs = kernel.shape[-1]
    if isinstance(layer, _LAYERS.Dense):
        weights = kernel
    else:  # (taps, inputs, outputs): a group reads its own inputs
        weights = np.zeros((*kernel.shape[:-2], kernel.shape[-2] * layer.groups, outputs), np.int64)
        for part in np.split(np.arange(outputs), layer.groups):
            start = part[0] // len(part) * kernel.shape[-2]
            weights[..., start : start + kernel.shape[-2], part] = kernel[..., part]
    weights = weights.reshape(-1, outputs)
    for number, channels in enumerate(live):
        tensor = inputs[0][number : number + 1]
        if isinstance(layer, _LAYERS.Dense):
            reads = nonzero_examples(tensor).reshape(-1, len(kernel)).sum(0)
        else:
            reads = _reads(layer, tensor)
        pairs += int(reads @ weights[:, channels].sum(1))
    return pairs


_COUNTS = {
    _LAYERS.Dense: _dense,
    _LAYERS.Embedding: _embedding,
    _LAYERS.EinsumDense: _einsum,
    _SEPARABLE: _separable,
    _DEPTHWISE: _depthwise,
    _TRANSPOSED: _transposed,
    _PLAIN: _convolution,
    _CELLS: _cell,
}


def _matrix_pairs(tensor, kernel):
    counts = nonzero_examples(tensor).reshape(-1, len(kernel)).sum(0)
    return int(counts @ kernel.sum(1))


def _window_pairs(layer, tensor, kernel):
    """Pairs of a convolution; kernel: ints that flatten to (taps, inputs)."""
    return int(_reads(layer, tensor) @ kernel.ravel())


def _reads(layer, tensor):
    """How often what is not zero is read at each place of a kernel: ints (taps x inputs,)."""
    windows = layer_windows(layer, nonzero_examples(tensor))  # (1, *positions, inputs, *taps)
    reads = windows.sum(axis=tuple(range(layer.rank + 1)))  # (inputs, *taps)
    return np.moveaxis(reads, 0, -1).ravel()


def _nonzero(variable):
    return (backend.to_numpy(variable) != 0).astype(np.int64)
