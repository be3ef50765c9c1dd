"""Optimal Brain Surgeon on an explicit Hessian: which weights go, and how the rest make up.

All functions see the quadratic loss 1/2 dw^T H dw around the given weights.
"""

import numpy as np

# Removals between two updates of the whole inverse: one matrix product does them all.
_BLOCK = 128


def inverse(hessian, damping=0.0):
    """Invert a Hessian.

    Args:
        hessian: Float array (n, n), symmetric and positive semidefinite.
        damping: Float >= 0. What is added to the diagonal. Defaults to `0.0`.

    Returns:
        Float64 array (n, n), symmetric.

    Raises:
        ValueError: If the damped Hessian is not positive definite.
    """
    hessian = np.asarray(hessian, np.float64) + damping * np.eye(len(hessian))
    if not np.isfinite(hessian).all():
        raise ValueError(
            "The Hessian holds values that are not finite. "
            f"Received: shape={hessian.shape}, damping={damping}"
        )
    try:
        factor = np.linalg.inv(np.linalg.cholesky(hessian))
    except np.linalg.LinAlgError:
        raise ValueError(
            "The Hessian is not positive definite: use a larger `damping`, or more data. "
            f"Received: shape={hessian.shape}, damping={damping}"
        ) from None
    return factor.T @ factor


def obs_saliency(weights, inverse_hessian):
    """What removing each weight alone costs, L_q = w_q^2 / (2 [H^-1]_qq).

    [Hassibi & Stork, 1993](https://proceedings.neurips.cc/paper/1992/hash/303ed4c69846ab36c2904d3ba8573050-Abstract.html).

    Args:
        weights: Float array (n, ...). Every column stands for a problem of its own.
        inverse_hessian: Float array (n, n), shared by the columns.

    Returns:
        Float64 array of the shape of `weights`.
    """
    diagonal = np.diagonal(inverse_hessian).reshape(-1, *[1] * (np.ndim(weights) - 1))
    return np.square(weights, dtype=np.float64) / (2.0 * diagonal)


def obs_remove(weights, hessian, remove):
    """Remove a set of weights together and let the others make up for it.

    The survivors K minimize the quadratic loss under w_Q = 0:
    dw_K = H_KK^-1 H_KQ w_Q, which is -H^-1[:, Q] (H^-1_QQ)^-1 w_Q without any inverse.
    The zeros are exact. (The sum of the updates for single weights would not make zeros.)

    Example:

    ```python
    weights, increase = kp.obs_remove([1.0, 2.0], [[2.0, 1.0], [1.0, 2.0]], [0])
    # [0.0, 2.5], 0.75
    ```

    Args:
        weights: Float array (n,).
        hessian: Float array (n, n), positive definite on the survivors.
        remove: Bool array (n,) or sequence of indices. The set Q.

    Returns:
        The new weights, float64 array (n,), and the increase of the loss.

    Raises:
        ValueError: If the shapes do not match or the survivors' Hessian is singular.
    """
    weights, hessian = _checked(weights, hessian)
    gone = np.zeros(weights.size, bool)
    gone[np.asarray(remove)] = True
    change = np.where(gone, -weights, 0.0)
    kept = ~gone
    if kept.any():
        try:
            repair = np.linalg.solve(hessian[np.ix_(kept, kept)], hessian[kept] @ change)
        except np.linalg.LinAlgError:
            raise ValueError(
                "The Hessian of the surviving weights is singular: add damping to it. "
                f"Received: shape={hessian.shape}, {np.count_nonzero(kept)} survivors"
            ) from None
        change[kept] = -repair
    return np.where(gone, 0.0, weights + change), 0.5 * change @ hessian @ change


