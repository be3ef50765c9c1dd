"""Prune the input channels of layers, and repair what stays on data."""

import dataclasses

import numpy as np

from keras_prune.pruner import Pruner
from keras_prune.pruning_report import PruningReport
from keras_prune.reconstruction.batches import batches_of
from keras_prune.reconstruction.channel_targets import (
    Target,
    prune_targets,
    share_of_empty,
)
from keras_prune.reconstruction.channels import find_channels, hindrances
from keras_prune.reconstruction.lasso import lasso
from keras_prune.reconstruction.layer_inputs import unsupported
from keras_prune.reconstruction.selection import (
    explained,
    parameters,
    reasons_to_skip,
    restored_on_error,
    shares,
)
from keras_prune.weights import find_weights

_METHODS = ("lasso", "thinet", "omp", "greedy", "brute")
_REPAIRS = ("least_squares", "factors", "none")


def prune_channels(
    model,
    sparsity,
    data,
    method="lasso",
    allocation="uniform",
    filters=None,
    samples=10,
    repair=None,
    damping=1e-3,
    cut_inputs=False,
    batch_size=128,
    seed=None,
):
    """Prune input channels in one shot, and repair the rest on the inputs of each layer.

    Layer by layer, channels are chosen so that the others can give the outputs that the layer
    had in the original model, from the inputs that it gets in the model as it is pruned so far.
    Their weights, `kernel[..., i, :]`, become zero in all outputs. The filters that made them are
    read by nobody then: `kp.shrink` cuts them out, with the same outputs. No labels and no
    training are needed.

    `Dense`, `Conv1D`, `Conv2D` and `Conv3D` are pruned; others stand in the report with their
    reason, as do those that read only what cannot be cut: the model's inputs. Behind a `Flatten`
    a channel is all the inputs that came from one. Where another layer reads a channel too, as
    in a residual stream, its filters stay, and the report has a note.

    The inputs of a layer are held in memory: 16 bytes a value for samples * images rows of
    as many values as the layer has inputs (Conv2D: kh * kw * channels), and the outputs of all
    layers: 8 bytes each for as many rows. Channels with zero weights count as pruned.

    Example:

    ```python
    report = kp.prune_channels(model, 0.5, x_train[:1000])
    small = kp.shrink(model)
    ```

    Args:
        model: Built `keras.Model`. Its weights change in place.
        sparsity: Float in [0, 1), or `None` for what the allocation (`PerLayer`) fixes.
        data: Inputs like those the model will see: an array, a tuple (x, y) (y is ignored), or
            an iterable of such batches. They are held in memory.
        method: Str. Defaults to `"lasso"`.
            `"lasso"`: those stay to which the LASSO gives a factor, from
            [He, Zhang & Sun, 2017](https://arxiv.org/abs/1707.06168); the repair replaces the
            factors. Needs scikit-learn.
            `"thinet"`: channels go one after the other, each time the one without which a
            sample of outputs is missing least, from
            [Luo, Wu & Lin, 2017](https://arxiv.org/abs/1707.06342).
            `"omp"`: channels come one after the other, by matching pursuit on the same sample,
            as in that paper's published code.
            `"greedy"`: as `"thinet"`, on all outputs.
            `"brute"`: the best of all sets on all outputs; for a few channels.
        allocation: Str or object, see `kp.Pruner`. How many channels of each layer, measured by
            magnitude where it depends on scores. Defaults to `"uniform"`.
        filters: Regex string, list of them, or callable(layer) -> bool. Defaults to all
            layers.
        samples: Int. Places of each image, drawn at random, at which a layer is looked at.
            Defaults to `10`.
        repair: Str. `"least_squares"`: new weights and bias. `"factors"`: one factor for each
            channel, and a new bias with `"lasso"`. `"none"`: no repair. Defaults to `"factors"`
            for `"thinet"` and `"omp"`, else to `"least_squares"`.
        damping: Float >= 0. Part of the mean diagonal of the system of the repair that is added
            to it: it holds back changes about which the data say little. `0.0` is plain least
            squares. Defaults to `1e-3`.
        cut_inputs: Bool. Whether features of the model's inputs are pruned too, see `kp.shrink`.
            Defaults to `False`.
        batch_size: Int. Samples in a batch, where `data` are arrays. Defaults to `128`.
        seed: Int >= 0 or `None`. Fixes what is drawn. Defaults to `None`.

    Returns:
        A `kp.PruningReport`.

    Raises:
        ImportError: If `method="lasso"` and scikit-learn is not installed.
        ValueError: If an argument is wrong or nothing can be pruned. The model is then as it
            was.
    """
    _check(method, repair, samples, damping, cut_inputs, seed)
    repair = repair or ("factors" if method in ("thinet", "omp") else "least_squares")
    batches = batches_of(data, batch_size)
    everything = find_weights(model)
    known = {
        id(weight.layer): channels
        for weight, channels in zip(
            everything, find_channels(model, everything, cut_inputs), strict=True
        )
    }
    reasons = reasons_to_skip(model, filters, lambda layer: _reason(layer, known[id(layer)]))
    weights = [w for w, reason in zip(everything, reasons, strict=True) if not reason]
    layers = {id(weight.layer) for weight in weights}
    sizing = Pruner(
        sparsity,
        granularity="channel",
        allocation=allocation,
        filters=lambda layer: id(layer) in layers,
    )
    seed = int(np.random.default_rng().integers(1 << 32)) if seed is None else seed
    with restored_on_error([v for weight in weights for v in parameters(weight.layer)]):
        targets = [
            Target(weight, known[id(weight.layer)], share)
            for weight, share in shares(model, weights, sizing, share_of_empty)
        ]
        prune_targets(model, targets, batches, method, samples, repair, damping, seed)
    unreached = {id(target.weight.variable) for target in targets if not target.called}
    for index, weight in enumerate(everything):
        if id(weight.variable) in unreached:
            reasons[index] = "the data never reach this layer"
    return _report(explained(sizing.report(), reasons), model, everything, known, cut_inputs)


