"""STE: the best weights live, and all of them learn."""

from keras_prune.regrowth.regrowth import REGROWTHS, Regrowth


@REGROWTHS.register("ste")
class STE(Regrowth):
    """Masks that are chosen anew at every update, among all weights.

    The forward pass uses w * m, and the gradient with respect to w * m is applied to all of w:
    the straight-through estimator of [Bengio et al., 2013](https://arxiv.org/abs/1308.3432).
    A pruned weight goes on learning, hidden, and comes back as soon as it is among the best
    that the sparsity allows. The criterion decides what is best: `"magnitude"`
    makes it top-k training, `"movement"` movement pruning.

    Updates come as often as the schedule says, and none comes after its end: the masks are
    frozen from there on.

    Example:

    ```python
    kp.PruneCallback(0.9, regrowth="ste", schedule=kp.ConstantSparsity(frequency=10))
    ```
    """

    keeps_values = True

    def update(self, update):
        update.prune(revive=True)
