"""What a model costs: parameters and multiply-accumulates, dense and sparse."""

import itertools

import keras
import numpy as np

from keras_prune import backend
from keras_prune.analysis.activation_counts import count_activations
from keras_prune.analysis.operand_pairs import einsum_letters
from keras_prune.batches import batches_of, check_data, labelled, rows_of
from keras_prune.cost_report import CostReport, LayerCost
from keras_prune.tracing import example_input, record_calls
from keras_prune.weights import find_weights

_CONVOLUTIONS = (
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
)
_TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
_CELLS = (keras.layers.LSTMCell, keras.layers.GRUCell, keras.layers.SimpleRNNCell)


def cost(model, input_shape=None, data=None, batch_size=32):
    """Count the parameters and multiply-accumulates of a model's kernels.

    Biases, normalization and activations cost nothing here, as the literature has it; biases
    are counted apart. A layer that is called twice has its parameters counted once and its
    multiply-accumulates twice. The sparse count is what a kernel that skips every zero weight
    would do. The model runs once on zeros.

    With `data` the report also holds densities: how many of the activations, and of the
    products of a weight and an activation, are not zero. All of the data is read, once; the
    activations of one batch are held in memory.

    Example:

    ```python
    report = kp.cost(model)
    report.macs, report.sparse_macs
    print(report)

    report = kp.cost(model, data=x)
    report.activation_density
    report.mac_density("exact")
    ```

    Args:
        model: Built `keras.Model`.
        input_shape: Tuple of ints without the batch axis, or the same nesting of tuples as
            the model's inputs. Needed where the model leaves a size open and there is no
            `data`. Defaults to the shape of the data, or the model's own input shape.
        data: Array x or dict of arrays, tuple of arrays (x, y), or iterable of batches (x, y):
            a list, `tf.data.Dataset`, `keras.utils.PyDataset`. Examples of one shape. Defaults
            to `None`.
        batch_size: Int. Examples a batch where `data` are arrays. Defaults to `32`.

    Returns:
        A `CostReport`.

    Raises:
        ValueError: If the input shape is unknown or does not fit the model or the data, or
            `data` holds no example.
    """
    weights = find_weights(model)
    backend.sync_state(model)
    batches = _Batches(data, batch_size)
    example = batches.example(input_shape) if data is not None else None
    if example is None:
        example = example_input(model, input_shape)
    owners = {id(weight.layer): weight.layer for weight in weights}
    callers = {**owners, **_recurrent_callers(model)}  # the layer whose calls use the kernel
    calls = record_calls(model, callers.values(), example)
    counts, totals = {}, {}
    if data is not None:
        counts, total = count_activations(model, [*owners.values()], batches)
        totals = {
            "examples": batches.examples,
            "activations": total.activations,
            "nonzero_activations": total.nonzero_activations,
        }
    layers = (
        _layer_cost(
            layer,
            [weight for weight in weights if weight.layer is layer],
            calls[id(callers[id(layer)])],
            counts.get(id(layer)),
        )
        for layer in owners.values()
    )
    return CostReport(tuple(layers), **totals)


class _Batches:
    """The inputs in some data, batch by batch, all of one shape."""

    def __init__(self, data, batch_size):
        if data is not None:
            data = labelled(data)
            check_data(data)
        self.data, self.batch_size = data, batch_size

    def example(self, input_shape):
        """The first example, as tensors."""
        for x, _, _ in batches_of(self.data, self.batch_size):
            self.shapes = _shapes(x)
            break
        else:
            raise ValueError("Argument `data` holds no example. Received: no batch")
        asked = input_shape and keras.tree.flatten(input_shape)
        if asked and [n for n in asked if n is not None] != [*itertools.chain(*self.shapes)]:
            raise ValueError(
                "Argument `input_shape` is not the shape of the examples in `data`, leave it out. "
                f"Received: input_shape={input_shape}, data of shapes {self.shapes}"
            )
        return keras.tree.map_structure(lambda a: keras.ops.convert_to_tensor(a[:1]), x)

    def __iter__(self):
        self.examples = 0
        for x, _, _ in batches_of(self.data, self.batch_size):
            if _shapes(x) != self.shapes:
                raise ValueError(
                    "The examples of `data` must be of one shape, so that their densities have "
                    f"one meaning. Received: shapes {self.shapes} and {_shapes(x)}"
                )
            self.examples += rows_of(x)
            yield x


def _shapes(x):
    return [tuple(array.shape[1:]) for array in keras.tree.flatten(x)]


def _recurrent_callers(model):
    """Dict from `id(cell)` to its RNN layer: the cell itself runs inside a loop."""
    return {
        id(cell): rnn
        for rnn in model._flatten_layers()
        if isinstance(rnn, keras.layers.RNN)
        for cell in rnn._flatten_layers(include_self=False)
        if isinstance(cell, _CELLS)
    }


def _layer_cost(layer, weights, calls, counts):
    size = sum(weight.size for weight in weights)
    nonzero = [int(np.count_nonzero(weight.numpy())) for weight in weights]
    uses = [[_uses(layer, weight, *shapes) for shapes in calls] for weight in weights]
    if any(None in numbers for numbers in uses):
        macs = sparse_macs = None
    else:
        totals = [sum(numbers) for numbers in uses]
        macs = sum(n * weight.size for n, weight in zip(totals, weights, strict=True))
        sparse_macs = sum(n * left for n, left in zip(totals, nonzero, strict=True))
    biases = [backend.to_numpy(bias) for bias in _biases(layer)]
    return LayerCost(
        layer.path,
        type(layer).__name__,
        size,
        sum(nonzero),
        macs,
        sparse_macs,
        sum(bias.size for bias in biases),
        sum(int(np.count_nonzero(bias)) for bias in biases),
        **({} if counts is None else vars(counts)),
    )


def _biases(layer):
    sublayers = layer._flatten_layers(include_self=False)
    others = {id(variable) for sublayer in sublayers for variable in sublayer.variables}
    return [v for v in layer.variables if "bias" in v.name and id(v) not in others]


def _uses(layer, weight, input_shape, output_shape):
    """How often a call multiplies by each weight of a kernel, for one example; or `None`."""
    if isinstance(layer, keras.layers.Embedding):
        return 0
    if isinstance(layer, keras.layers.Dense):
        return _product(output_shape[1:-1])
    if isinstance(layer, _TRANSPOSED):
        return _spatial(layer, input_shape)
    if isinstance(layer, _CONVOLUTIONS):
        return _spatial(layer, output_shape)
    if isinstance(layer, _CELLS):
        return input_shape[1]  # time steps
    if isinstance(layer, keras.layers.EinsumDense) and weight.variable.name == "kernel":
        letters, kernel = einsum_letters(layer, len(input_shape))
        axes = zip(letters[1:], input_shape[1:], strict=True)
        return _product([size for letter, size in axes if letter is None or letter not in kernel])
    return None


def _spatial(layer, shape):
    last = layer.data_format == "channels_last"
    return _product(shape[1:-1] if last else shape[2:])


def _product(sizes):
    return int(np.prod(sizes, dtype=np.int64))
