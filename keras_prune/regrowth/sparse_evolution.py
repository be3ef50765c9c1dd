"""SET: weights grow where chance has it."""

import numpy as np

from keras_prune.regrowth.exchange import Exchange
from keras_prune.regrowth.regrowth import REGROWTHS


@REGROWTHS.register("set")
class SET(Exchange):
    """Sparse evolutionary training: drop the weakest weights, grow others at random.

    From [Mocanu et al., 2018](https://arxiv.org/abs/1707.04780). The paper drops the smallest
    positive and the largest negative weights, a fraction of each, once an epoch. It begins from
    random masks:

    Example:

    ```python
    kp.PruneCallback(
        0.9,
        criterion="random",
        allocation="erk",
        schedule=kp.ConstantSparsity(end_step=0.9, frequency=0.02),
        regrowth="set",
    )
    ```

    Args:
        fraction: Float in [0, 1). The part of a layer's weights that every update exchanges,
            the paper's zeta. Defaults to `0.3`.
        seed: Int. Fixes what grows. Defaults to `0`, or the pruner's `seed`.
    """

    def __init__(self, fraction=0.3, seed=0):
        super().__init__(fraction)
        self.seed = seed

    def with_seed(self, seed):
        return type(self)(self.fraction, seed)

    def growth(self, update):
        generator = np.random.default_rng([self.seed, update.step])
        return [generator.random(weight.shape) for weight in update.store.weights]
