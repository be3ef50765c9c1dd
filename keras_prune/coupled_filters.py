"""Filters that can only be cut together: pruned together, and silent when they are pruned."""

import numpy as np

from keras_prune.dependencies import dissect
from keras_prune.layer_views import LayerViews, LazyScores
from keras_prune.weights import PrunableWeight

# What a filter still emits when all of its weights are zero.
_OFFSETS = ("bias", "gamma", "beta")


class CoupledFilters:
    """The groups of filters of a model, and the offsets that belong to them.

    Filters are coupled where surgery can only cut them together: those that meet in a sum or a
    product, the gates of a recurrent unit, the same places of the groups of a convolution. A
    sum over the filters of a group, each in relation to its layer, decides about all of them,
    as in [Fang et al., 2023](https://arxiv.org/abs/2301.12900).

    Args:
        body: `Anatomy` of the model.
        weights: List of `PrunableWeight`, those that are pruned.
    """

    def __init__(self, body, weights):
        roots = body.units.roots(range(len(body.units)))
        owners = {key: part for part in body.parts.values() for key in part.axes}
        own = [_output_ids(owners.get(id(weight.variable)), weight) for weight in weights]
        self.size = len(roots)
        self.groups = [None if ids is None else roots[ids] for ids in own]
        # Groups with units that no pruned kernel makes go on emitting whatever is pruned.
        others = np.ones(len(roots), bool)
        for ids in own:
            others[[] if ids is None else ids] = False
        quiet = np.ones(len(roots), bool)
        quiet[roots[others]] = False
        counts = np.zeros(len(roots), int)
        for groups in self.groups:
            np.add.at(counts, [] if groups is None else groups, 1)
        self._shares = [groups is not None and (counts[groups] > 1).any() for groups in self.groups]
        self.offsets, self._offset_groups = [], []
        for part in body.parts.values():
            for variable, axes in part.axes.values():
                if variable.name in _OFFSETS and part.layer.trainable and variable.trainable:
                    [(axis, ids)] = axes.items()
                    groups = np.where(quiet[roots[ids]], roots[ids], -1)
                    if (groups >= 0).any():
                        self.offsets.append(PrunableWeight(part.layer, variable))
                        shape = [1] * len(variable.shape)
                        shape[axis] = len(ids)
                        self._offset_groups.append(groups.reshape(shape))

    @classmethod
    def find(cls, model, weights):
        """The groups of a model; `None` where nobody can follow what it calls."""
        try:
            return cls(dissect(model), weights)
        except ValueError:
            return None

    def share(self, weights, scores, keep, granularity):
        """Give all filters of a group one score.

        Args:
            weights: List of `PrunableWeight`.
            scores: Sequence of float arrays of their shapes.
            keep: Sequence of bool arrays of their shapes. False = pruned already.
            granularity: `Filter`.

        Returns:
            Sequence of float arrays of their shapes. Those of kernels without any coupled filter
            are as before, and computed when they are read.
        """
        sums, scales, counts = np.zeros((3, self.size))
        for index, (weight, groups) in enumerate(zip(weights, self.groups, strict=True)):
            if self._shares[index]:
                [view] = LayerViews([weight], [scores[index]], [keep[index]], granularity.full_view)
                values = granularity.pool(*view)[0].ravel()
                alive = np.isfinite(values)
                mean = np.abs(values[alive]).mean() if alive.any() else 1.0
                np.add.at(sums, groups[alive], values[alive] / (mean or 1.0))
                np.add.at(scales, groups[alive], mean)
                np.add.at(counts, groups[alive], 1)
        together = counts > 1
        shared = np.zeros(self.size)
        shared[together] = sums[together] * scales[together] / counts[together] ** 2

        def score(weight):
            index = places[id(weight)]
            groups, own = self.groups[index], scores[index]
            if not self._shares[index]:
                return own
            return self._shared(weight, own, together[groups], shared[groups])

        places = {id(weight): index for index, weight in enumerate(weights)}
        return LazyScores(score, weights)

    def _shared(self, weight, score, together, shared):
        view = np.array(weight.to_view(np.asarray(score)), np.float64)
        view[together] = shared[together][:, None, None]
        return weight.from_view(view)

    def keep_offsets(self, weights, keep):
        """Which offsets stay: those of filters of which something is left.

        Args:
            weights: List of `PrunableWeight`.
            keep: Sequence of bool arrays of their shapes.

        Returns:
            Iterator over bool arrays of the shapes of `offsets`.
        """
        alive = np.zeros(self.size, bool)
        for weight, mask, groups in zip(weights, keep, self.groups, strict=True):
            if groups is not None:
                alive[groups[weight.to_view(mask).any(axis=(1, 2))]] = True
        for offset, groups in zip(self.offsets, self._offset_groups, strict=True):
            yield np.broadcast_to((groups < 0) | alive[groups], offset.shape)


def _output_ids(part, weight):
    """The units that a kernel's outputs are, or `None` where they are unknown."""
    if part is None or len(weight.outputs) != 1:
        return None
    _, axes = part.axes[id(weight.variable)]
    return axes.get(weight.outputs[0])
