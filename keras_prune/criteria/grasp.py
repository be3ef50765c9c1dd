"""GraSP: pruning at initialization that keeps the flow of gradients."""

from keras_prune.criteria.criterion import CRITERIA
from keras_prune.criteria.data_criterion import DataCriterion
from keras_prune.probes import Probe


@CRITERIA.register("grasp")
class GraSP(DataCriterion):
    """Removes the weights whose removal reduces the gradient's norm least, or raises it.

    To first order, the squared norm of the gradient changes by S = -w Hg (times 2) when w is
    removed. The weights with the highest S go, so the score is w Hg. From
    [Wang et al., 2020](https://arxiv.org/abs/2002.07376), equation 8 and algorithm 1: prune a
    model as it was initialized, on some examples of each class, with
    `allocation="global"`, then train it from the same weights.

    g and H are those of the mean loss over all of `data`. The authors' code sums over two
    halves of its data, to save memory: the same up to a factor that changes no ranking. Here
    `batch_size` bounds the memory.

    Example:

    ```python
    kp.prune(model, 0.95, criterion="grasp", data=(x, y), allocation="global")
    ```

    Args:
        temperature: Float > 0. Divides the logits, of a categorical crossentropy; the loss may
            also take probabilities. Any other loss needs `1.0`. Defaults to `200.0`.
        loss: Str, `keras.losses.Loss` or callable(y, y_pred). Defaults to what the model is
            compiled with.
        training: Bool. Whether layers work as in training. Defaults to `False`.
        batch_size: Int. Examples a batch, where `data` is a tuple of arrays. Defaults to `32`.
    """

    def __init__(self, temperature=200.0, loss=None, training=False, batch_size=32):
        super().__init__(loss, training, batch_size)
        self.temperature = temperature
        if not isinstance(temperature, (int, float)) or not 0 < temperature < float("inf"):
            raise ValueError(
                f"Argument `temperature` must be a positive number. Received: {temperature=}"
            )

    def probe(self, model, data):
        return Probe(
            model, data, self.loss, self.training, self.batch_size, float(self.temperature)
        )

    def scores(self, weights, probe=None):
        products = probe.hessian_products(weights, probe.gradients(weights))
        return [weight.numpy() * hg for weight, hg in zip(weights, products, strict=True)]
