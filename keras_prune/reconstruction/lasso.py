"""Which units to keep: the LASSO."""

import warnings

import numpy as np

_STEPS = 60  # of the bisection; they divide the interval down to rounding
_SMALLEST = 1e-8  # of the penalty at which the last unit goes


def select_by_lasso(gram, cross, count, required):
    """Keep the units to which the LASSO gives a factor other than zero.

    min over beta of ||y - sum of beta_c P_c||^2 / 2 + alpha ||beta||_1, where bisection finds the
    alpha that leaves `count` factors. Where no alpha does, as among units that are alike, the
    largest contributions decide. From
    [He, Zhang & Sun, 2017](https://arxiv.org/abs/1707.06168); as in their code, a factor of 1 is
    the unit as it was. The whole data stand in P^T P and P^T y: the problem has as many rows as
    units, and no sample is left out.

    Args:
        gram: Float array (units, units). P^T P for contributions P.
        cross: Float array (units,). P^T y for a target y.
        count: Int. How many units stay, those that must among them.
        required: Bool array (units,). True for those that stay.

    Returns:
        Bool array (units,). True = stays.

    Raises:
        ImportError: If scikit-learn is not installed.
    """
    norms = np.sqrt(np.maximum(np.diagonal(gram), 0.0))
    factors = _sparse_factors(gram, cross, count, required)
    sizes = np.where(required, np.inf, np.abs(factors) * norms)
    keep = np.zeros(len(gram), bool)
    keep[np.lexsort((norms, sizes))[len(gram) - count :]] = True
    return keep


def lasso():
    """The classes `Lasso` and `ConvergenceWarning` of scikit-learn.

    Raises:
        ImportError: If scikit-learn is not installed.
    """
    try:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import Lasso
    except ImportError:
        raise ImportError(
            'Method "lasso" needs the package `scikit-learn`. Install it with '
            '`pip install "keras-prune[search]"`, or take another method. Received: '
            "method='lasso'"
        ) from None
    return Lasso, ConvergenceWarning


def _sparse_factors(gram, cross, count, required):
    """The factors of the LASSO, `count` of them other than zero if that can be."""
    points, target = _square_root(gram, cross)
    highest = np.abs(points.T @ target).max(initial=0.0) / len(gram)
    if highest == 0.0:
        return np.zeros(len(gram))
    low, high = _SMALLEST * highest, highest
    kind, warning = lasso()
    # Each fit begins at zero, so that of channels that are alike one takes the factor of all.
    solver = kind(fit_intercept=False, max_iter=10_000, tol=1e-6)
    best = None
    for _ in range(_STEPS):
        solver.set_params(alpha=np.sqrt(low * high))
        with warnings.catch_warnings():
            # At low penalties it goes on for ever; which factors are zero is clear before.
            warnings.simplefilter("ignore", warning)
            factors = solver.fit(points, target).coef_.copy()
        stay = np.count_nonzero((factors != 0.0) | required)
        if stay >= count:
            best = factors
        if stay == count:
            break
        low, high = (solver.alpha, high) if stay > count else (low, solver.alpha)
    return factors if best is None else best


def _square_root(gram, cross):
    """A matrix R and a vector z with R^T R = gram and R^T z = cross, as far as R reaches."""
    values, vectors = np.linalg.eigh(gram)
    roots = np.sqrt(np.maximum(values, 0.0))
    known = values > 1e-12 * max(values[-1], 0.0)
    rotated = vectors.T @ cross
    target = np.divide(rotated, roots, out=np.zeros_like(roots), where=known)
    return roots[:, None] * vectors.T, target
