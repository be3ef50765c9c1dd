"""GreedyMagnitude: weights that read a filter that has gone do not count."""

import numpy as np

from keras_prune.analysis.producers import find_producers
from keras_prune.criteria.criterion import CRITERIA, Criterion
from keras_prune.float_bits import nonzero, values
from keras_prune.layer_views import LazyScores


@CRITERIA.register("greedy_magnitude")
class GreedyMagnitude(Criterion):
    """Scores a weight by |w|, and by 0 where the filter that it reads has gone.

    The greedy way of [Li et al., 2016](https://arxiv.org/abs/1608.08710), section 3.2: layers
    are decided on one after the other, and the sum over a filter leaves out the weights of
    inputs that have just been removed. The independent way of that paper is the criterion
    `"magnitude"`. Both want `granularity="filter"`; `kp.Filter(norm=2)` makes it the L2 norm.

    Inputs are followed back through activations, normalization, dropout, pooling, padding and
    `Flatten` to the one layer that makes them. Where they come from several layers, as behind a
    sum or a concatenation, all weights count. So they do where a layer stands after its reader in
    `model.weights`. `allocation="global"` shares out before it decides, by the independent scores.

    Example:

    ```python
    kp.prune(model, 0.4, criterion="greedy_magnitude", granularity="filter")
    ```
    """

    def scores(self, weights, probe=None):
        def score(weight):
            return self._score(weight, (probe or {}).get(id(weight.variable)))

        # Computed when they are read, that is after the decisions on the layers before.
        return LazyScores(score, weights)

    def probe(self, model, data):
        return find_producers(model)

    def _score(self, weight, producer):
        scores = weight.to_view(np.abs(weight.numpy()), full=True)
        if producer is None:
            return weight.from_view(scores)
        source, owners = producer
        alive = source.to_view(nonzero(values(source.variable))).any(axis=(1, 2))
        alive |= not alive.any()  # a kernel of zeros throughout is fresh, not pruned
        # (inputs,) in the order of the layer's inputs: groups outside, inputs of a group inside.
        heard = alive[owners].reshape(weight.groups, *[1] * (scores.ndim - 2), -1)
        return weight.from_view(scores * heard)
