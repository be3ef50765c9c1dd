"""L-OBS: prune layer by layer so that each layer's outputs on real data change least."""

import dataclasses

import numpy as np

from keras_prune import backend
from keras_prune.granularity import Unstructured
from keras_prune.granularity import get as _granularity
from keras_prune.pruner import Pruner
from keras_prune.reconstruction.batches import batches_of
from keras_prune.reconstruction.columns import (
    feature_ranks,
    repair_columns,
    sequential_ranks,
    single_scores,
)
from keras_prune.reconstruction.layer_inputs import layer_hessians, unsupported
from keras_prune.reconstruction.selection import (
    alive,
    explained,
    parameters,
    reasons_to_skip,
    restored_on_error,
    select,
    shares,
)
from keras_prune.weights import find_weights


def prune_layerwise(
    model,
    sparsity,
    data,
    method="obs",
    granularity="unstructured",
    allocation="uniform",
    filters=None,
    inputs="pruned",
    damping=1e-3,
    batch_size=128,
):
    """Prune in one shot, and repair what survives on the inputs of each layer.

    For every layer the error of its outputs before the activation, ||X W - X W'||^2 / N, is
    a quadratic function of the kernel. Its Hessian X^T X / N is the same for all outputs, so
    exact Optimal Brain Surgeon is cheap: the survivors of each output, and its bias, become
    the least-squares solution. No labels and no training are needed. Layer-wise OBS is from
    [Dong, Chen & Pan, 2017](https://arxiv.org/abs/1705.07565); removal with an update of the
    inverse after every weight is as in
    [Frantar & Alistarh, 2022](https://arxiv.org/abs/2208.11580).

    `Dense`, `Conv1D`, `Conv2D` and `Conv3D` are pruned (patches of the input are the rows of
    X); other layers stand in the report with their reason, as do layers that the data never
    reach.

    A layer with n inputs (Dense: inputs, Conv2D: kh * kw * channels, one more with a bias)
    takes about 6 n^2 float64 values of memory. `"obs"` takes 2/3 n^3 operations for each
    output: some ten seconds for n = 785 and 300 outputs. For layers of many thousands of inputs
    `"l-obs"` is the cheap way.

    Example:

    ```python
    report = kp.prune_layerwise(model, 0.9, x_train[:2000])
    ```

    Args:
        model: Built `keras.Model`. Its weights change in place.
        sparsity: Float in [0, 1), or `None` for what the granularity fixes.
        data: Inputs like those the model will see: an array, a tuple (x, y) (y is ignored), or
            an iterable of such batches. A few thousand samples do; they are held in memory.
        method: Str. `"obs"`: weights go one after the other and the scores of the others
            change. `"l-obs"`: the scores w^2 / (2 [H^-1]_ii) are ranked once. `"feature"`:
            weights go one after the other so that the outputs change least while the others
            stay as they are, see `kp.choose_removal`. All repair the survivors jointly.
            Defaults to `"obs"`.
        granularity: Str or object, see `kp.Pruner`. Others than `"unstructured"` take
            `method="l-obs"`. Defaults to `"unstructured"`.
        allocation: Str or object, see `kp.Pruner`. How much of each layer, measured by
            magnitude where it depends on scores. Defaults to `"uniform"`.
        filters: Regex string, list of them, or callable(layer) -> bool. Defaults to all
            layers.
        inputs: Str. `"pruned"`: what a layer gets from the layers pruned before it.
            `"original"`: what it got at the beginning, in a single pass over the data.
            Defaults to `"pruned"`.
        damping: Float >= 0. Part of the mean of the Hessian's diagonal that is added to it.
            It holds back weights about which the data say little. Defaults to `1e-3`.
        batch_size: Int. Samples in a batch, where `data` are arrays. Defaults to `128`.

    Returns:
        A `kp.PruningReport`.

    Raises:
        ValueError: If an argument is wrong or nothing can be pruned. The model is then as it
            was.
    """
    granularity = _granularity(granularity)
    _check(method, granularity, inputs, damping)
    batches = batches_of(data, batch_size)
    reasons = reasons_to_skip(model, filters, unsupported)
    everything = find_weights(model)
    weights = [w for w, reason in zip(everything, reasons, strict=True) if not reason]
    layers = {id(weight.layer) for weight in weights}
    sizing = Pruner(
        sparsity,
        granularity=granularity,
        allocation=allocation,
        filters=lambda layer: id(layer) in layers,
    )
    with restored_on_error([v for weight in weights for v in parameters(weight.layer)]):
        targets = [_Target(*pair) for pair in shares(model, weights, sizing, _zeros)]
        _prune_targets(model, targets, batches, method, granularity, inputs, damping)
    unreached = {id(target.weight.variable) for target in targets if not target.called}
    for index, weight in enumerate(everything):
        if id(weight.variable) in unreached:
            reasons[index] = "the data never reach this layer"
    return explained(sizing.report(), reasons)


_RANKS = {"obs": sequential_ranks, "l-obs": single_scores, "feature": feature_ranks}


@dataclasses.dataclass(eq=False)
class _Target:
    """One kernel to prune. `sparsity` is its share; `called` turns false without any input."""

    weight: object
    sparsity: float
    called: bool = True


def _check(method, granularity, inputs, damping):
    for name, value, names in (
        ("method", method, ("obs", "l-obs", "feature")),
        ("inputs", inputs, ("pruned", "original")),
    ):
        if value not in names:
            raise ValueError(
                f"Invalid value for argument `{name}`. Expected one of {names}. "
                f"Received: {name}={value!r}"
            )
    if method != "l-obs" and not isinstance(granularity, Unstructured):
        raise ValueError(
            f'Method "{method}" removes single weights; whole units need method="l-obs". '
            f"Received: method={method!r}, granularity={granularity!r}"
        )
    number = isinstance(damping, (int, float)) and not isinstance(damping, bool)
    if not number or not 0.0 <= damping < np.inf:
        raise ValueError(f"Argument `damping` must be a number >= 0. Received: damping={damping!r}")


def _zeros(values):
    return 1.0 - np.count_nonzero(values) / values.size


def _prune_targets(model, targets, batches, method, granularity, inputs, damping):
    layers = [target.weight.layer for target in targets]
    if inputs == "original":
        hessians = iter(layer_hessians(model, layers, batches))
    else:
        hessians = (layer_hessians(model, [layer], batches)[0] for layer in layers)
    for target, hessian in zip(targets, hessians, strict=True):
        target.called = hessian is not None
        if target.called:
            hessian = hessian + damping * np.trace(hessian) / len(hessian) * np.eye(len(hessian))
            _prune_layer(model, target, hessian, method, granularity)


def _prune_layer(model, target, hessian, method, granularity):
    weight, layer = target.weight, target.weight.layer
    outputs = weight.shape[-1]
    kernel = weight.numpy().reshape(-1, outputs).astype(np.float64)  # (rows, outputs)
    bias = backend.to_numpy(layer.bias)[None].astype(np.float64) if layer.use_bias else kernel[:0]
    try:
        scores = _RANKS[method](np.concatenate([kernel, bias]), hessian, alive(kernel))
    except ValueError as error:
        raise ValueError(f"Layer {layer.name}: {error}") from None
    keep = select(model, weight, scores.reshape(weight.shape), target.sparsity, granularity)
    repaired = repair_columns(np.concatenate([kernel, bias]), hessian, keep.reshape(kernel.shape))
    weight.variable.assign(repaired[: len(kernel)].reshape(weight.shape))
    if layer.use_bias:
        layer.bias.assign(repaired[-1])
