"""What the channels of a layer add to its outputs, as sums over rows of its inputs."""

import dataclasses

import numpy as np


@dataclasses.dataclass(eq=False)
class Contributions:
    """All that the choice of channels needs to know: P^T P and P^T y.

    P has a column for every channel and a row for every output value that is looked at; y is what
    these output values should be, without the bias.

    Args:
        gram: Float array P^T P (channels, channels).
        cross: Float array P^T y (channels,).
    """

    gram: np.ndarray
    cross: np.ndarray

    @property
    def slope(self):
        """Float array (channels,). P^T r, where r = y - P 1 is what is missing already."""
        return self.cross - self.gram.sum(axis=1)

    def take(self, channels):
        """The contributions of some channels alone."""
        return Contributions(self.gram[np.ix_(channels, channels)], self.cross[channels])


def of_all_outputs(inputs, kernel, target, members, centered=False):
    """Contributions to all outputs of all rows.

    Args:
        inputs: Float64 array X (rows, n).
        kernel: Float64 array W (n, outputs).
        target: Float64 array Y (rows, outputs).
        members: Float array (n, channels). 1 where a row of the kernel belongs to a channel.
        centered: Bool. Whether a mean counts as nothing, as where biases make up for it.
            Defaults to `False`.

    Returns:
        `Contributions`.
    """
    if centered:
        inputs, target = inputs - inputs.mean(axis=0), target - target.mean(axis=0)
    # <X_c W_c, X_d W_d> = sum over i in c, j in d of (X^T X)_ij (W W^T)_ij
    pairs = (inputs.T @ inputs) * (kernel @ kernel.T)
    cross = ((inputs.T @ target) * kernel).sum(axis=1)
    return Contributions(members.T @ pairs @ members, members.T @ cross)


def of_drawn_outputs(inputs, kernel, target, members, random):
    """Contributions to one output of each row, drawn at random: how ThiNet samples.

    Args:
        inputs: Float64 array X (rows, n).
        kernel: Float64 array W (n, outputs).
        target: Float64 array Y (rows, outputs).
        members: Float array (n, channels). 1 where a row of the kernel belongs to a channel.
        random: `numpy.random.Generator`.

    Returns:
        `Contributions`.
    """
    outputs = random.integers(0, kernel.shape[1], len(inputs))
    parts = (inputs * kernel.T[outputs]) @ members  # (rows, channels)
    return Contributions(parts.T @ parts, parts.T @ target[np.arange(len(inputs)), outputs])
