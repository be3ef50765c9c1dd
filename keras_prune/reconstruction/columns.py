"""OBS on a kernel matrix whose columns share one Hessian."""

import numpy as np

from keras_prune.reconstruction.obs import inverse, obs_remove, obs_saliency, removal_order


def single_scores(matrix, hessian, keep):
    """The saliency of every weight, computed once.

    Args:
        matrix: Float array (n, outputs).
        hessian: Float array (n, n), shared by the columns.
        keep: Bool array (rows, outputs), rows <= n. The rows beyond are never removed.

    Returns:
        Float64 array (rows, outputs).
    """
    return obs_saliency(matrix, inverse(hessian))[: len(keep)]


def sequential_ranks(matrix, hessian, keep):
    """The position of every weight in the order in which sequential OBS removes them.

    Each column has its own order; the layer takes from the column whose next removal costs
    least. That merges the columns by the running maximum of their costs.

    Args:
        matrix: Float array (n, outputs).
        hessian: Float array (n, n), shared by the columns.
        keep: Bool array (rows, outputs), rows <= n. False where a weight is pruned already;
            the rows beyond are never removed.

    Returns:
        Float64 array (rows, outputs). Higher = removed later.
    """
    full = inverse(hessian)
    costs, steps = np.full(keep.shape, -np.inf), np.zeros(keep.shape, np.intp)
    bias = np.ones(len(matrix) - len(keep), bool)
    for column in range(keep.shape[1]):
        candidates = np.flatnonzero(keep[:, column])
        rows = np.concatenate([candidates, len(keep) + np.flatnonzero(bias)])
        own = full if len(rows) == len(full) else inverse(hessian[np.ix_(rows, rows)])
        order, losses = removal_order(matrix[rows, column], own, candidates.size)
        costs[candidates[order], column] = np.maximum.accumulate(losses)
        steps[candidates[order], column] = np.arange(candidates.size)
    return _merged(costs, steps)


def feature_ranks(matrix, hessian, keep):
    """The position of every weight in the order in which they go if the others stay as they are.

    Removing the set Q of a column costs w_Q^T H_QQ w_Q / 2: how much the outputs change. Each time
    the weight goes that adds least to it; with others it may even cancel out.

    Args:
        matrix: Float array (n, outputs).
        hessian: Float array (n, n), shared by the columns.
        keep: Bool array (rows, outputs), rows <= n. False where a weight is pruned already;
            the rows beyond are never removed.

    Returns:
        Float64 array (rows, outputs). Higher = removed later.
    """
    matrix, hessian = matrix[: len(keep)], hessian[: len(keep), : len(keep)]
    own, columns = 0.5 * np.diagonal(hessian)[:, None] * matrix**2, np.arange(keep.shape[1])
    slopes, left = np.zeros(keep.shape), keep.copy()  # slopes: H w_Q
    costs, steps = np.full(keep.shape, -np.inf), np.zeros(keep.shape, np.intp)
    highest = np.full(keep.shape[1], -np.inf)
    for step in range(len(keep)):
        changes = np.where(left, own + matrix * slopes, np.inf)
        rows = changes.argmin(axis=0)
        going = left[rows, columns]  # False in columns of which nothing is left
        rows, among = rows[going], columns[going]
        highest[among] = np.maximum(highest[among], changes[rows, among])
        costs[rows, among], steps[rows, among] = highest[among], step
        slopes[:, among] += hessian[:, rows] * matrix[rows, among]
        left[rows, among] = False
    return _merged(costs, steps)


def _merged(costs, steps):
    """Ranks from the running maxima of the costs in each column, and the steps in it."""
    ranks = np.empty(costs.size)
    ranks[np.lexsort((steps.ravel(), costs.ravel()))] = np.arange(costs.size)
    return ranks.reshape(costs.shape)


def repair_columns(matrix, hessian, keep):
    """Give the survivors of every column the values that minimize its quadratic loss.

    Args:
        matrix: Float array (n, outputs). Rows beyond those of `keep` are repaired, never removed.
        hessian: Float array (n, n), shared by the columns.
        keep: Bool array (rows, outputs), rows <= n.

    Returns:
        Float64 array (n, outputs), exactly zero where `keep` is false.
    """
    removed = np.zeros(matrix.shape, bool)
    removed[: len(keep)] = ~keep
    columns = [
        obs_remove(column, hessian, gone)[0]
        for column, gone in zip(matrix.T, removed.T, strict=True)
    ]
    return np.stack(columns, axis=1)
