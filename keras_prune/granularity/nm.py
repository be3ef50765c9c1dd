"""NM: n of every m inputs."""

import numpy as np

from keras_prune.granularity.block import Block
from keras_prune.granularity.granularity import GRANULARITIES, Granularity, check_positive


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
        self.n = check_positive("n", n)
        self.m = check_positive("m", m)
        self.block = check_positive("block", block)
        if not n < m <= 128:
            raise ValueError(
                f"`NM` keeps n of every m groups: n < m <= 128 must hold. Received: n={n}, m={m}"
            )

    @property
    def sparsity(self):
        """Float. What the pattern prunes: 1 - n / m."""
        return 1.0 - self.n / self.m

    def made(self, groups):
        """Float. The sparsity of rows of that many groups, which need not fill whole windows."""
        return 1.0 - self._kept(groups, self.sparsity).sum() / groups

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
