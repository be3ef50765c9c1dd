"""Exact thresholds between more numbers than memory holds."""

import math

import numpy as np

_BITS = 16
_BINS = 2**_BITS


def thresholds(parts, shares):
    """Find the numbers that given shares of some absolute values exceed.

    Of n values round(share n) = k are to exceed the threshold, the (k + 1)-th largest: as many
    do where no two are equal. The bit patterns of floats that are not negative rise with their
    values, so that counts of their upper 16 bits tell where a rank lies and counts of the lower
    16 bits, in a second reading, tell its value. NaN ranks above all.

    Args:
        parts: Callable() -> iterable of pairs (name, float32 array), the same at each call; a
            name comes many times.
        shares: Dict from these names to floats in [0, 1].

    Returns:
        Dict from the names to floats; 0 where all values are to pass.
    """
    upper = {name: np.zeros(_BINS, np.int64) for name in shares}
    for name, part in parts():
        upper[name] += np.bincount(_patterns(part) >> _BITS, minlength=_BINS)
    places, left, lower = {}, {}, {}
    for name, counts in upper.items():
        size = int(counts.sum())
        rank = math.floor(shares[name] * size + 0.5) + 1
        if rank <= size:
            places[name], left[name] = _find(counts, rank)
            lower[name] = np.zeros(_BINS, np.int64)
    for name, part in parts() if places else ():
        if name in places:
            patterns = _patterns(part)
            inside = patterns[patterns >> _BITS == places[name]] & (_BINS - 1)
            lower[name] += np.bincount(inside, minlength=_BINS)
    found = dict.fromkeys(shares, 0.0)
    for name, counts in lower.items():
        pattern = np.array(places[name] << _BITS | _find(counts, left[name])[0], np.uint32)
        found[name] = float(pattern.view(np.float32))
    return found


def _patterns(part):
    return np.abs(np.asarray(part, np.float32)).ravel().view(np.uint32)


def _find(counts, rank):
    """The bin that holds a rank, counted from above, and the rank within it."""
    reached = counts[::-1].cumsum()[::-1]  # values in this bin or above
    place = int(np.flatnonzero(reached >= rank)[-1])
    return place, rank - int(reached[place] - counts[place])
