"""Bisection of a threshold on magnitudes, with the pruning that each trial means."""

import numpy as np

from keras_prune.allocation import Global
from keras_prune.layer_views import choose


class ThresholdSearch:
    """The units of a model by their mean magnitude, and trials of pruning below a threshold."""

    def __init__(self, pruner):
        self.store, self.granularity = pruner.store, pruner.granularity
        self.weights = self.store.weights
        self.values = [weight.numpy() for weight in self.weights]
        self.accepted = self.trial = list(self.store.keep)
        views = zip(self.weights, self.values, self.store.keep, strict=True)
        pooled = [self._pool(*view) for view in views]
        scores = np.concatenate([scores.ravel() for scores, _ in pooled]).astype("float64")
        sizes = np.concatenate([sizes.ravel() for _, sizes in pooled])
        alive = scores > -np.inf
        self.total, self.pruned = sizes.sum(), sizes[~alive].sum()
        self.scores, self.sizes = scores[alive], sizes[alive]
        self.mean = float(np.average(self.scores, weights=self.sizes))
        self.low, self.high = float(self.scores.min()), float(self.scores.max())
        self.refused, self.found, self.count = False, 0.0, 0

    def _pool(self, weight, value, keep):
        full = self.granularity.full_view
        return self.granularity.of(weight).pool(
            weight.to_view(np.abs(value), full), weight.to_view(keep, full)
        )

    def _between(self, low, high):
        """How many different magnitudes lie in [low, high)."""
        return np.unique(self.scores[(self.scores >= low) & (self.scores < high)]).size

    @property
    def open(self):
        """Whether some threshold may prune more than `low` and less than is refused."""
        return self._between(self.low, self.high) > int(self.refused)

    def next_threshold(self):
        """Prune below the next threshold to ask for: one that prunes something new."""
        threshold = self.mean if self.count == 0 else (self.low + self.high) / 2
        while True:
            if not self.refused and self._between(self.low, self.high) == 1:
                threshold = self.high
            if not self._between(self.low, threshold):  # prunes what `low` does
                self.low = threshold
            elif self.refused and not self._between(threshold, self.high):
                self.high = threshold
            else:
                break
            threshold = (self.low + self.high) / 2
        self._try_out(threshold)
        return threshold

    def answer(self, threshold, allowed):
        """Go on above a threshold that is allowed, below one that is not."""
        self.count += 1
        if allowed:
            self.found = self.low = threshold
            self.accepted = self.trial
        else:
            self.high, self.refused = threshold, True

    def _try_out(self, threshold):
        """Set all units below a threshold to zero, whatever was tried before."""
        below = self.pruned + self.sizes[self.scores < threshold].sum()
        scores = [np.abs(value) for value in self.values]
        amount = float(below / self.total)
        _, masks = choose(self.weights, scores, self.store.keep, self.granularity, Global(), amount)
        self.trial = list(masks)
        self._write(self.trial)

    def settle(self):
        """Leave the model with the best trial, or as it was."""
        self._write(self.store.keep)
        for index, keep in enumerate(self.accepted):
            self.store.assign(index, keep)

    def _write(self, keeps):
        for weight, value, keep in zip(self.weights, self.values, keeps, strict=True):
            weight.variable.assign(np.where(keep, value, np.float32(0)))
