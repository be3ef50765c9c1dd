"""Which units to keep: orthogonal matching pursuit."""

import numpy as np


def pursue(gram, cross, count, required):
    """Take in one unit after the other, each time the one that explains most of what is left.

    Orthogonal matching pursuit: the next unit j minimizes ||r - w P_j|| over w, where r is what
    the units so far leave of the target with the best factors of theirs. As in the published
    code of [ThiNet](https://arxiv.org/abs/1707.06342).

    Args:
        gram: Float array (units, units). P^T P for contributions P.
        cross: Float array (units,). P^T y for a target y.
        count: Int. How many units stay, those that must among them.
        required: Bool array (units,). True for those that stay.

    Returns:
        Bool array (units,). True = stays.
    """
    squares = np.diagonal(gram)
    left, pivots = np.array(cross, np.float64), np.array(squares, np.float64)
    rows, keep = np.empty((count, len(gram))), np.zeros(len(gram), bool)
    first = list(np.flatnonzero(required))
    for step in range(count):
        gains = np.divide(left**2, squares, out=np.zeros_like(left), where=squares > 0.0)
        unit = first[step] if step < len(first) else np.where(keep, -1.0, gains).argmax()
        keep[unit] = True
        # A row of the Cholesky factor; a unit that others explain already adds nothing.
        row = gram[unit] - rows[:step, unit] @ rows[:step]
        independent = pivots[unit] > 1e-12 * squares[unit]
        rows[step] = row / np.sqrt(pivots[unit]) if independent else 0.0
        left -= rows[step] * (left[unit] / np.sqrt(pivots[unit]) if independent else 0.0)
        pivots -= rows[step] ** 2
    return keep
