"""What a model costs: parameters and multiply-accumulates, dense and sparse."""

import dataclasses

import keras
import numpy as np

from keras_prune import backend
from keras_prune.tables import render_table
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


@dataclasses.dataclass(frozen=True)
class LayerCost:
    """Cost of the kernels of one layer.

    Args:
        path: Str. The layer's path in the model.
        layer: Str. The layer's class.
        params: Int. Weights in the layer's kernels.
        nonzero_params: Int. Those that are not zero.
        macs: Int or `None`. Multiply-accumulates for one example; `None` where the layer's
            way of computing is unknown.
        sparse_macs: Int or `None`. Those whose weight is not zero.
    """

    path: str
    layer: str
    params: int
    nonzero_params: int
    macs: int | None
    sparse_macs: int | None


@dataclasses.dataclass(frozen=True)
class CostReport:
    """Cost of a model, layer by layer and in total. `print` shows a table.

    Args:
        layers: Tuple of `LayerCost`, one for every layer that owns a kernel.
    """

    layers: tuple

    @property
    def params(self):
        """Int. Weights in all kernels."""
        return sum(layer.params for layer in self.layers)

    @property
    def nonzero_params(self):
        """Int. Weights in all kernels that are not zero."""
        return sum(layer.nonzero_params for layer in self.layers)

    @property
    def macs(self):
        """Int. Multiply-accumulates for one example, where they are known."""
        return sum(layer.macs or 0 for layer in self.layers)

    @property
    def sparse_macs(self):
        """Int. Multiply-accumulates whose weight is not zero."""
        return sum(layer.sparse_macs or 0 for layer in self.layers)

    def __str__(self):
        def row(name, kind, item):
            numbers = (item.params, item.nonzero_params, item.macs, item.sparse_macs)
            return (name, kind, *("?" if n is None else f"{n:,}" for n in numbers))

        rows = [row(layer.path, layer.layer, layer) for layer in self.layers]
        columns = ["layer", "class", ">params", ">nonzero", ">MACs", ">sparse MACs"]
        return render_table("Cost", columns, rows, footer=row("total", "", self))


def cost(model, input_shape=None):
    """Count the parameters and multiply-accumulates of a model's kernels.

    Biases, normalization and activations are not counted, as the literature has it. A layer
    that is called twice has its parameters counted once and its multiply-accumulates twice.
    The sparse count is what a kernel that skips every zero weight would do. The model runs
    once on zeros.

    Example:

    ```python
    report = kp.cost(model)
    report.macs, report.sparse_macs
    print(report)
    ```

    Args:
        model: Built `keras.Model`.
        input_shape: Tuple of ints without the batch axis, or the same nesting of tuples as
            the model's inputs. Needed where the model leaves a size open. Defaults to the
            model's own input shape.

    Returns:
        A `CostReport`.

    Raises:
        ValueError: If the input shape is unknown or does not fit the model.
    """
    weights = find_weights(model)
    backend.sync_state(model)
    owners = {id(weight.layer): weight.layer for weight in weights}
    callers = {**owners, **_recurrent_callers(model)}  # the layer whose calls use the kernel
    calls = record_calls(model, callers.values(), example_input(model, input_shape))
    return CostReport(
        tuple(
            _layer_cost(
                layer,
                [weight for weight in weights if weight.layer is layer],
                calls[id(callers[id(layer)])],
            )
            for layer in owners.values()
        )
    )


def _recurrent_callers(model):
    """Dict from `id(cell)` to its RNN layer: the cell itself runs inside a loop."""
    return {
        id(cell): rnn
        for rnn in model._flatten_layers()
        if isinstance(rnn, keras.layers.RNN)
        for cell in rnn._flatten_layers(include_self=False)
        if isinstance(cell, _CELLS)
    }


def _layer_cost(layer, weights, calls):
    size = sum(weight.size for weight in weights)
    nonzero = [int(np.count_nonzero(weight.numpy())) for weight in weights]
    uses = [[_uses(layer, weight, *shapes) for shapes in calls] for weight in weights]
    if any(None in counts for counts in uses):
        macs = sparse_macs = None
    else:
        totals = [sum(counts) for counts in uses]
        macs = sum(n * weight.size for n, weight in zip(totals, weights, strict=True))
        sparse_macs = sum(n * left for n, left in zip(totals, nonzero, strict=True))
    return LayerCost(layer.path, type(layer).__name__, size, sum(nonzero), macs, sparse_macs)


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
    if isinstance(layer, keras.layers.EinsumDense) and weight.outputs:
        made = [weight.shape[axis] for axis in weight.outputs]
        return _product(output_shape[1:]) // _product(made)
    return None


def _spatial(layer, shape):
    last = layer.data_format == "channels_last"
    return _product(shape[1:-1] if last else shape[2:])


def _product(sizes):
    return int(np.prod(sizes, dtype=np.int64))
