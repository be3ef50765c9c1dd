"""RigL: weights grow where the loss would use them most."""

import math

import numpy as np

from keras_prune.batches import draw_batch
from keras_prune.criteria import check_positive
from keras_prune.probes import Probe
from keras_prune.regrowth.exchange import Exchange
from keras_prune.regrowth.regrowth import REGROWTHS


@REGROWTHS.register("rigl")
class RigL(Exchange):
    """Rigging the lottery: drop the smallest weights, grow those with the largest gradients.

    At step t the fraction alpha / 2 * (1 + cos(pi t / T)) of a layer's weights is exchanged,
    with T the end of the schedule. The gradients are those of one batch of `data`, dense, at
    the masked weights. From [Evci et al., 2020](https://arxiv.org/abs/1911.11134), section 3;
    the paper begins from random masks, updates every 100 steps and stops after three quarters
    of training:

    Example:

    ```python
    kp.PruneCallback(
        0.9,
        criterion="random",
        allocation="erk",
        schedule=kp.ConstantSparsity(end_step=0.75, frequency=100),
        regrowth="rigl",
        data=(x, y),
    )
    ```

    With a schedule that rises, `kp.PolynomialDecay`, this is gradual pruning with regrowth
    ([GraNet](https://arxiv.org/abs/2106.10404)).

    Args:
        fraction: Float in [0, 1). The alpha above. Defaults to `0.3`.
        loss: Str, `keras.losses.Loss` or callable(y, y_pred). Defaults to what the model is
            compiled with.
        training: Bool. Whether layers work as in training. Defaults to `True`.
        batch_size: Int. Examples a batch, where `data` is a tuple of arrays. Defaults to `128`.
        seed: Int. Fixes which examples are drawn. Defaults to `0`, or the pruner's `seed`.
    """

    needs_data = True

    def __init__(self, fraction=0.3, loss=None, training=True, batch_size=128, seed=0):
        super().__init__(fraction)
        self.loss = loss
        self.training = training
        self.batch_size = check_positive("batch_size", batch_size)
        self.seed = seed

    def with_seed(self, seed):
        return type(self)(self.fraction, self.loss, self.training, self.batch_size, seed)

    def probe(self, model, data):
        return Probe(model, data, self.loss, self.training, self.batch_size)

    def exchanged(self, update):
        return self.fraction / 2.0 * (1.0 + math.cos(math.pi * update.progress))

    def growth(self, update):
        generator = np.random.default_rng([self.seed, update.step])
        probe = update.probe
        batch = draw_batch(probe.data, probe.batch_size, generator)
        return [abs(g) for g in probe.gradients(update.store.weights, batches=[batch])]