def _check(method, repair, samples, damping, cut_inputs, seed):
    for name, value, names in (
        ("method", method, _METHODS),
        ("repair", repair, (*_REPAIRS, None)),
        ("cut_inputs", cut_inputs, (True, False)),
    ):
        if value not in names:
            raise ValueError(
                f"Invalid value for argument `{name}`. Expected one of {names}. "
                f"Received: {name}={value!r}"
            )
    if not isinstance(samples, int) or isinstance(samples, bool) or samples < 1:
        raise ValueError(f"Argument `samples` must be an int >= 1. Received: samples={samples!r}")
    number = isinstance(damping, (int, float)) and not isinstance(damping, bool)
    if not number or not 0.0 <= damping < np.inf:
        raise ValueError(f"Argument `damping` must be a number >= 0. Received: damping={damping!r}")
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool) or seed < 0):
        raise ValueError(f"Argument `seed` must be an int >= 0 or None. Received: seed={seed!r}")
    if method == "lasso":
        lasso()


def _reason(layer, channels):
    reason = unsupported(layer)
    if reason is None and channels.required.all():
        reason = f"no channel that it reads can be cut: {channels.reason}"
    return reason


def _report(report, model, everything, known, cut_inputs):
    """The report with the sizes of channels and notes on those that surgery cannot cut."""
    notes = hindrances(model, everything, cut_inputs)
    lines = []
    for line, weight, note in zip(report.weights, everything, notes, strict=True):
        if line.skip is None:
            channels = known[id(weight.layer)]
            largest = np.bincount(channels.owners).max()
            slack = int(largest) * (weight.size // len(channels.owners))
            stay = np.count_nonzero(channels.required)
            fixed = f"channels that are never pruned: {stay}: {channels.reason}" if stay else None
            note = "; ".join(filter(None, (fixed, note))) or None
            line = dataclasses.replace(line, slack=slack, note=note)
        lines.append(line)
    return PruningReport(tuple(lines), report.asked)
