"""What the criteria that look at data have in common."""

from keras_prune.batches import check_data
from keras_prune.criteria.criterion import Criterion
from keras_prune.probes import Probe


class DataCriterion(Criterion):
    """Base class: scores weights by what the loss on data says of them. Higher = keep.

    Subclasses write `scores(weights, probe)`, where the probe gives gradients and
    Hessian-vector products of the mean loss, see `keras_prune.probes.Probe`.

    Example:

    ```python
    class Slope(kp.criteria.DataCriterion):
        def scores(self, weights, probe):
            return [abs(gradient) for gradient in probe.gradients(weights)]

    kp.prune(model, 0.8, criterion=Slope(), data=(x, y))
    ```

    Args:
        loss: Str, `keras.losses.Loss` or callable(y, y_pred). Defaults to all that the model is
            compiled with: its losses, their weights and its regularizers.
        training: Bool. Whether `BatchNormalization` and `Dropout` work as in training; the
            model's state stays as it is either way. Defaults to `False`.
        batch_size: Int. Examples a batch, where `data` is a tuple of arrays. Defaults to `32`.
    """

    needs_data = True

    def __init__(self, loss=None, training=False, batch_size=32):
        self.loss = loss
        self.training = training
        self.batch_size = check_positive("batch_size", batch_size)

    def probe(self, model, data):
        return Probe(model, data, self.loss, self.training, self.batch_size)

    def check_data(self, data):
        if data is None:
            raise ValueError(
                f"Criterion {self!r} looks at data: pass `data`, a tuple of arrays (x, y) or an "
                "iterable of batches (x, y). Received: data=None"
            )
        check_data(data)

    def scores(self, weights, probe=None):
        raise NotImplementedError(f"`{type(self).__name__}` must implement `scores`.")


def check_positive(name, value):
    """Refuse what is not an int > 0."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"Argument `{name}` must be an int > 0. Received: {name}={value!r}")
    return value


def check_choice(name, value, choices):
    """Refuse what is not one of the choices."""
    if value not in choices:
        raise ValueError(
            f"Argument `{name}` must be one of {list(choices)}. Received: {name}={value!r}"
        )
    return value
