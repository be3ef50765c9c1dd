"""Exact choices of the best: equal scores are told apart by their index.

Everything here is deterministic and takes one pass or two over its arrays; nothing is sorted but
ragged units.
"""

import numpy as np

_MANY = 8  # Ties are many from an eighth of all on.


def keep_best(scores, pruned):
    """Keep all but the `pruned` lowest scores. Among equal scores the lower index survives.

    Args:
        scores: Float array of any shape and memory layout.
        pruned: Int in [0, scores.size). How many go.

    Returns:
        Bool array of that shape and, where it has no gaps, that memory layout.
    """
    if pruned <= 0:
        return np.ones_like(scores, bool)
    threshold = _value_at(scores.ravel("K"), pruned - 1)
    keep = scores > threshold
    missing = scores.size - pruned - np.count_nonzero(keep)
    if missing:
        ties = np.flatnonzero(scores == threshold)[:missing]
        keep[np.unravel_index(ties, scores.shape)] = True
    return keep


def keep_units(scores, sizes, pruned_weights):
    """Keep the best units so that nearly `pruned_weights` weights go.

    Args:
        scores: Float array (units,).
        sizes: Int array (units,). Number of weights in each unit.
        pruned_weights: Float. How many weights to prune in all.

    Returns:
        Bool array (units,). Exact to half a unit; at least one unit is kept.
    """
    if sizes.min() == sizes.max():
        return keep_best(scores, unit_count(pruned_weights, sizes[0], scores.size))
    # Units at ragged edges are smaller. What is pruned already may do, to half a unit ...
    alive = scores > -np.inf
    if abs(sizes[~alive].sum() - pruned_weights) <= sizes.max() / 2:
        return alive
    # ... else take the cut whose running total comes nearest.
    keep = np.ones(scores.size, bool)
    order = scores.size - 1 - np.argsort(scores[::-1], kind="stable")
    totals = np.concatenate([[0], np.cumsum(sizes[order])[:-1]])
    keep[order[: np.argmin(np.abs(totals - pruned_weights))]] = False
    return keep


def unit_count(pruned_weights, size, units):
    """Int. How many of `units` units of one size go; one always stays."""
    return min(int(pruned_weights / size + 0.5), units - 1)


def _value_at(scores, rank):
    """The score that stands at `rank` when they are sorted."""
    lowest = scores.min()
    ties = np.count_nonzero(scores == lowest)
    # numpy's partition is a hundred times slower where many scores equal the lowest: weights that
    # are pruned already, weights without a gradient.
    while ties * _MANY > scores.size:
        if rank < ties:
            return lowest
        rank -= ties
        scores = scores[np.flatnonzero(scores > lowest)]
        lowest = scores.min()
        ties = np.count_nonzero(scores == lowest)
    return np.partition(scores, rank)[rank]
