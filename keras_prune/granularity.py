"""The shape that lives or dies: single weights, blocks, n of every m.

A granularity sees scores as an array (outputs, positions, inputs), see `weights.py`, and
answers with a boolean array of that shape: True = keep.
"""

import re

import numpy as np

from keras_prune.registry import Configurable, Registry

GRANULARITIES = Registry("granularity", also=("1x4", "2:4"))


class Granularity(Configurable):
    """Base class: pools the scores of weights into units and decides on whole units.

    Subclasses write `pool` and `expand`, or `select` where units compete only locally.

    Attributes:
        sparsity: Float or `None`. The sparsity that the shape itself fixes, if it does.
    """

    sparsity = None

    def pool(self, scores, alive):
        """Score the units.

        Args:
            scores: Float array (outputs, positions, inputs). Higher = keep.
            alive: Bool array of that shape. False where a weight is already pruned.

        Returns:
            Two arrays of one shape: the units' scores (mean over their weights, `-inf`
            where all are pruned already) and their number of weights.
        """
        raise NotImplementedError(f"`{type(self).__name__}` must implement `pool`.")

    def expand(self, keep, shape):
        """Spread decisions on units back to weights.

        Args:
            keep: Bool array, one value a unit, as `pool` shaped it.
            shape: Tuple (outputs, positions, inputs).

        Returns:
            Bool array of shape `shape`.
        """
        raise NotImplementedError(f"`{type(self).__name__}` must implement `expand`.")

    def select(self, scores, alive, sparsity):
        """Choose the weights to keep.

        The fraction of pruned weights is the nearest to `sparsity` that whole units allow.
        Among equal scores the lower index survives. One unit always survives: a layer
        without any weight would cut the network.

        Args:
            scores: Float array (outputs, positions, inputs). Higher = keep.
            alive: Bool array of that shape. False where a weight is already pruned.
            sparsity: Float in [0, 1).

        Returns:
            Bool array of that shape, False where `alive` is.
        """
        pooled, sizes = self.pool(scores, alive)
        keep = keep_units(pooled.ravel(), sizes.ravel(), sparsity * scores.size)
        return self.expand(keep.reshape(pooled.shape), scores.shape) & alive

    def skip(self, shape):
        """Why a kernel of shape (outputs, positions, inputs) cannot take this shape, or `None`."""
        del shape
        return None

    def slack(self, shape):
        """Weights by which whole units may miss the sparsity of a kernel of that shape."""
        del shape
        return 1


GRANULARITIES.base = Granularity


def keep_units(scores, sizes, pruned_weights):
    """Keep the best units so that nearly `pruned_weights` weights go.

    Args:
        scores: Float array (units,).
        sizes: Int array (units,). Number of weights in each unit.
        pruned_weights: Float. How many weights to prune in all.

    Returns:
        Bool array (units,). Exact to half a unit; at least one unit is kept.
    """
    keep = np.ones(scores.size, bool)
    if sizes.min() == sizes.max():
        count = min(int(pruned_weights / sizes[0] + 0.5), scores.size - 1)
        if count > 0:
            threshold = np.partition(scores, count - 1)[count - 1]
            keep = scores >= threshold
            ties = np.flatnonzero(scores == threshold)
            excess = count - (scores.size - np.count_nonzero(keep))
            keep[ties[ties.size - excess :]] = False
        return keep
    # Units at ragged edges are smaller. What is pruned already may do, to half a unit ...
    alive = scores > -np.inf
    if abs(sizes[~alive].sum() - pruned_weights) <= sizes.max() / 2:
        return alive
    # ... else take the cut whose running total comes nearest.
    order = scores.size - 1 - np.argsort(scores[::-1], kind="stable")
    totals = np.concatenate([[0], np.cumsum(sizes[order])[:-1]])
    keep[order[: np.argmin(np.abs(totals - pruned_weights))]] = False
    return keep


@GRANULARITIES.register("unstructured")
class Unstructured(Granularity):
    """Single weights: the finest shape, the least loss of accuracy.

    Example:

    ```python
    kp.prune(model, 0.9, granularity="unstructured")
    ```
    """

    def pool(self, scores, alive):
        return np.where(alive, scores, -np.inf), np.ones(scores.shape, np.int8)

    def expand(self, keep, shape):
        return keep.reshape(shape)


