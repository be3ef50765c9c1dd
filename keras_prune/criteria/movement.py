"""Movement: which way training moves a weight."""

import numpy as np

from keras_prune.criteria.criterion import CRITERIA, Criterion


@CRITERIA.register("movement")
class Movement(Criterion):
    """Scores a weight by how far training has moved it away from zero, - sum of w dL/dw.

    The sum goes over all steps of the training so far, with the gradients that the optimizer
    applies, so it costs no data and no pass of its own. A large weight that shrinks goes
    before a small one that grows, which suits the fine-tuning of pretrained models. From
    [Sanh et al., 2020](https://arxiv.org/abs/2005.07683), section 4. The paper trains pruned
    weights on: that is `regrowth="ste"`.

    It needs a training with a Keras optimizer: in one shot there is nothing to see. At the
    first step magnitudes decide.

    Example:

    ```python
    kp.PruneCallback(0.9, criterion="movement", regrowth="ste")
    ```
    """

    accumulates = True

    def term(self, value, gradient):
        return -value * gradient

    def scores(self, weights, probe=None):
        if probe is None:
            raise ValueError(
                "Movement is what a training does to weights: use it in `PruneCallback`, or in "
                "`Pruner.attach` with a Keras optimizer. Received: no training"
            )
        sums = probe.values()
        if not any(map(np.any, sums)):  # nothing has moved yet
            return [np.abs(weight.numpy()) for weight in weights]
        return sums
