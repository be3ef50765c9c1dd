"""OBD, optimal brain damage: the second-order effect of a weight's removal."""

import numpy as np

from keras_prune.criteria.criterion import CRITERIA
from keras_prune.criteria.curvature import DIAGONALS
from keras_prune.criteria.data_criterion import DataCriterion, check_choice, check_positive


@CRITERIA.register("obd")
class OBD(DataCriterion):
    """Scores a weight by the loss that its removal costs at a minimum, h w^2 / 2.

    h is the weight's diagonal entry of the Hessian of the mean loss. From
    [LeCun et al., 1990](https://proceedings.neurips.cc/paper/1989/hash/6c9882bbac1c7093bd25041881277658-Abstract.html),
    section 2: train, prune a little, train on. The scores compare between layers. No other
    weight is changed.

    Example:

    ```python
    kp.prune(model, 0.8, criterion=kp.OBD("hutchinson", seed=0), data=(x, y))
    ```

    Args:
        diagonal: Str. `"fisher"`: the mean of the examples' squared gradients (empirical
            Fisher). `"gauss_newton"`: the same with labels drawn from the model, for a
            categorical crossentropy or a mean squared error. `"hutchinson"`: the mean of
            v * Hv over random signs v. `"exact"`: the Hessian itself, for at most 10000
            weights. The last two may be negative. Defaults to `"fisher"`.
        samples: Int or `None`. Number of examples, each with a backward pass of its own, for
            `"fisher"` and `"gauss_newton"`; number of random vectors, each with a pass over the
            data, for `"hutchinson"`. Defaults to all examples, and to 16 vectors.
        seed: Int >= 0 or `None`. Fixes the random labels and vectors. Defaults to one drawn
            from numpy's global generator, which `keras.utils.set_random_seed` fixes.
        loss: Str, `keras.losses.Loss` or callable(y, y_pred). Defaults to what the model is
            compiled with.
        training: Bool. Whether layers work as in training. Defaults to `False`.
        batch_size: Int. Examples a batch, where `data` is a tuple of arrays. Defaults to `32`.
    """

    def __init__(
        self,
        diagonal="fisher",
        samples=None,
        seed=None,
        loss=None,
        training=False,
        batch_size=32,
    ):
        super().__init__(loss, training, batch_size)
        self.diagonal = check_choice("diagonal", diagonal, tuple(DIAGONALS))
        self.samples = None if samples is None else check_positive("samples", samples)
        self.seed = int(np.random.randint(2**31)) if seed is None else seed
        if not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(f"Argument `seed` must be an int >= 0 or None. Received: seed={seed}")

    def scores(self, weights, probe=None):
        generator = np.random.default_rng(self.seed)
        diagonals = DIAGONALS[self.diagonal](probe, weights, self.samples, generator)
        return [
            np.float32(0.5) * h * np.square(weight.numpy())
            for weight, h in zip(weights, diagonals, strict=True)
        ]

    def with_seed(self, seed):
        return OBD(**{**self.get_config(), "seed": seed})
