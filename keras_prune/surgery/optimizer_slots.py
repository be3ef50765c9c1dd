"""A compiled copy, with what the optimizer remembers of the weights that stay."""

import warnings

import numpy as np

from keras_prune import backend
from keras_prune.optimizer_variables import averages, host, slots
from keras_prune.surgery.compiled_copy import compile_like


def carry_over(model, small, kept):
    """Compile a smaller copy of a model like the model, with the state of its optimizer.

    Args:
        model: Compiled `keras.Model`.
        small: `keras.Model`.
        kept: Dict from `id(variable)` of the model to (variable of the copy, dict from axes to
            bool arrays of what stays along them).
    """
    try:
        compile_like(small, model)
    except Exception as error:  # losses and metrics that Keras cannot save
        warnings.warn(
            "The smaller model is not compiled, because Keras cannot copy how the model was: "
            f"compile it yourself ({error}). Received: model={model.name}",
            stacklevel=4,
        )
        return
    old, new = model.optimizer, small.optimizer
    if old is None or not old.built:
        return
    for name in ("iterations", "_learning_rate"):
        source, target = (getattr(host(optimizer), name, None) for optimizer in (old, new))
        if hasattr(source, "assign") and hasattr(target, "assign"):
            target.assign(source.value)
    for variable in model.trainable_variables:
        target, axes = kept[id(variable)]
        sources = [*slots(old, variable), *_average(old, variable)]
        targets = [*slots(new, target), *_average(new, target)]
        for source, copy in zip(sources, targets, strict=True):
            # Factored moments lie along fewer axes than the weight; they begin anew.
            if source.shape == variable.shape:
                copy.assign(cut(backend.to_numpy(source), axes))


def _average(optimizer, variable):
    found = averages(optimizer).get(id(variable))
    return [] if found is None else [found]


def cut(array, axes):
    """An array without what does not stay along some axes.

    Args:
        array: Array.
        axes: Dict from axes to bool arrays of their lengths.

    Returns:
        Array.
    """
    for axis, stays in axes.items():
        array = np.compress(stays, array, axis=axis)
    return array
