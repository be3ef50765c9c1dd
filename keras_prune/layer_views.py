"""Scores and masks of many kernels as granularities see them, one kernel at a time."""

import collections.abc


class LazyScores(collections.abc.Sequence):
    """The scores of many kernels, of which none is kept: each is computed when it is asked for.

    Args:
        score: Callable(weight) -> float array. Must give the same whenever it is called.
        weights: List of `PrunableWeight`.
    """

    def __init__(self, score, weights):
        self._score = score
        self._weights = weights

    def __len__(self):
        return len(self._weights)

    def __getitem__(self, index):
        return self._score(self._weights[index])


class LayerViews(collections.abc.Sequence):
    """One pair (scores, alive) a kernel, in the view that a granularity takes.

    Args:
        weights: List of `PrunableWeight`.
        scores: Sequence of float arrays of the shapes of the variables.
        keep: Sequence of bool arrays of those shapes. False = pruned already.
        full: Bool. Whether the views are full, see `PrunableWeight`.
    """

    def __init__(self, weights, scores, keep, full):
        self._weights = weights
        self._scores = scores
        self._keep = keep
        self._full = full

    def __len__(self):
        return len(self._weights)

    def __getitem__(self, index):
        weight = self._weights[index]
        scores, keep = self._scores[index], self._keep[index]
        return weight.to_view(scores, self._full), weight.to_view(keep, self._full)


def view_shape(weight, granularity):
    """Tuple of ints. The shape in which a granularity sees a kernel."""
    return weight.full_view_shape if granularity.full_view else weight.view_shape


def choose(weights, scores, alive, granularity, allocation, sparsity):
    """Choose the weights to keep: how much of each layer, then which units.

    Args:
        weights: List of `PrunableWeight`.
        scores: Sequence of float arrays of the shapes of the weights. Higher = keep.
        alive: Sequence of bool arrays of these shapes. False where a weight is already pruned.
        granularity: `Granularity`.
        allocation: `Allocation`.
        sparsity: Float in [0, 1).

    Returns:
        Tuple (amounts, masks): the list of the fraction to prune of each weight, and an
        iterator over bool arrays of the shapes of the weights, each computed when it is read.
    """
    views = LayerViews(weights, scores, alive, granularity.full_view)
    amounts = allocation.amounts(views, granularity, sparsity, weights)
    pairs = zip(weights, views, amounts, strict=True)
    return amounts, (_masked(*each, granularity) for each in pairs)


def _masked(weight, view, amount, granularity):
    shape = granularity.of(weight)
    return weight.from_view(shape.select(*view, granularity.amount(weight, amount)))


def shapes_of(granularity, views, weights):
    """The granularity of every kernel.

    Args:
        granularity: `Granularity`.
        views: Sequence with one entry a kernel.
        weights: List of `PrunableWeight`, or `None` where the kernels are not known.

    Returns:
        List of `Granularity`.
    """
    if weights is None:
        return [granularity] * len(views)
    return [granularity.of(weight) for weight in weights]
