"""One threshold over many layers, found with one layer in memory at a time."""

import functools

import numpy as np

from keras_prune.ranking import unit_count

_CHUNK = 1 << 18
# The upper halves of all float32 patterns, in the order of their floats.
_ASCENDING = np.concatenate([np.arange(0xFFFF, 0x7FFF, -1), np.arange(0x8000)])


def survivors(layers, sparsity):
    """How many scores of each layer stay when the lowest of all go.

    A histogram over the upper half of the scores' float32 patterns finds the interval that the
    threshold lies in; the scores inside it, a few in a thousand, tell the rest. The numbers are
    exact, for float64 too.

    Args:
        layers: Callable() -> iterator of float arrays (scores,), the same at every call.
        sparsity: Float in [0, 1). The fraction of all scores that go; one of them stays. Among
            equal scores those of earlier layers stay.

    Returns:
        Two int arrays (layers,): how many stay, and how many there are.
    """
    counts = np.zeros(1 << 16, np.int64)
    sizes = np.array(list(map(functools.partial(_count, counts), layers())))
    pruned = unit_count(sparsity * sizes.sum(), 1, sizes.sum())
    if pruned <= 0:
        return sizes, sizes
    ends = np.cumsum(counts[_ASCENDING])
    place = np.searchsorted(ends, pruned)
    pattern = _ASCENDING[place]
    inside = map(functools.partial(_split, *_interval(pattern)), layers())
    above, values, ties = zip(*inside, strict=True)
    return np.array(above) + _left(values, ties, pruned - ends[place] + counts[pattern]), sizes


def _count(counts, scores):
    """Add the float32 patterns' upper halves to a histogram; returns the number of scores."""
    rounded = _rounded(scores) + np.float32(0.0)  # -0.0 becomes 0.0, which it equals
    patterns = rounded.view(np.uint32)
    for start in range(0, patterns.size, _CHUNK):
        counts += np.bincount(patterns[start : start + _CHUNK] >> 16, minlength=counts.size)
    return scores.size


def _rounded(scores):
    with np.errstate(over="ignore"):
        return scores.astype(np.float32, copy=False)


def _interval(pattern):
    """The lowest and the highest float32 with that upper half."""
    edges = np.array([pattern << 16, pattern << 16 | 0xFFFF], np.uint32).view(np.float32)
    edges = edges[~np.isnan(edges)]  # beyond infinity stand NaNs
    return edges.min(initial=np.inf), edges.max(initial=-np.inf)


def _split(low, high, scores):
    """The number of scores above an interval, the values inside it and their numbers."""
    rounded = _rounded(scores)
    inside = scores[np.flatnonzero((rounded >= low) & (rounded <= high))]
    return np.count_nonzero(rounded > high), *np.unique(inside, return_counts=True)


def _left(values, ties, going):
    """How many of each layer stay when `going` of all go, the lowest values first.

    Args:
        values: List with one float array a layer.
        ties: List with one int array a layer. How many scores have each of the values.
        going: Int.
    """
    layers = np.repeat(np.arange(len(values)), [layer.size for layer in values])
    ties = np.concatenate(ties)
    _, places = np.unique(np.concatenate(values), return_inverse=True)
    ends = np.cumsum(np.bincount(places, ties))
    last = np.searchsorted(ends, going)  # the value at the threshold, of which some may stay
    if last == ends.size:  # the threshold is NaN, which is above nothing
        return np.zeros(len(values), int)

    def of_each(chosen):
        return np.bincount(layers, ties * chosen, len(values)).astype(np.int64)

    equal = of_each(places == last)
    earlier = np.cumsum(equal) - equal
    return of_each(places > last) + np.clip(ends[last] - going - earlier, 0, equal).astype(np.int64)
