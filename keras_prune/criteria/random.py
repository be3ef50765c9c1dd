"""Random: the baseline that every criterion must beat."""

import zlib

import numpy as np

from keras_prune.criteria.criterion import CRITERIA, Criterion


@CRITERIA.register("random")
class Random(Criterion):
    """Scores every weight by a random number.

    The numbers depend on the seed, the path of the weight in the model and nothing else, so
    an interrupted training goes on with the same masks when the seed is given.

    Example:

    ```python
    kp.prune(model, 0.8, criterion="random", seed=1)
    ```

    Args:
        seed: Int >= 0 or `None`. Defaults to one drawn from numpy's global generator, which
            `keras.utils.set_random_seed` fixes.
    """

    repeatable = True

    def __init__(self, seed=None):
        self.seed = int(np.random.randint(2**31)) if seed is None else seed
        if not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(f"Argument `seed` must be an int >= 0 or None. Received: seed={seed}")

    def score(self, weight):
        generator = np.random.default_rng([self.seed, zlib.crc32(weight.path.encode())])
        return generator.random(weight.shape, np.float32)

    def with_seed(self, seed):
        return Random(seed)
