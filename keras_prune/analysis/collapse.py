"""Layer collapse: kernels that no signal passes any more."""

import numpy as np

from keras_prune.analysis.connectivity import NO_WEIGHT, effective_sparsity
from keras_prune.weights import find_weights

_TRACEABLE = 10_000_000  # weights


def layer_collapse(model, masks=None, input_shape=None):
    """Find the kernels that no signal passes any more.

    Where a kernel has lost all its weights, or those that are left connect nothing, the layer
    puts out a constant, and so does every layer that depends on it alone: the network can no
    longer be trained.

    Reference: Tanaka et al., [Pruning neural networks without any data by iteratively
    conserving synaptic flow](https://arxiv.org/abs/2006.05467).

    Example:

    ```python
    for path, reason in kp.layer_collapse(model).items():
        print(path, reason)
    ```

    Args:
        model: Built `keras.Model`.
        masks: Dict from paths of kernels to bool arrays, see `kp.effective_sparsity`. Defaults
            to `None`.
        input_shape: Tuple of ints, see `kp.effective_sparsity`. Defaults to the model's own
            input shape.

    Returns:
        Dict from the path of each collapsed kernel to the reason. Empty where a signal passes
        them all.

    Raises:
        ValueError: As `kp.effective_sparsity`.
    """
    return effective_sparsity(model, masks, input_shape).collapsed


def collapse_after_pruning(model, weights, keep):
    """The kernels that were pruned and that hardly a signal passes, for `PruningReport`.

    Kernels that were not pruned are left out: they may be zero for reasons of their own. All is
    well if no kernel is thin: one that has lost units and has no more weights left than units.
    Else signals are traced through the model. With more than ten million weights, where that takes
    seconds and several times their memory, the thin kernels themselves are told, and so are
    those without any weight in a model that cannot be run.

    Args:
        model: Built `keras.Model`.
        weights: List of `PrunableWeight` that were pruned.
        keep: Sequence of bool arrays, one for each, False = pruned. Read one at a time.

    Returns:
        Tuple of pairs (path, reason).
    """
    thin = [index for index, weight in enumerate(weights) if not _is_sound(weight, keep[index])]
    if thin and sum(weight.size for weight in weights) > _TRACEABLE:
        return tuple((weights[i].path, _remains(keep[i])) for i in thin)
    if not thin:
        return ()
    masks = {weight.path: mask for weight, mask in zip(weights, keep, strict=True)}
    others = {w.path: np.ones(w.shape, bool) for w in find_weights(model) if not w.numpy().any()}
    try:
        found = layer_collapse(model, {**others, **masks})
    except ValueError:  # a size of the input is open, or the model does not know its own
        found = {path: NO_WEIGHT for path, mask in masks.items() if not mask.any()}
    return tuple((path, reason) for path, reason in found.items() if path in masks)


def _remains(keep):
    left = np.count_nonzero(keep)
    return f"{left:,} of its {keep.size:,} weights are left" if left else NO_WEIGHT


def _is_sound(weight, keep):
    """True if a kernel has more weights left than units, or all its units are fed and heard."""
    view = weight.to_view(keep, full=True)  # (groups, outputs, *window, inputs)
    groups, outputs, *_, inputs = view.shape
    if np.count_nonzero(keep) > groups * min(outputs, inputs):
        return True
    fed = view.any(axis=tuple(range(2, view.ndim)))
    heard = view.any(axis=tuple(range(1, view.ndim - 1)))
    return fed.all() and heard.all()
