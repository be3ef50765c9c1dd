"""Which channels of a layer go, and what becomes of the others."""

import dataclasses

import numpy as np

from keras_prune import backend
from keras_prune.ranking import unit_count
from keras_prune.reconstruction.channels import Channels
from keras_prune.reconstruction.contributions import of_all_outputs, of_drawn_outputs
from keras_prune.reconstruction.lasso import select_by_lasso
from keras_prune.reconstruction.layer_inputs import draw_inputs
from keras_prune.reconstruction.pursuit import pursue
from keras_prune.reconstruction.refit import factors, refit
from keras_prune.reconstruction.removal import brute_removal, greedy_removal
from keras_prune.weights import PrunableWeight


@dataclasses.dataclass(eq=False)
class Target:
    """One kernel to prune.

    Args:
        weight: `PrunableWeight`.
        channels: `Channels` of its inputs.
        share: Float. The share of its inputs that are to go.
        called: Bool. Turns false where the data never reach the layer.
    """

    weight: PrunableWeight
    channels: Channels
    share: float
    called: bool = True


def share_of_empty(values):
    """Float. The share of a kernel's inputs that have no weight."""
    return np.mean(~_read(values))


def _read(values):
    """Bool array (inputs,). Which inputs a kernel (..., inputs, outputs) has a weight for."""
    return (values != 0.0).any(axis=(*range(values.ndim - 2), values.ndim - 1))


def prune_targets(model, targets, batches, method, samples, repair, damping, seed):
    """Prune kernels one after the other; each sees what those before have become.

    Args:
        model: Built `keras.Model`.
        targets: List of `Target` in the order of the model.
        batches: List of pairs (x, y).
        method, samples, repair, damping, seed: See `kp.prune_channels`.
    """
    kernels = {index: _matrix(target.weight.numpy()) for index, target in enumerate(targets)}
    layers = {index: target.weight.layer for index, target in enumerate(targets)}
    # What the layers should give, from the model as it was.
    wanted = draw_inputs(
        model, layers, batches, samples, seed, lambda index, rows: rows @ kernels[index]
    )
    for index, target in enumerate(targets):
        target.called = wanted[index] is not None
        going = _going(target) if target.called else None
        if going is not None:
            own = {index: layers[index]}
            inputs = draw_inputs(model, own, batches, samples, seed)[index]
            random = np.random.default_rng([seed, index, 1])
            _prune_layer(target, going, inputs, wanted[index], method, repair, damping, random)


def _going(target):
    """How many channels of those that have weights go, and which have some.

    Returns:
        Tuple of an int >= 1 and a bool array (channels,), or `None` where none goes.
    """
    channels = target.channels
    alive = np.zeros(len(channels.required), bool)
    alive[channels.owners[_read(target.weight.numpy())]] = True
    if not alive.any():  # fresh, not pruned
        return None
    count = unit_count(target.share * alive.size, 1, alive.size) - np.count_nonzero(~alive)
    count = min(count, np.count_nonzero(alive & ~channels.required))
    return (count, alive) if count > 0 else None


def _prune_layer(target, going, inputs, wanted, method, repair, damping, random):
    weight, layer, channels = target.weight, target.weight.layer, target.channels
    count, alive = going
    values = weight.numpy()
    kernel = _matrix(values)
    members = channels.members(len(kernel) // len(channels.owners))
    centered = method == "lasso" and layer.use_bias
    if method in ("thinet", "omp"):
        parts = of_drawn_outputs(inputs, kernel, wanted, members, random)
    else:
        parts = of_all_outputs(
            inputs, kernel, wanted, members, method == "lasso" and layer.use_bias
        )
    keep = alive.copy()
    keep[alive] = _chosen(parts.take(alive), count, channels.required[alive], method)
    stays = (members @ keep)[:, None] * (kernel != 0.0) > 0.0
    offset = 0.0
    if repair == "least_squares":
        kernel, offset = refit(inputs, kernel, wanted, stays, layer.use_bias, damping)
    elif repair == "factors":
        kernel = kernel * (members @ factors(parts.gram, parts.cross, keep, damping))[:, None]
        offset = (wanted - inputs @ kernel).mean(axis=0) if centered else 0.0
    weight.variable.assign(np.where(stays, kernel, 0.0).reshape(values.shape))
    if layer.use_bias and repair != "none":
        layer.bias.assign(backend.to_numpy(layer.bias) + offset)


def _chosen(parts, count, required, method):
    """Bool array (channels,): those that stay."""
    kept = len(required) - count
    if method == "lasso":
        return select_by_lasso(parts.gram, parts.cross, kept, required)
    if method == "omp":
        return pursue(parts.gram, parts.cross, kept, required)
    remove = brute_removal if method == "brute" else greedy_removal
    keep = np.ones(len(required), bool)
    keep[remove(parts.gram, parts.slope, count, required)] = False
    return keep


def _matrix(values):
    """A kernel as float64 array (window * inputs, outputs)."""
    return values.reshape(-1, values.shape[-1]).astype(np.float64)
