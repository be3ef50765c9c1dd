"""Normalization: statistics of one unit, of groups of them, of all."""

import keras
import numpy as np

from keras_prune.dependencies.rules.rule import rule
from keras_prune.layers import ChannelScale, WinnerTakeAll

_layers = keras.layers


def _axis(layer, signal):
    """The normalized axis without the batch axis; `None` where there are several."""
    axis = layer.axis[0] if isinstance(layer.axis, (list, tuple)) else layer.axis
    if isinstance(layer.axis, (list, tuple)) and len(layer.axis) > 1:
        return None
    return axis + len(signal.shape) if axis < 0 else axis - 1


def _affine(call, values):
    """gamma * values + beta; beta alone where gamma is zero."""
    layer, body = call.layer, call.body
    if layer.gamma is not None:
        gamma = body.numpy(layer.gamma)
        values = np.where(gamma == 0.0, 0.0, gamma * values)
    return values if layer.beta is None else values + body.numpy(layer.beta)


def _cut(call, *names):
    for name in names:
        call.body.cut(call.layer, getattr(call.layer, name, None), 0, call.signal.ids)


@rule(_layers.BatchNormalization)
def batch_normalization(call):
    """Carries units along, with their statistics."""
    layer, body, signal = call.layer, call.body, call.signal
    if _axis(layer, signal) != signal.axis:
        return call.closed("normalizes another axis than that of the units")
    _cut(call, "gamma", "beta", "moving_mean", "moving_variance")
    mean, variance = body.numpy(layer.moving_mean), body.numpy(layer.moving_variance)
    deviation = np.sqrt(variance.astype(np.float64) + layer.epsilon)
    constant = _affine(call, (signal.constant - mean) / deviation)
    border = _affine(call, -mean / deviation)
    varies_within = signal.bordered & (constant != border)
    kept = varies_within & (border == 0.0)
    return signal.replace(constant=np.where(varies_within & ~kept, np.nan, constant), bordered=kept)


@rule(ChannelScale)
def channel_scale(call):
    """Carries units along, with their factors."""
    signal = call.signal
    if _axis(call.layer, signal) != signal.axis:
        return call.closed("scales another axis than that of the units")
    _cut(call, "gamma")
    gamma = call.body.numpy(call.layer.gamma)
    constant = np.where(gamma == 0.0, 0.0, gamma * signal.constant)
    return signal.replace(constant=constant, bordered=signal.bordered & (gamma != 0.0))


@rule(_layers.GroupNormalization)
def group_normalization(call):
    """Joins the units of each group."""
    layer, body, signal = call.layer, call.body, call.signal
    if _axis(layer, signal) != signal.axis:
        return call.closed("normalizes another axis than that of the units")
    _cut(call, "gamma", "beta")
    groups = len(signal.ids) if layer.groups == -1 else layer.groups
    size = len(signal.ids) // groups
    ids = signal.ids.reshape(groups, size)
    for place in range(1, size):  # a group's statistics need all of it
        body.units.join(ids[:, 0], ids[:, place])
    if layer.groups != -1:
        body.part(layer).sizes["groups"] = lambda keep: int(keep(ids[:, 0]).sum())
    values = signal.settled().reshape(groups, size).astype(np.float64)
    centred = values - values.mean(axis=1, keepdims=True)
    deviation = np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + layer.epsilon)
    return signal.replace(
        constant=_affine(call, (centred / deviation).ravel()),
        bordered=np.zeros(len(signal.ids), bool),
    )


@rule(
    *(_layers.LayerNormalization, _layers.RMSNormalization, _layers.UnitNormalization),
    *(_layers.Softmax, WinnerTakeAll),
)
def over_all_units(call):
    """Keeps all units: each counts in the others."""
    return call.closed("takes its statistics over all units")
