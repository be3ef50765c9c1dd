"""Random: the baseline that every criterion must beat."""

import numpy as np

from keras_prune.criteria.criterion import CRITERIA, Criterion


@CRITERIA.register("random")
class Random(Criterion):
    """Scores every weight by a random number.

    The numbers depend on the seed, the shapes of the kernels that are pruned and their order in
    the model, so an interrupted training goes on with the same masks when the seed is given.
    (Their names may differ in a model that was saved and loaded.)

    Example:

    ```python
    kp.prune(model, 0.8, criterion="random", seed=1)
    ```

    Args:
        seed: Int >= 0 or `None`. Defaults to one drawn from numpy's global generator, which
            `keras.utils.set_random_seed` fixes.
    """

    def __init__(self, seed=None):
        self.seed = int(np.random.randint(2**31)) if seed is None else seed
        if not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(f"Argument `seed` must be an int >= 0 or None. Received: seed={seed}")

    def scores(self, weights, probe=None):
        del probe
        generator = np.random.default_rng(self.seed)
        return [generator.random(weight.shape, np.float32) for weight in weights]

    def with_seed(self, seed):
        return Random(seed)