@GRANULARITIES.register()
class Block(Granularity):
    """Blocks of r output units by c inputs, at one position of the kernel.

    A block lives or dies as a whole. Where r or c does not divide the kernel, the blocks at
    its edge are smaller; blocks compete by the mean score of their weights, so a small one
    has no handicap. In a convolution a block covers one tap (one row and column of the
    window).

    Example:

    ```python
    kp.prune(model, 0.8, granularity=kp.Block(1, 4))   # 4 consecutive inputs of one unit
    kp.prune(model, 0.8, granularity="1x4")            # the same
    ```

    Args:
        r: Int. Output units in a block. Defaults to `1`.
        c: Int. Consecutive inputs in a block. Defaults to `4`.
    """

    def __init__(self, r=1, c=4):
        self.r = _check_positive("r", r)
        self.c = _check_positive("c", c)

    def pool(self, scores, alive):
        sizes = self._sums(np.ones(scores.shape))
        pooled = self._sums(np.where(alive, scores, 0.0)) / sizes
        return np.where(self._sums(alive) > 0, pooled, -np.inf), sizes.astype(np.int64)

    def expand(self, keep, shape):
        keep = keep.repeat(self.r, axis=0).repeat(self.c, axis=2)
        return keep[: shape[0], :, : shape[2]]

    def _sums(self, array):
        outputs, positions, inputs = array.shape
        padding = ((0, -outputs % self.r), (0, 0), (0, -inputs % self.c))
        padded = np.pad(array, padding)  # (outputs + pad, positions, inputs + pad)
        blocks = padded.reshape(-1, self.r, positions, padded.shape[2] // self.c, self.c)
        return blocks.sum(axis=(1, 4), dtype=np.float64)

    def slack(self, shape):
        return min(self.r, shape[0]) * min(self.c, shape[2])

    def __repr__(self):
        return f"Block({self.r}, {self.c})"


@GRANULARITIES.register()
class NM(Granularity):
    """N:M sparsity: n of every m consecutive inputs are kept.

    The m inputs follow one another along the axis that is summed over (Keras kernel axis
    -2 of Dense and Conv), at one position of one output unit. `NM(2, 4)` is NVIDIA's 2:4.
    The numbers say what is kept; TFMOT's `sparsity_m_by_n` counts the zeros instead.

    The pattern fixes the sparsity at 1 - n / m. While a schedule is still below it, every
    group keeps round(m * (1 - sparsity)) of its inputs. A last group of g < m inputs keeps
    round(n * g / m) of them, at least one. Kernels with fewer than m inputs are skipped.

    Example:

    ```python
    kp.prune(model, 0.5, granularity=kp.NM(2, 4))
    kp.prune(model, 0.5, granularity="2:4")            # the same
    kp.PruneCallback(granularity=kp.NM(4, 32, block=4))
    ```

    Args:
        n: Int. Groups kept in every window.
        m: Int. Groups in a window, at most 128.
        block: Int. Consecutive inputs in a group; they live or die together.
            Defaults to `1`.
    """

    def __init__(self, n, m, block=1):
        self.n = _check_positive("n", n)
        self.m = _check_positive("m", m)
        self.block = _check_positive("block", block)
        if not n < m <= 128:
            raise ValueError(
                f"`NM` keeps n of every m groups: n < m <= 128 must hold. Received: n={n}, m={m}"
            )

    @property
    def sparsity(self):
        """Float. What the pattern prunes: 1 - n / m."""
        return 1.0 - self.n / self.m

    def pool(self, scores, alive):
        return Block(1, self.block).pool(scores, alive)

    def expand(self, keep, shape):
        return Block(1, self.block).expand(keep, shape)

    def select(self, scores, alive, sparsity):
        pooled, _ = self.pool(scores, alive)  # (outputs, positions, groups)
        groups = pooled.shape[2]
        pooled = np.pad(pooled, ((0, 0), (0, 0), (0, -groups % self.m)), constant_values=-np.inf)
        windows = pooled.reshape(*pooled.shape[:2], -1, self.m)
        # Rank 0 is the best of its window; equal scores keep their order.
        order = np.argsort(-windows, axis=-1, kind="stable")
        ranks = np.argsort(order, axis=-1, kind="stable")
        keep = ranks < self._kept(groups, sparsity)[:, None]
        keep = keep.reshape(pooled.shape)[:, :, :groups]
        return self.expand(keep, scores.shape) & alive

    def _kept(self, groups, sparsity):
        """Int array (windows,): how many groups each window keeps."""
        kept = max(self.n, int(self.m * (1.0 - sparsity) + 0.5))
        counts = np.full(-(-groups // self.m), kept)
        tail = groups % self.m
        if tail:
            counts[-1] = max(1, int(tail * kept / self.m + 0.5))
        return counts

    def skip(self, shape):
        if shape[2] < self.m * self.block:
            return f"{shape[2]} inputs are fewer than one window of {self!r}"
        return None

    def slack(self, shape):
        ragged = shape[2] % (self.m * self.block) != 0
        return self.block * shape[0] * shape[1] if ragged else self.block

    def __repr__(self):
        block = "" if self.block == 1 else f", block={self.block}"
        return f"NM({self.n}, {self.m}{block})"


def get(identifier):
    """Turn `"unstructured"`, `"1x4"`, `"2:4"` or an object into a `Granularity`."""
    if isinstance(identifier, str):
        if shape := re.fullmatch(r"(\d+)x(\d+)", identifier):
            return Block(*map(int, shape.groups()))
        if pattern := re.fullmatch(r"(\d+):(\d+)", identifier):
            return NM(*map(int, pattern.groups()))
    return GRANULARITIES.get(identifier)


def _check_positive(name, value):
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"Argument `{name}` must be an int >= 1. Received: {name}={value}")
    return value
