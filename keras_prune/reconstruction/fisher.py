"""The inverse of a block-diagonal empirical Fisher matrix, gradient by gradient."""

import numpy as np

_CHUNK = 1 << 16  # values of the blocks that are updated together, so that they stay in cache


class InverseFisher:
    """F^-1 with F = damping I + 1/N sum_n g_n g_n^T, in blocks along the diagonal.

    Each gradient is one rank-one update (Sherman and Morrison),
    F_n^-1 = F_{n-1}^-1 - F_{n-1}^-1 g g^T F_{n-1}^-1 / (N + g^T F_{n-1}^-1 g), as in
    [Singh & Alistarh, 2020](https://arxiv.org/abs/2004.14340). After N of them the blocks are
    the exact inverses. Memory: 8 * n * block_size bytes for n weights.

    Args:
        rows: Int. Rows of weights; no block reaches over the end of a row.
        columns: Int. Weights in a row.
        block_size: Int. Weights in a block; rows are filled up with zeros to whole blocks.
        samples: Int. N, how many gradients there will be.
        damping: Float > 0. Defaults to `1e-3`.
    """

    def __init__(self, rows, columns, block_size, samples, damping=1e-3):
        self.shape = (rows, columns)
        self.size = min(block_size, columns)
        self.samples = samples
        count = rows * -(-columns // self.size)
        identity = np.eye(self.size) / damping
        self.blocks = np.tile(identity, (count, 1, 1))

    def split(self, array):
        """Array (rows, columns) -> array (blocks, size), filled up with zeros."""
        padded = np.pad(array, ((0, 0), (0, -self.shape[1] % self.size)))
        return padded.reshape(-1, self.size)

    def join(self, blocks):
        """Array (blocks, size) -> array (rows, columns)."""
        rows, columns = self.shape
        return blocks.reshape(rows, -1)[:, :columns]

    def update(self, gradient):
        """Take in one gradient, a float array (rows, columns)."""
        gradients = self.split(gradient.astype(np.float64))[..., None]  # (blocks, size, 1)
        step = max(1, _CHUNK // self.size**2)
        for start in range(0, len(self.blocks), step):
            part = slice(start, start + step)
            product = self.blocks[part] @ gradients[part]  # (step, size, 1)
            scale = self.samples + (gradients[part] * product).sum(axis=1, keepdims=True)
            self.blocks[part] -= product * (product.transpose(0, 2, 1) / scale)

    def saliency(self, weights):
        """w_q^2 / (2 [F^-1]_qq) for an array (rows, columns) of weights."""
        diagonal = np.diagonal(self.blocks, axis1=1, axis2=2)
        return self.join(self.split(weights.astype(np.float64)) ** 2 / (2.0 * diagonal))

    def repair(self, weights, keep):
        """Remove weights jointly, block by block: dw = -F^-1[:, Q] (F^-1_QQ)^-1 w_Q.

        Args:
            weights: Float array (rows, columns).
            keep: Bool array of that shape. False = the set Q.

        Returns:
            Float64 array of that shape, exactly zero where `keep` is false.
        """
        values = self.split(weights.astype(np.float64))
        removed = self.split(~keep)
        for block, value, gone in zip(self.blocks, values, removed, strict=True):
            if gone.any():
                multipliers = np.linalg.solve(block[np.ix_(gone, gone)], value[gone])
                value -= block[:, gone] @ multipliers
                value[gone] = 0.0
        return self.join(values)
