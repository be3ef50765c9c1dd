"""Select with the pruner, repair afterwards: what the methods of this package share."""

import contextlib
import dataclasses

import keras
import numpy as np

from keras_prune.criteria import Criterion
from keras_prune.pruner import Pruner
from keras_prune.pruning_report import PruningReport
from keras_prune.weights import find_weights


class Scores(Criterion):
    """Scores that are known already.

    Args:
        scores: Dict from the id of a variable to a float array of its shape. (Paths need not be
            unique.)
    """

    def __init__(self, scores):
        self.given = scores

    def score(self, weight):
        return self.given[id(weight.variable)]

    def __repr__(self):
        return f"Scores(of {len(self.given)} weights)"


def reasons_to_skip(model, filters, unsupported):
    """Why each kernel must be left alone.

    Args:
        model: Built `keras.Model`.
        filters: As `find_weights` takes them.
        unsupported: Callable(layer). Returns a reason of one's own, or `None`.

    Returns:
        List with a string or `None` for each kernel that `find_weights` lists.

    Raises:
        ValueError: If every kernel must be left alone.
    """
    weights = find_weights(model, filters)
    reasons = [weight.skip or unsupported(weight.layer) for weight in weights]
    if all(reasons):
        named = {weight.path: reason for weight, reason in zip(weights, reasons, strict=True)}
        raise ValueError(f"The model has no weight that can be pruned. Received: {named}")
    return reasons


def parameters(layer):
    """List of the variables of a layer that a repair changes."""
    return [layer.kernel, layer.bias] if layer.use_bias else [layer.kernel]


def shares(model, weights, sizing, measure):
    """How much of each kernel, as one-shot pruning would take; changes nothing.

    Args:
        model: Built `keras.Model`.
        weights: List of `PrunableWeight`.
        sizing: `Pruner`, which prunes no kernel but these.
        measure: Callable(array of a kernel's shape) -> float, the share that is pruned.

    Returns:
        List of pairs (weight, share), without the weights that `sizing` skips.
    """
    before = [np.array(weight.numpy()) for weight in weights]
    report = sizing.prune(model)
    taken = {
        id(weight.variable)
        for weight, line in zip(sizing.weights, report.weights, strict=True)
        if line.skip is None
    }
    pairs = [(w, measure(w.numpy())) for w in weights if id(w.variable) in taken]
    for weight, value in zip(weights, before, strict=True):
        weight.variable.assign(value)
    return pairs


def explained(report, reasons):
    """A pruner's report with the true reasons to skip.

    Args:
        report: `PruningReport`.
        reasons: List with a string or `None` for each line.

    Returns:
        A `PruningReport`.
    """
    lines = [
        dataclasses.replace(line, skip=reason, granularity=None, asked=None) if reason else line
        for line, reason in zip(report.weights, reasons, strict=True)
    ]
    return PruningReport(tuple(lines), report.asked)


@contextlib.contextmanager
def restored_on_error(variables):
    """Context that gives variables their values back when it is left by an exception."""
    # Copies: on torch the arrays share the memory of the variables.
    values = [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]
    try:
        yield
    except BaseException:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        raise


def select(model, weight, scores, sparsity, granularity):
    """Set the weights of one kernel with the lowest scores to zero.

    Args:
        model: Built `keras.Model`.
        weight: `PrunableWeight`.
        scores: Float array of the weight's shape. Higher = keep.
        sparsity: Float in [0, 1).
        granularity: `Granularity`.

    Returns:
        Bool array of the weight's shape. True = kept.
    """
    sparsity = sparsity if granularity.sparsity is None else None
    pruner = Pruner(
        sparsity,
        criterion=Scores({id(weight.variable): scores}),
        granularity=granularity,
        filters=lambda layer: layer is weight.layer,
    )
    pruner.prune(model)
    return pruner.store.keep[0]


def alive(weights):
    """Bool array: what is not pruned yet. All, where an array is zero throughout."""
    nonzero = weights != 0.0
    return nonzero if nonzero.any() else np.ones_like(nonzero)
