"""Layers and operations that work on each value alone."""

import keras
import numpy as np

from keras_prune.dependencies.rules.rule import activated, evaluate, rule
from keras_prune.layers import ActivationThreshold

_layers = keras.layers


def pass_through(call, function):
    """Units go through a function of single values.

    Args:
        call: `Call`.
        function: Callable(tensor) -> tensor.

    Returns:
        `Signal`.
    """
    signal = call.signal
    constant = activated(call, signal.ids, signal.constant, function)
    if np.isnan(constant).all():
        return signal.replace(constant=constant, bordered=np.zeros(len(constant), bool))
    # A border of zeros stays one only where the function leaves zero at zero.
    kept = signal.bordered & (evaluate(function, np.zeros(1)) == 0.0)
    constant = np.where(signal.bordered & ~kept, np.nan, constant)
    return signal.replace(constant=constant, bordered=kept)


@rule(_layers.Activation)
def activation(call):
    """Carries units along, unless it mixes them, as softmax does."""
    return pass_through(call, call.layer.activation)


@rule(_layers.ReLU, _layers.LeakyReLU, _layers.ELU, ActivationThreshold)
def activation_layer(call):
    """Carries units along."""
    return pass_through(call, call.layer.call)


@rule(
    *("Relu", "Relu6", "Sigmoid", "Softplus", "Softsign", "Silu", "LogSigmoid", "LeakyRelu"),
    *("HardSigmoid", "HardSilu", "Elu", "Selu", "Gelu", "Celu", "Tanh", "HardTanh", "Absolute"),
    *("Negative", "Square", "Sqrt", "Exp", "Clip", "Sin", "Cos"),
)
def operation(call):
    """Carries units along."""
    return pass_through(call, call.layer.call)


@rule(
    *(_layers.Dropout, _layers.SpatialDropout1D, _layers.SpatialDropout2D),
    *(_layers.SpatialDropout3D, _layers.GaussianNoise, _layers.GaussianDropout),
    *(_layers.AlphaDropout, _layers.ActivityRegularization, _layers.Identity),
)
def nothing_in_inference(call):
    """Carries units along."""
    return call.signal


@rule(_layers.Rescaling)
def rescaling(call):
    """Carries units along; one scale for all."""
    if np.ndim(call.layer.scale) or np.ndim(call.layer.offset):
        return call.closed("has a scale for each unit")
    scale, offset = call.layer.scale, call.layer.offset
    return pass_through(call, lambda x: x * scale + offset)


@rule(_layers.PReLU)
def prelu(call):
    """Carries units along, with their slopes."""
    layer, body, signal = call.layer, call.body, call.signal
    alpha = body.numpy(layer.alpha)  # of the shape of the input, with 1 along shared axes
    if alpha.shape[signal.axis] != 1:
        body.cut(layer, layer.alpha, signal.axis, signal.ids)
    slopes = np.moveaxis(alpha, signal.axis, -1).reshape(-1, alpha.shape[signal.axis])
    same = (slopes == slopes[:1]).all(axis=0)
    negative = np.where(same, signal.constant * slopes[0], np.nan)
    constant = np.where(signal.constant < 0.0, negative, signal.constant)
    return signal.replace(constant=constant)
