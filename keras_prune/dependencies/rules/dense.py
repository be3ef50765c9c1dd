"""Layers whose kernel has inputs and outputs and no window."""

import keras
import numpy as np

from keras_prune.dependencies.readers import Reader
from keras_prune.dependencies.rules.rule import activated, rule
from keras_prune.weights import axis_roles


def read(call, kernel, view, signal, outputs, padded=False, bias=slice(None), foldable=True):
    """Let a kernel read a signal, in one group.

    Args:
        call: `Call`.
        kernel: `keras.Variable`.
        view: Callable, see `Reader`.
        signal: `Signal`, or the part of it that the group reads.
        outputs: Int array. The units that are made.
        padded: Bool. Whether the layer mixes zeros of a border in.
        bias: Slice of the layer's bias that belongs to the outputs.
        foldable: Bool, see `Reader`.

    Returns:
        Float array (outputs,). The constants that come out, before the activation.
    """
    body, layer = call.body, call.layer
    bordered = signal.bordered | (padded & (signal.constant != 0.0))
    if not body.exact:
        bordered = np.zeros_like(bordered)
    reader = Reader(
        layer,
        kernel,
        view,
        body.numpy(kernel),
        signal.ids,
        signal.constant,
        bordered,
        outputs,
        bias,
        foldable,
        framed=signal.bordered,
    )
    body.read(reader)
    own = body.numpy(layer.bias)[bias] if layer.bias is not None else None
    return reader.emitted(own)


def one_window(array):
    """View of a kernel (inputs, outputs) as (1, inputs, outputs)."""
    return array[None]


@rule(keras.layers.Dense)
def dense(call):
    """Makes units and reads those of its last axis."""
    layer, body, signal = call.layer, call.body, call.signal
    if signal.axis != len(signal.shape) - 1:
        return call.closed("reads along another axis than that of the units")
    if layer.quantization_mode or layer.lora_enabled:
        return call.closed("is quantized or has LoRA weights")
    made = body.make(layer, layer.units)
    body.cut(layer, layer.kernel, 0, signal.ids)
    body.cut(layer, layer.kernel, 1, made)
    body.cut(layer, layer.bias, 0, made)
    body.part(layer).sizes["units"] = lambda keep: int(keep(made).sum())
    constant = read(call, layer.kernel, one_window, signal, made)
    return call.made(made, activated(call, made, constant))


@rule(keras.layers.EinsumDense)
def einsum_dense(call):
    """The same, where the equation is that of a dense layer."""
    layer, body, signal = call.layer, call.body, call.signal
    inputs, outputs = layer.equation.replace(" ", "").split("->")
    inputs, kernel = inputs.split(",")
    last = signal.axis == len(signal.shape) - 1
    if (
        not last
        or kernel != inputs[-1] + outputs[-1]
        or isinstance(axis_roles(layer, layer.kernel), str)
    ):
        return call.closed(f"has the equation {layer.equation}, which is no plain dense layer")
    if layer.quantization_mode or layer.lora_enabled:
        return call.closed("is quantized or has LoRA weights")
    if layer.bias is not None and layer.bias.shape != (layer.kernel.shape[1],):
        return call.closed("has a bias along more axes than that of the units")
    made = body.make(layer, layer.kernel.shape[1])
    body.cut(layer, layer.kernel, 0, signal.ids)
    body.cut(layer, layer.kernel, 1, made)
    body.cut(layer, layer.bias, 0, made)
    shape = tuple(layer.partial_output_shape)
    body.part(layer).sizes["output_shape"] = lambda keep: (*shape[:-1], int(keep(made).sum()))
    constant = read(call, layer.kernel, one_window, signal, made, foldable=layer.bias is not None)
    return call.made(made, activated(call, made, constant))


@rule(keras.layers.Embedding)
def embedding(call):
    """Makes units."""
    layer, body = call.layer, call.body
    body.stay(call.signals, f"{call.name} looks its inputs up")
    if layer.quantization_mode or layer.lora_enabled:
        return call.closed("is quantized or has LoRA weights")
    made = body.make(layer, layer.output_dim)
    body.cut(layer, layer.embeddings, 1, made)
    body.part(layer).sizes["output_dim"] = lambda keep: int(keep(made).sum())
    values = body.numpy(layer.embeddings)
    constant = np.where((values == values[:1]).all(axis=0), values[0], np.nan)
    return call.made(made, constant)
