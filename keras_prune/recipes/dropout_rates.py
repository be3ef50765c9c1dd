"""Dropout for pruned networks: fewer connections need less of it."""

import math

import keras
import numpy as np

from keras_prune.layers.winner_take_all import WinnerTakeAll
from keras_prune.model_outputs import kernel_layers_behind
from keras_prune.weights import find_weights


class DropoutRates:
    """The rates of a model's Dropout layers, which shrink with the connections before them.

    D_r = D_o sqrt(C_ir / C_io): a layer with C_ir of C_io connections left takes the rate D_r
    instead of D_o, for the number of connections goes with the square of the number of neurons
    ([Han et al., 2015](https://arxiv.org/abs/1506.02626), section 3.2).

    The connections of a Dropout layer are the kernels that make its input. A Dropout layer with
    no kernel before it keeps its rate. Where a `WinnerTakeAll` stands between kernel and Dropout,
    its rate counts in place of C_ir / C_io ([Yang et al.,
    2019](https://arxiv.org/abs/1906.07875)).

    Args:
        model: Built Functional or Sequential `keras.Model`.

    Raises:
        ValueError: If the model has no Dropout layer behind a kernel.
    """

    def __init__(self, model):
        self.weights = find_weights(model)
        self.rates, self._before, self._masks = {}, {}, {}
        for layer in model._flatten_layers():
            if isinstance(layer, keras.layers.Dropout):
                tensors = [t for node in layer._inbound_nodes for t in node.input_tensors]
                layers = kernel_layers_behind(tensors)
                kernels = [weight for weight in self.weights if id(weight.layer) in layers]
                if kernels:
                    self.rates[layer], self._before[layer] = layer.rate, kernels
                    self._masks[layer] = _mask_before(tensors)
        if not self.rates:
            raise ValueError(
                "`scale_dropout` needs a Dropout layer behind a layer with a kernel, in a "
                f"Functional or Sequential model. Received: model={model.name}"
            )

    def scale(self):
        """Set the rates to what the zeros of the kernels call for now."""
        for layer, rate in self.rates.items():
            layer.rate = rate * math.sqrt(self._share(layer))

    def _share(self, layer):
        if self._masks[layer] is not None:
            return self._masks[layer].rate
        weights = self._before[layer]
        left = sum(int(np.count_nonzero(weight.numpy())) for weight in weights)
        return left / sum(weight.size for weight in weights)

    def restore(self):
        """Set the rates to what they were."""
        for layer, rate in self.rates.items():
            layer.rate = rate


def _mask_before(tensors):
    """The `WinnerTakeAll` that makes a tensor, reshaped or pooled at most; or `None`."""
    operation, tensors = None, list(tensors)
    while len(tensors) == 1 and not getattr(operation, "variables", ()):
        operation, node, _ = tensors[0]._keras_history
        if isinstance(operation, WinnerTakeAll):
            return operation
        tensors = operation._inbound_nodes[node].input_tensors
    return None
