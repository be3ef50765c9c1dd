"""SoftPruning: what is pruned begins at zero again, and may come back."""

import numpy as np

from keras_prune.regrowth.regrowth import REGROWTHS, Regrowth
from keras_prune.schedules import ConstantSparsity


@REGROWTHS.register("soft")
class SoftPruning(Regrowth):
    """Masks that are chosen anew at every update; what goes loses what it has learnt.

    Soft filter pruning, [He et al., 2018](https://arxiv.org/abs/1808.06866), and the training
    of [FPGM](https://arxiv.org/abs/1811.00250): every epoch the filters that score lowest are
    set to zero, training goes on with all of them, and one that learns enough in that epoch stays
    at the next choice. Masks freeze with the schedule's end.

    In the papers a pruned filter is a part of the network again as soon as it moves. Here what it
    learns from zero on is hidden until an update lets it back in: the network that is trained,
    evaluated and saved is sparse after every step. A filter of zeros in front of a ReLU learns
    something only where its bias or batch normalization lifts it above zero; where none does,
    nothing comes back, and `kp.STE`, which hides what a filter was, is the better rule.

    Example:

    ```python
    kp.PruneCallback(
        0.4,
        criterion="fpgm",
        granularity="filter",
        regrowth="soft",
        schedule=kp.ConstantSparsity(end_step=0.9, frequency=1 / epochs),
    )
    ```

    By default masks are chosen fifty times in the first nine tenths of training, at the full
    sparsity.
    """

    keeps_values = True
    schedule = ConstantSparsity(end_step=0.9, frequency=0.018)

    def update(self, update):
        update.prune(revive=True)
        for weight in update.store.weights:
            weight.hidden.assign(np.zeros(weight.shape, "float32"))
