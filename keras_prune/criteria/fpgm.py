"""FPGM: filters that others can stand in for matter least."""

import math

import numpy as np

from keras_prune.criteria.criterion import CRITERIA, Criterion, spread

_BLOCK = 1024  # filters, and weights of each, in one block of distances
_ROUNDING = 1e-13


@CRITERIA.register("fpgm")
class FPGM(Criterion):
    """Scores a filter by the sum of its distances to the other filters of its layer.

        score of F_j = sum over i of ||F_j - F_i||_2

    The filter in the middle of all others, their medoid, goes first: what it does the others
    can do. That is filter pruning via geometric median,
    [He et al., 2019](https://arxiv.org/abs/1811.00250), equation 8. Adding one and the same
    filter to all of them changes nothing, unlike under a norm. Filters that are pruned already
    are left out of the sum. In a grouped convolution all filters are compared, whichever
    inputs they read.

    The paper's mixed mode removes filters of small norm first, and then by distance: its pair
    (norm rate 0.7, distance rate 0.1) is `norm_rate=0.7` at a sparsity of 0.3 + 0.1.

    Example:

    ```python
    kp.prune(model, 0.4, criterion="fpgm", granularity="filter")
    kp.prune(model, 0.4, criterion=kp.FPGM(norm_rate=0.7), granularity="filter")
    ```

    Args:
        norm_rate: Float in (0, 1]. The part of a layer's filters that is left when those of
            the smallest L2 norm have gone. They score below zero, in the order of their norms;
            the others by their distances among themselves. Defaults to `1.0`.
    """

    needs_alive = True
    scores_outputs = True

    def __init__(self, norm_rate=1.0):
        number = isinstance(norm_rate, (int, float)) and not isinstance(norm_rate, bool)
        if not number or not 0.0 < norm_rate <= 1.0:
            raise ValueError(
                "Argument `norm_rate` is the part of the filters that is left and must be in "
                f"(0, 1]. Received: norm_rate={norm_rate!r}"
            )
        self.norm_rate = norm_rate

    def score(self, weight):
        return self.scores([weight])[0]

    def scores(self, weights, probe=None, alive=None):
        return [
            self._score(weight, None if alive is None else alive[index])
            for index, weight in enumerate(weights)
        ]

    def _score(self, weight, alive):
        filters = weight.to_view(weight.numpy()).reshape(weight.view_shape[0], -1)
        left = np.arange(len(filters))
        if alive is not None:
            left = np.flatnonzero(weight.to_view(alive).any(axis=(1, 2)))
        norms = np.linalg.norm(filters[left].astype(np.float64), axis=1)
        order = np.argsort(norms, kind="stable")
        # What is gone already has gone by its norm as far as that stage goes. (0.1 * 10 is a
        # little less than 1 in floats.)
        small = math.floor(len(filters) * (1.0 - self.norm_rate) + 1e-9)
        small = max(0, small - (len(filters) - len(left)))
        values = np.zeros(len(filters))
        values[left[order[:small]]] = np.arange(1, small + 1) / (small + 1) - 1.0
        others = left[np.sort(order[small:])]
        values[others] = distance_sums(filters[others])
        return spread(weight, values)


def distance_sums(points):
    """The sum of the Euclidean distances from every point to all others.

    Args:
        points: Float array (points, coordinates).

    Returns:
        Float64 array (points,). No more than a block of the matrix of distances is in memory.
    """
    sums = np.zeros(len(points))
    center = points.mean(axis=0, dtype=np.float64)  # distances from afar would round away
    for first in range(0, len(points), _BLOCK):
        rows = slice(first, first + _BLOCK)
        squares = np.zeros((len(points[rows]), len(points)))
        scale = np.zeros_like(squares)
        for start in range(0, points.shape[1], _BLOCK):
            part = slice(start, start + _BLOCK)
            every = points[:, part] - center[part]
            norms = np.square(every).sum(axis=1)
            squares -= 2.0 * every[rows] @ every.T
            scale += norms[rows, None] + norms
        squares += scale
        squares[squares <= _ROUNDING * scale] = 0.0  # a point and itself, or its double
        sums[rows] = np.sqrt(squares).sum(axis=1)
    return sums
