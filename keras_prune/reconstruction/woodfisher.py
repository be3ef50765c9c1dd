"""WoodFisher: OBS on the loss itself, with the empirical Fisher for its Hessian."""

import keras
import numpy as np

from keras_prune import backend
from keras_prune.probes import Probe
from keras_prune.pruner import Pruner
from keras_prune.reconstruction.batches import batches_of
from keras_prune.reconstruction.fisher import InverseFisher
from keras_prune.reconstruction.selection import Scores, alive, reasons_to_skip, restored_on_error
from keras_prune.weights import find_weights


def prune_woodfisher(
    model,
    sparsity,
    data,
    loss=None,
    granularity="unstructured",
    allocation="global",
    filters=None,
    damping=1e-3,
    block_size=64,
    batch_size=1,
):
    """Prune in one shot by what the loss says, and let the survivors make up for the rest.

    The Hessian of the loss is replaced by the empirical Fisher matrix
    F = damping I + 1/N sum_n g_n g_n^T of N gradients, in blocks along the diagonal. Weights
    are ranked by w_q^2 / (2 [F^-1]_qq) and removed jointly, so that the zeros are exact (the
    paper adds up single updates). From
    [Singh & Alistarh, 2020](https://arxiv.org/abs/2004.14340). The scores are changes of one
    loss, so they compare between layers.

    All kernels that `kp.prune` handles are pruned. Memory: 8 * block_size bytes a weight.
    Time: a backward pass for each of the N gradients, and the update of all blocks.

    Example:

    ```python
    report = kp.prune_woodfisher(model, 0.9, (x_train[:500], y_train[:500]))
    ```

    Args:
        model: Built `keras.Model`. Its weights change in place.
        sparsity: Float in [0, 1), or `None` for what the granularity fixes.
        data: Samples with targets: a tuple (x, y) of arrays, or an iterable of batches
            (x, y). Each batch gives one gradient; a few hundred do.
        loss: Str or callable(y_true, y_pred). Defaults to the loss that the model is
            compiled with.
        granularity: Str or object, see `kp.Pruner`. Defaults to `"unstructured"`.
        allocation: Str or object, see `kp.Pruner`. Defaults to `"global"`.
        filters: Regex string, list of them, or callable(layer) -> bool. Defaults to all
            layers.
        damping: Float > 0. Where it is far above the squares of the gradients, the weights
            are ranked by magnitude. Defaults to `1e-3`.
        block_size: Int. Weights in a block; blocks lie within one output unit.
            Defaults to `64`.
        batch_size: Int. Samples whose mean makes one gradient, where `data` are arrays.
            Defaults to `1`.

    Returns:
        A `kp.PruningReport`.

    Raises:
        ValueError: If an argument is wrong or nothing can be pruned. The model is then as it
            was.
    """
    _check(damping, block_size)
    loss = _loss(model, loss)
    batches = batches_of(data, batch_size)
    if any(y is None for _, y in batches):
        raise ValueError("WoodFisher needs targets: pass data=(x, y). Received: data without y")
    reasons = reasons_to_skip(model, filters, lambda layer: None)
    weights = [w for w, reason in zip(find_weights(model), reasons, strict=True) if not reason]
    before = [_rows(weight, np.array(weight.numpy())) for weight in weights]
    inverses = _inverses(model, weights, batches, loss, damping, block_size)
    scores = {
        id(weight.variable): _array(weight, inverse.saliency(rows))
        for weight, inverse, rows in zip(weights, inverses, before, strict=True)
    }
    pruner = Pruner(sparsity, Scores(scores), granularity, allocation, filters=filters)
    with restored_on_error([weight.variable for weight in weights]):
        pruner.prune(model)
        for weight, inverse, rows in zip(weights, inverses, before, strict=True):
            keep = _rows(weight, alive(weight.numpy()))
            weight.variable.assign(_array(weight, inverse.repair(rows, keep)))
    return pruner.report()


def _check(damping, block_size):
    number = isinstance(damping, (int, float)) and not isinstance(damping, bool)
    if not number or not 0.0 < damping < np.inf:
        raise ValueError(f"Argument `damping` must be a number > 0. Received: damping={damping!r}")
    if not isinstance(block_size, int) or isinstance(block_size, bool) or block_size < 1:
        raise ValueError(
            f"Argument `block_size` must be an int >= 1. Received: block_size={block_size!r}"
        )


def _loss(model, loss):
    loss = getattr(model, "loss", None) if loss is None else loss
    if isinstance(loss, str):
        loss = keras.losses.get(loss)
    if not callable(loss):
        raise ValueError(
            "Argument `loss` must be a loss of one output, or the model compiled with one. "
            f"Received: loss={loss!r}"
        )
    return loss


def _inverses(model, weights, batches, loss, damping, block_size):
    """The inverse Fisher matrix of every kernel; what is pruned already has no gradient."""
    backend.sync_state(model)
    alive_rows = [_rows(weight, alive(weight.numpy())) for weight in weights]
    inverses = [
        InverseFisher(*rows.shape, block_size, len(batches), damping) for rows in alive_rows
    ]
    probe = Probe(model, batches, loss)
    for x, y in batches:
        gradients = probe.gradients(weights, batches=[(x, y, None)])
        for weight, inverse, keep, gradient in zip(
            weights, inverses, alive_rows, gradients, strict=True
        ):
            inverse.update(np.where(keep, _rows(weight, gradient), 0.0))
    return inverses


def _rows(weight, array):
    """Array of the variable's shape -> array (outputs, positions * inputs)."""
    return weight.to_view(array).reshape(weight.view_shape[0], -1)


def _array(weight, rows):
    """Array (outputs, positions * inputs) -> array of the variable's shape."""
    return weight.from_view(rows.reshape(weight.view_shape))
