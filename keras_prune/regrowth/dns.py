"""DNS: two thresholds, and weights that are spliced back in."""

import re
import warnings

import numpy as np

from keras_prune.allocation import Uniform
from keras_prune.criteria import Magnitude
from keras_prune.granularity import Unstructured
from keras_prune.regrowth.regrowth import REGROWTHS, Regrowth
from keras_prune.schedules import RandomDecay


@REGROWTHS.register("dns")
class DNS(Regrowth):
    """Dynamic network surgery: prune below one threshold, splice back above another.

    A weight is pruned when |w| <= (1 - margin) t, comes back when |w| > (1 + margin) t, and
    stays as it is in between. Each layer's t = max(0, mean(|w|) + c * std(|w|)) is computed
    once, over the weights that are not zero when pruning begins. Meanwhile pruned weights go
    on learning, hidden. From [Guo et al., 2016](https://arxiv.org/abs/1608.04493), equation 3,
    with the thresholds and defaults of the authors' code. Biases are never pruned here.

    The thresholds decide how sparse the model becomes, and the first update prunes all that
    they ask for: where a high c would empty a layer, go there in several trainings of rising c,
    each begun from the last. Leave `sparsity` at its default. Masks
    are updated by chance, often at first, see `kp.RandomDecay`. Begin from a trained model.

    Example:

    ```python
    kp.PruneCallback(regrowth=kp.DNS({"conv": 1.0, "dense": 2.0}))
    ```

    Args:
        c: Float, or dict from regex strings to floats. Standard deviations from the mean. A
            pattern is searched for in the path of the kernel; the first that is found counts,
            and a kernel where none is found stays dense. Defaults to `3.0`.
        margin: Float in [0, 1). Half the width of the band between the two thresholds, as a
            fraction of t. Defaults to `0.1`.
    """

    keeps_values = True
    sets_sparsity = True
    schedule = RandomDecay()

    def __init__(self, c=3.0, margin=0.1):
        for value in c.values() if isinstance(c, dict) else [c]:
            if not isinstance(value, (int, float)) or isinstance(value, bool):
                raise ValueError(
                    "Argument `c` must be a number, or a dict from regex strings to numbers. "
                    f"Received: c={c}"
                )
        if not isinstance(margin, (int, float)) or not 0.0 <= margin < 1.0:
            raise ValueError(f"Argument `margin` must be in [0, 1). Received: margin={margin}")
        self.c = c
        self.margin = margin

    def check(self, criterion, granularity, allocation):
        if (criterion, granularity, allocation) != (Magnitude(), Unstructured(), Uniform()):
            raise ValueError(
                "Dynamic network surgery decides on single weights by their magnitude, in each "
                f"layer by its own thresholds. Received: criterion={criterion!r}, "
                f"granularity={granularity!r}, allocation={allocation!r}"
            )

    def update(self, update):
        for index, weight in enumerate(update.store.weights):
            magnitudes = abs(weight.numpy())
            key = f"threshold/{index}"
            if key not in update.memory:
                update.memory[key] = np.float64(self._threshold(weight.path, magnitudes))
            keep = self.hysteresis(magnitudes, update.store.keep[index], update.memory[key])
            if not keep.any():  # a layer without any weight would cut the network
                warnings.warn(
                    "No weight of a layer is above its threshold, so only the largest one stays: "
                    f"make c smaller for it. Received: c={self._factor(weight.path)} for "
                    f"{weight.path}",
                    stacklevel=2,
                )
                keep.flat[np.argmax(magnitudes)] = True
            update.store.assign(index, keep)

    def hysteresis(self, magnitudes, keep, threshold):
        """The mask that follows from another.

        Args:
            magnitudes: Float array.
            keep: Bool array. The mask so far.
            threshold: Float.

        Returns:
            Bool array: False where |w| <= (1 - margin) t, True where |w| > (1 + margin) t, as
            before elsewhere.
        """
        above = magnitudes > (1.0 + self.margin) * threshold
        return above | (keep & (magnitudes > (1.0 - self.margin) * threshold))

    def _threshold(self, path, magnitudes):
        c = self._factor(path)
        left = magnitudes[magnitudes > 0.0].astype(np.float64)
        if c is None or not left.size:
            return -1.0  # below every magnitude
        return max(left.mean() + c * left.std(), 0.0)

    def _factor(self, path):
        if not isinstance(self.c, dict):
            return self.c
        return next((c for pattern, c in self.c.items() if re.search(pattern, path)), None)
