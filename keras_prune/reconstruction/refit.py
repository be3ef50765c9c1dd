"""The values that make up best for units that are gone: least squares."""

import numpy as np


def factors(gram, cross, keep, damping=0.0):
    """One factor for every unit that stays, so that they add up to the target best.

    w minimizes ||y - sum of w_c P_c||^2 over the units that stay, w = (P^T P)^-1 P^T y, as in
    [ThiNet](https://arxiv.org/abs/1707.06342). What is solved for is its distance from 1, so
    that factors about which the data say nothing stay 1.

    Args:
        gram: Float array (units, units). P^T P for contributions P.
        cross: Float array (units,). P^T y for a target y.
        keep: Bool array (units,). True = stays.
        damping: Float >= 0. Part of the mean diagonal of P^T P that is added to it. Defaults to
            `0.0`.

    Returns:
        Float64 array (units,), 0 for those that are gone.
    """
    found = np.zeros(len(gram))
    inner = gram[np.ix_(keep, keep)]
    missing = cross[keep] - inner.sum(axis=1)
    found[keep] = 1.0 + _solve(inner, missing[:, None], damping)[:, 0]
    return found


def refit(inputs, kernel, target, keep, intercept, damping=0.0):
    """New values for the weights that stay, with an intercept, by least squares on all rows.

    W' minimizes ||Y - X W' - b||^2 among the matrices that are zero where `keep` is false. What is
    solved for is the distance from W: without anything to repair the weights stay as they are,
    and what the data say nothing about stays, too.

    Args:
        inputs: Float64 array X (rows, n).
        kernel: Float64 array W (n, outputs).
        target: Float64 array Y (rows, outputs).
        keep: Bool array (n, outputs).
        intercept: Bool. Whether there is a b; it is zero otherwise.
        damping: Float >= 0. Part of the mean diagonal of X^T X that is added to it, against
            large steps. Defaults to `0.0`.

    Returns:
        Float64 arrays (n, outputs), exactly zero where `keep` is false, and (outputs,).
    """
    fitted = np.where(keep, kernel, 0.0)
    missing = target - inputs @ fitted
    means = inputs.mean(axis=0) * intercept
    offset = missing.mean(axis=0) * intercept
    centered = inputs - means
    gram, cross = centered.T @ centered, centered.T @ (missing - offset)
    # Nearly always all outputs have the same inputs left, so that one system serves them all.
    patterns, owners = np.unique(keep, axis=1, return_inverse=True)
    for index, pattern in enumerate(patterns.T):
        columns = np.flatnonzero(owners.ravel() == index)
        inner, right = gram[np.ix_(pattern, pattern)], cross[np.ix_(pattern, columns)]
        step = _solve(inner, right, damping)
        fitted[np.ix_(pattern, columns)] += step
        offset[columns] -= means[pattern] @ step
    return fitted, offset


def _solve(gram, cross, damping):
    """The least solution where there are many; with damping there is one."""
    if not len(gram):
        return np.zeros_like(cross)
    ridge = damping * np.trace(gram) / len(gram)
    if ridge > 0.0:
        return np.linalg.solve(gram + ridge * np.eye(len(gram)), cross)
    return np.linalg.lstsq(gram, cross, rcond=None)[0]
