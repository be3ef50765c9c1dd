"""Layers that work on each channel alone, but on several places."""

import keras
import numpy as np

from keras_prune.dependencies.rules.rule import rule

_layers = keras.layers
_OTHER_AXIS = "works along the axis of the units"


@rule(
    *(_layers.MaxPooling1D, _layers.MaxPooling2D, _layers.MaxPooling3D),
    *(_layers.AveragePooling1D, _layers.AveragePooling2D, _layers.AveragePooling3D),
    *(_layers.GlobalMaxPooling1D, _layers.GlobalMaxPooling2D, _layers.GlobalMaxPooling3D),
    *(_layers.GlobalAveragePooling1D, _layers.GlobalAveragePooling2D),
    _layers.GlobalAveragePooling3D,
    *(_layers.UpSampling1D, _layers.UpSampling2D, _layers.UpSampling3D),
    *(_layers.Cropping1D, _layers.Cropping2D, _layers.Cropping3D),
)
def pooling(call):
    """Carries channels along."""
    if not call.is_channels_axis():
        return call.closed(_OTHER_AXIS)
    return call.made(call.signal.ids, call.signal.settled())


@rule(_layers.ZeroPadding1D, _layers.ZeroPadding2D, _layers.ZeroPadding3D)
def padding(call):
    """Carries channels along, and puts a border around what is constant."""
    signal = call.signal
    if not call.is_channels_axis():
        return call.closed(_OTHER_AXIS)
    known = ~np.isnan(signal.constant)
    return call.made(signal.ids, signal.constant, known & (signal.constant != 0.0))


@rule("Mean", "Max", "Amax")
def reduction(call):
    """Carries channels along, over places."""
    layer, signal = call.layer, call.signal
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    if any(axis is None for axis in axes):
        return call.closed("reduces all axes")
    rank = len(signal.shape) + 1
    axes = {axis % rank for axis in axes}
    if signal.axis + 1 in axes or 0 in axes:
        return call.closed(_OTHER_AXIS)
    before = 0 if layer.keepdims else sum(axis <= signal.axis for axis in axes)
    return signal.replace(
        shape=call.shapes[0],
        axis=signal.axis - before,
        constant=signal.settled(),
        bordered=np.zeros(len(signal.ids), bool),
    )
