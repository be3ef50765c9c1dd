"""ERK: sparsity by the shape of the kernel."""

import math

import numpy as np

from keras_prune.allocation.allocation import ALLOCATIONS, Allocation


@ALLOCATIONS.register("erk")
class ERK(Allocation):
    """Erdos-Renyi-Kernel: large kernels get sparser than small ones.

    The density of a kernel is

        density = eps * ((n_in + n_out + k_h + k_w) / (n_in * n_out * k_h * k_w)) ** power

    with one eps for all layers that makes the total exact. Where that is above 1 the layer
    stays dense and the others share the rest. Layers without a window have the two numbers
    n_in and n_out alone; in a grouped convolution n_in is that of one group. From
    [Evci et al., 2020](https://arxiv.org/abs/1911.11134), section 3.

    Example:

    ```python
    kp.prune(model, 0.9, allocation="erk")
    ```

    Args:
        power: Number > 0. How strongly shapes count. Defaults to `1.0`.
    """

    def __init__(self, power=1.0):
        if not isinstance(power, (int, float)) or isinstance(power, bool) or not power > 0:
            raise ValueError(f"Argument `power` must be positive. Received: power={power}")
        self.power = power

    def amounts(self, views, granularity, sparsity, weights=None):
        return self.asked(weights, sparsity)

    def asked(self, weights, sparsity):
        sizes = np.array([weight.size for weight in weights])
        if not sizes.size:
            return []
        shapes = [_kernel_shape(weight) for weight in weights]
        raw = np.array([(sum(shape) / math.prod(shape)) ** self.power for shape in shapes])
        kept = _densities(raw, sizes, sparsity) * sizes
        kept = _rounded(kept, round((1.0 - sparsity) * sizes.sum()))
        return (1.0 - kept / sizes).tolist()


def _kernel_shape(weight):
    """Ints (n_out, *window, n_in) of a kernel, with several output or input axes as one."""
    groups, outputs, *rest = weight.full_view_shape
    return groups * outputs, *rest


def _densities(raw, sizes, sparsity):
    """Densities in proportion to `raw`, none above 1, of (1 - sparsity) * sizes.sum() weights."""
    dense = np.zeros(sizes.size, bool)
    while True:
        left = (1.0 - sparsity) * sizes.sum() - sizes[dense].sum()
        scale = left / max((raw * sizes)[~dense].sum(), np.finfo(float).tiny)
        densities = np.where(dense, 1.0, np.maximum(scale, 0.0) * raw)
        if densities.max() <= 1.0:
            return densities
        dense |= densities == densities.max()


def _rounded(kept, total):
    """Whole numbers of weights near `kept`, `total` together: the largest remainders go up."""
    floors = np.floor(kept + 1e-9)
    up = np.argsort(floors - kept, kind="stable")[: max(0, int(total - floors.sum()))]
    floors[up] += 1.0
    return floors