def obs_prune(weights, hessian, count):
    """Remove weights one after the other, each time the one that costs least.

    After every removal the survivors are repaired and the inverse Hessian loses the row and
    column of the weight that went: H^-1 <- H^-1 - H^-1 e_q e_q^T H^-1 / [H^-1]_qq. From
    [Hassibi & Stork, 1993](https://proceedings.neurips.cc/paper/1992/hash/303ed4c69846ab36c2904d3ba8573050-Abstract.html).

    Example:

    ```python
    weights, order = kp.obs_prune([1.0, 2.0], [[2.0, 1.0], [1.0, 2.0]], 1)
    # [0.0, 2.5], [0]
    ```

    Args:
        weights: Float array (n,).
        hessian: Float array (n, n), positive definite.
        count: Int in [0, n]. How many weights to remove.

    Returns:
        The new weights, float64 array (n,) with exact zeros, and the removed indices in
        their order.

    Raises:
        ValueError: If the shapes do not match, `count` is none, or the Hessian is not
            positive definite.
    """
    weights, hessian = _checked(weights, hessian)
    if not isinstance(count, (int, np.integer)) or not 0 <= count <= weights.size:
        raise ValueError(
            f"Argument `count` must be an int in [0, {weights.size}]. Received: count={count}"
        )
    order, _ = removal_order(weights, inverse(hessian))
    removed = order[:count]
    return obs_remove(weights, hessian, removed)[0], removed


def removal_order(weights, inverse_hessian, prunable=None):
    """The order in which sequential OBS removes weights, and what each removal costs.

    The inverse is updated in blocks: within a block only the rows that are needed are
    brought up to date (as in a pivoted Cholesky factorization), then one matrix product
    updates the survivors and the removed rows are dropped. About 2/3 n^3 operations.

    Args:
        weights: Float array (n,).
        inverse_hessian: Float64 array (n, n).
        prunable: Int or `None`. Only the first `prunable` weights are candidates; the
            others (a bias) are repaired and stay. Defaults to all.

    Returns:
        Int array (prunable,) of indices in the order of removal, and a float64 array
        (prunable,) with the increase of the loss at each.
    """
    prunable = len(weights) if prunable is None else prunable
    weights = np.array(weights, np.float64)
    left = np.arange(len(weights))
    order, losses = np.empty(prunable, np.intp), np.empty(prunable)
    done = 0
    while done < prunable:
        steps = min(_BLOCK, prunable - done)
        candidates = prunable - done
        picked, losses[done : done + steps], rows = _remove_block(
            weights, inverse_hessian, candidates, steps
        )
        order[done : done + steps] = left[picked]
        done += steps
        survivors = np.delete(np.arange(left.size), picked)
        left, weights = left[survivors], weights[survivors]
        rows = rows[:, survivors]
        inverse_hessian = inverse_hessian.take(survivors, 0).take(survivors, 1) - rows.T @ rows
    return order, losses


def _remove_block(weights, inverse_hessian, candidates, steps):
    """Remove `steps` of the first `candidates` weights; repairs `weights` in place.

    Returns the picked indices, the losses and the rows R (steps, n) by which the inverse
    Hessian shrinks to H^-1 - R^T R.
    """
    diagonal = np.diagonal(inverse_hessian).copy()
    rows = np.empty((steps, weights.size))
    picked, losses = np.empty(steps, np.intp), np.empty(steps)
    scores = np.empty(candidates)
    for step in range(steps):
        np.square(weights[:candidates], out=scores)
        scores /= diagonal[:candidates]
        scores[picked[:step]] = np.inf
        index = scores.argmin()
        picked[step], losses[step] = index, 0.5 * scores[index]
        row = inverse_hessian[index] - rows[:step, index] @ rows[:step]
        row /= np.sqrt(row[index])
        weights -= (weights[index] / row[index]) * row
        diagonal -= row * row
        diagonal[index] = 1.0  # never read again, but must not divide by zero
        rows[step] = row
    return picked, losses, rows


def _checked(weights, hessian):
    weights, hessian = np.asarray(weights, np.float64), np.asarray(hessian, np.float64)
    if weights.ndim != 1 or hessian.shape != (weights.size, weights.size):
        raise ValueError(
            "Expected `weights` of shape (n,) and a `hessian` of shape (n, n). "
            f"Received: shapes {weights.shape} and {hessian.shape}"
        )
    return weights, hessian
