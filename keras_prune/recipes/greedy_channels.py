"""The greedy choice of input channels: next comes that whose weights the loss pulls at most."""

import numpy as np


def grow_channels(kernel, count, gradient, refine, loss, step=1, tolerance=None):
    """Choose input channels one after the other, and fit the kernel to those chosen so far.

    A kernel of zeros is where it begins. The channel k with the largest ||dL/dW_k|| among those
    left joins the set A with the weights that it had, and the kernel is refined on A. That goes
    on until A has enough channels, or until the loss changes by less than a part of what it was
    without any channel.

    Args:
        kernel: Float array (*window, channels, filters), the weights to begin with.
        count: Int of at least 1. The most channels to choose.
        gradient: Callable(kernel) -> array of its shape, dL/dW.
        refine: Callable(kernel, bool array (channels, 1) of A) -> kernel, zero outside of A.
        loss: Callable(kernel) -> float.
        step: Int of at least 1. Channels that join at a time. Defaults to `1`.
        tolerance: Float >= 0, or `None` to go on to `count`. Defaults to `None`.

    Returns:
        Tuple of the kernel, the list of the channels in the order of their choice, and the list
        of the losses: without any channel, and after each step.
    """
    channels = kernel.shape[-2]
    chosen, now = [], np.zeros_like(kernel)
    inside = np.zeros((channels, 1), bool)
    losses = [loss(now)]
    while len(chosen) < count:
        pull = np.square(gradient(now).astype(np.float64))
        pull = pull.reshape(-1, channels, kernel.shape[-1]).sum(axis=(0, 2))
        pull[chosen] = -1.0
        best = np.argsort(-pull, kind="stable")[: min(step, count - len(chosen))]
        chosen += [int(channel) for channel in best]
        now[..., best, :] = kernel[..., best, :]
        inside[best] = True
        now = refine(now, inside)
        losses.append(loss(now))
        change = abs(losses[-2] - losses[-1])
        if tolerance is not None and change <= tolerance * losses[0]:
            break
    return now, chosen, losses
