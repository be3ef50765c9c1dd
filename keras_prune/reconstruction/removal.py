"""Which units to remove so that a sum over all units changes least."""

import itertools
import math

import numpy as np

_SETS = 100_000  # sets that are tried one by one, at most
_CHUNK = 4096


def choose_removal(contributions, count, target=None, method="auto"):
    """Choose the units whose removal changes what all of them add up to the least.

    A unit is whatever adds to an output: the weight w_i of an input x_i with x_i w_i, a channel
    with its share of a convolution. Feature-based pruning looks at f(x; W) - f(x; W_P), and so
    does [ThiNet](https://arxiv.org/abs/1707.06342): the removed set T has the smallest
    ||sum over T of contributions||^2, without any change of the others. Units may cancel out, so
    the smallest ones are not the best to remove. The greedy choice is the best for a single unit
    and for orthogonal contributions, and not in general.

    Example:

    ```python
    contributions = [[1.0, 2.0, -2.0, 3.0]]
    removed, error = kp.choose_removal(contributions, 2)  # [1, 2], 0.0
    removed, error = kp.choose_removal(contributions, 2, method="greedy")  # [0, 2], 1.0
    ```

    Args:
        contributions: Float array (samples, units).
        count: Int in [0, units]. How many units go.
        target: Float array (samples,). What the units that stay should add up to. Defaults to
            the sum of all.
        method: Str. `"greedy"`: one unit after the other. `"brute"`: the best of all sets.
            `"auto"`: `"brute"` up to 100,000 sets, else `"greedy"`. Defaults to `"auto"`.

    Returns:
        Int array (count,) of units, in the order of removal if greedy, and the sum of squares of
        what is missing without them.

    Raises:
        ValueError: If an argument is wrong, or there are too many sets to try.
    """
    contributions, target = _checked(contributions, count, target, method)
    units = contributions.shape[1]
    if method == "auto":
        method = "brute" if math.comb(units, count) <= _SETS else "greedy"
    remove = greedy_removal if method == "greedy" else brute_removal
    lost = target - contributions.sum(axis=1)
    slope = contributions.T @ lost
    removed = remove(contributions.T @ contributions, slope, count, np.zeros(units, bool))
    missing = lost + contributions[:, removed].sum(axis=1)
    return removed, float(missing @ missing)


def _checked(contributions, count, target, method):
    contributions = np.asarray(contributions, np.float64)
    if contributions.ndim != 2 or not np.isfinite(contributions).all():
        raise ValueError(
            "Argument `contributions` must be a finite array (samples, units). "
            f"Received: shape={contributions.shape}"
        )
    samples, units = contributions.shape
    target = contributions.sum(axis=1) if target is None else np.asarray(target, np.float64)
    if target.shape != (samples,) or not np.isfinite(target).all():
        raise ValueError(
            f"Argument `target` must be a finite array ({samples},). Received: {target.shape}"
        )
    number = isinstance(count, (int, np.integer)) and not isinstance(count, bool)
    if not number or not 0 <= count <= units:
        raise ValueError(
            f"Argument `count` must be an int in [0, {units}]. Received: count={count!r}"
        )
    if method not in ("auto", "greedy", "brute"):
        raise ValueError(
            f'Argument `method` must be "auto", "greedy" or "brute". Received: method={method!r}'
        )
    return contributions, target


def greedy_removal(gram, slope, count, required):
    """Remove one unit after the other, each time the one that adds least to the error.

    Args:
        gram: Float array (units, units). P^T P for contributions P.
        slope: Float array (units,). P^T r, where r is what is missing already.
        count: Int. How many units go.
        required: Bool array (units,). True for those that stay.

    Returns:
        Int array (count,), in the order of removal.
    """
    squares, slope, gone = np.diagonal(gram), np.array(slope, np.float64), required.copy()
    removed = np.empty(count, np.intp)
    for step in range(count):
        unit = np.where(gone, np.inf, squares + 2.0 * slope).argmin()
        removed[step], gone[unit] = unit, True
        slope += gram[unit]
    return removed


def brute_removal(gram, slope, count, required):
    """Try all sets; of equal ones the first in lexicographic order goes.

    Args:
        gram: Float array (units, units). P^T P for contributions P.
        slope: Float array (units,). P^T r, where r is what is missing already.
        count: Int. How many units go.
        required: Bool array (units,). True for those that stay.

    Returns:
        Int array (count,), ascending.

    Raises:
        ValueError: If there are too many sets.
    """
    units = np.flatnonzero(~required)
    sets = math.comb(units.size, count)
    if sets > _SETS:
        raise ValueError(
            f'Method "brute" tries at most {_SETS:,} sets: take "greedy". Received: {count} of '
            f"{units.size} units, which makes {sets:.3g} sets"
        )
    best, lowest = units[:count], np.inf
    candidates = itertools.combinations(units, count)
    while chunk := list(itertools.islice(candidates, _CHUNK)):
        members = np.zeros((len(chunk), len(gram)))
        chunk = np.array(chunk, np.intp).reshape(len(chunk), count)
        np.put_along_axis(members, chunk, 1.0, axis=1)
        errors = ((members @ gram) * members).sum(axis=1) + 2.0 * members @ slope
        if errors.min() < lowest:
            best, lowest = chunk[errors.argmin()], errors.min()
    return best
