"""Block: r outputs by c inputs."""

import numpy as np

from keras_prune.float_bits import choose
from keras_prune.granularity.granularity import GRANULARITIES, Granularity, check_positive


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
        self.r = check_positive("r", r)
        self.c = check_positive("c", c)

    def pool(self, scores, alive):
        sizes = self._sizes(scores.shape)
        pooled = self._blocks(choose(scores, alive)).sum(axis=(1, 4), dtype=np.float64) / sizes
        return choose(pooled, self._blocks(alive).any(axis=(1, 4)), -np.inf), sizes

    def expand(self, keep, shape):
        keep = keep.repeat(self.r, axis=0).repeat(self.c, axis=2)
        return keep[: shape[0], :, : shape[2]]

    def _blocks(self, array):
        outputs, positions, inputs = array.shape
        padding = ((0, -outputs % self.r), (0, 0), (0, -inputs % self.c))
        padded = np.pad(array, padding)  # (outputs + pad, positions, inputs + pad)
        return padded.reshape(-1, self.r, positions, padded.shape[2] // self.c, self.c)

    def _sizes(self, shape):
        outputs, positions, inputs = shape
        rows = np.minimum(self.r, outputs - np.arange(0, outputs, self.r))
        columns = np.minimum(self.c, inputs - np.arange(0, inputs, self.c))
        sizes = rows[:, None, None] * columns
        return np.broadcast_to(sizes, (rows.size, positions, columns.size))

    def slack(self, shape):
        return min(self.r, shape[0]) * min(self.c, shape[2])

    def __repr__(self):
        return f"Block({self.r}, {self.c})"
