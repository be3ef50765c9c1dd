"""Convolutions: plain, grouped, depthwise, separable, transposed."""

import math

import keras
import numpy as np

from keras_prune.dependencies.rules.dense import read
from keras_prune.dependencies.rules.rule import activated, rule

_layers = keras.layers


def _is_padded(layer):
    return layer.padding != "valid" and math.prod(layer.kernel_size) > 1


@rule(_layers.Conv1D, _layers.Conv2D, _layers.Conv3D)
def convolution(call):
    """Makes units and reads channels; the groups of a grouped one lose the same places."""
    layer, body, signal = call.layer, call.body, call.signal
    if not call.is_channels_axis():
        return call.closed("reads along another axis than that of the units")
    if getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None):
        return call.closed("is quantized or has LoRA weights")
    groups, rank = layer.groups, layer.rank
    inputs, outputs = len(signal.ids) // groups, layer.filters // groups
    if groups > 1 and inputs == 1:
        return _one_input_each(call)
    made = body.make(layer, layer.filters)
    for first in range(1, groups):  # the same positions go from every group
        body.units.join(signal.ids[:inputs], signal.ids[first * inputs :][:inputs])
        body.units.join(made[:outputs], made[first * outputs :][:outputs])
    body.cut(layer, layer.kernel, rank, signal.ids[:inputs])
    body.cut(layer, layer.kernel, rank + 1, made)
    body.cut(layer, layer.bias, 0, made)
    body.part(layer).sizes["filters"] = lambda keep: int(keep(made).sum())
    constant = []
    for group in range(groups):
        own, bias = _part(signal, group, inputs), slice(group * outputs, (group + 1) * outputs)

        def view(array, bias=bias):
            return array.reshape(-1, *array.shape[rank:])[..., bias]

        bias_slice = bias if groups > 1 else slice(None)
        constant.append(
            read(call, layer.kernel, view, own, made[bias], _is_padded(layer), bias_slice)
        )
    return call.made(made, activated(call, made, np.concatenate(constant)))


def _part(signal, group, inputs):
    where = slice(group * inputs, (group + 1) * inputs)
    return signal.replace(
        ids=signal.ids[where], constant=signal.constant[where], bordered=signal.bordered[where]
    )


def _one_input_each(call):
    """A convolution in as many groups as it has inputs: the units pass through it."""
    layer, body, signal = call.layer, call.body, call.signal
    multiplier = layer.filters // layer.groups
    ids = np.repeat(signal.ids, multiplier)
    body.cut(layer, layer.kernel, layer.rank + 1, ids)
    body.cut(layer, layer.bias, 0, ids)
    sizes, inputs = body.part(layer).sizes, signal.ids
    sizes["filters"] = lambda keep: int(keep(ids).sum())
    sizes["groups"] = lambda keep: int(keep(inputs).sum())
    kernel = body.numpy(layer.kernel).reshape(-1, len(inputs), multiplier)
    constant = _depthwise_constants(call, kernel, layer.bias)
    return call.made(ids, activated(call, ids, constant))


@rule(_layers.DepthwiseConv1D, _layers.DepthwiseConv2D)
def depthwise_convolution(call):
    """Carries channels along."""
    layer, body, signal = call.layer, call.body, call.signal
    if not call.is_channels_axis():
        return call.closed("reads along another axis than that of the units")
    ids = np.repeat(signal.ids, layer.depth_multiplier)
    body.cut(layer, layer.kernel, layer.rank, signal.ids)
    body.cut(layer, layer.bias, 0, ids)
    kernel = body.numpy(layer.kernel)
    kernel = kernel.reshape(-1, *kernel.shape[layer.rank :])
    constant = _depthwise_constants(call, kernel, layer.bias)
    return call.made(ids, activated(call, ids, constant))


def _depthwise_constants(call, kernel, bias):
    """The constants behind a kernel (window, inputs, multiplier): float array (outputs,)."""
    signal, body = call.signal, call.body
    value = signal.constant[:, None]
    mixed = (signal.bordered | _is_padded(call.layer)) & (signal.constant != 0.0)
    mixed &= ~np.isnan(signal.constant)
    sums = kernel.sum(axis=0, dtype=np.float64)
    dead = ~(kernel != 0.0).any(axis=0)
    if body.exact:
        lost = mixed & ~dead.all(axis=1)
        body.remark(
            signal.ids[lost],
            f"what it still emits is not constant behind the borders of {call.name}",
        )
        value = np.where(mixed[:, None], np.nan, value)
    constant = np.where(dead, 0.0, value * sums).ravel()
    return constant + (0.0 if bias is None else body.numpy(bias))


@rule(_layers.SeparableConv1D, _layers.SeparableConv2D)
def separable_convolution(call):
    """Carries channels along to its pointwise kernel, which makes units."""
    layer, body, signal = call.layer, call.body, call.signal
    if not call.is_channels_axis():
        return call.closed("reads along another axis than that of the units")
    between = np.repeat(signal.ids, layer.depth_multiplier)
    made = body.make(layer, layer.filters)
    body.cut(layer, layer.depthwise_kernel, layer.rank, signal.ids)
    body.cut(layer, layer.pointwise_kernel, layer.rank, between)
    body.cut(layer, layer.pointwise_kernel, layer.rank + 1, made)
    body.cut(layer, layer.bias, 0, made)
    body.part(layer).sizes["filters"] = lambda keep: int(keep(made).sum())
    kernel = body.numpy(layer.depthwise_kernel)
    kernel = kernel.reshape(-1, *kernel.shape[layer.rank :])
    constant = _depthwise_constants(call, kernel, None)
    middle = signal.replace(ids=between, constant=constant, bordered=np.zeros(len(between), bool))

    def view(array):
        return array.reshape(1, *array.shape[layer.rank :])

    constant = read(call, layer.pointwise_kernel, view, middle, made)
    return call.made(made, activated(call, made, constant))


@rule(_layers.Conv1DTranspose, _layers.Conv2DTranspose, _layers.Conv3DTranspose)
def transposed_convolution(call):
    """Makes units and reads channels."""
    layer, body, signal = call.layer, call.body, call.signal
    if not call.is_channels_axis():
        return call.closed("reads along another axis than that of the units")
    made = body.make(layer, layer.filters)
    body.cut(layer, layer.kernel, layer.rank, made)
    body.cut(layer, layer.kernel, layer.rank + 1, signal.ids)
    body.cut(layer, layer.bias, 0, made)
    body.part(layer).sizes["filters"] = lambda keep: int(keep(made).sum())

    def view(array):
        return array.reshape(-1, *array.shape[layer.rank :]).swapaxes(1, 2)

    # Other taps meet other outputs: a constant map becomes a pattern.
    padded = math.prod(layer.kernel_size) > 1 or math.prod(layer.strides) > 1
    constant = read(call, layer.kernel, view, signal, made, padded)
    return call.made(made, activated(call, made, constant))
