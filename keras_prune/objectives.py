"""The loss that criteria differentiate, and what a model's outputs mean to it."""

import keras

_CLASSES = (keras.losses.SparseCategoricalCrossentropy, keras.losses.CategoricalCrossentropy)
_CLASS_FUNCTIONS = (
    keras.losses.sparse_categorical_crossentropy,
    keras.losses.categorical_crossentropy,
)


class Objective:
    """The mean loss of a batch, as a scalar.

    Args:
        model: `keras.Model`.
        loss: Str, `keras.losses.Loss`, callable(y, y_pred) or `None` for all that the model is
            compiled with: its losses, their weights and its regularizers.
        temperature: Float. Divides the logits of classes first. Defaults to `1.0`.

    Raises:
        ValueError: If there is no loss, or a temperature and no classes.
    """

    def __init__(self, model, loss=None, temperature=1.0):
        self.model = model
        self.loss = None if loss is None else keras.losses.get(loss)
        self.temperature = temperature
        if loss is None and not _has_loss(model):
            raise ValueError(
                "A criterion that looks at data needs a loss: compile the model with one, or pass "
                'it to the criterion, as in `kp.SNIP(loss="mse")`. '
                f"Received: model={model.name}, loss=None"
            )
        self.outputs = _meaning(self.loss if loss is not None else model.loss)
        if temperature != 1.0 and self.outputs not in ("logits", "probabilities"):
            raise ValueError(
                "A temperature softens the probabilities of classes, and this loss is no "
                "categorical crossentropy: pass `temperature=1.0`. "
                f"Received: temperature={temperature}, loss={loss or model.loss}"
            )

    def __call__(self, x, y, y_pred, sample_weight=None):
        y_pred = self._soften(y_pred)
        if self.loss is None:
            return self.model.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
        values = self.loss(y, y_pred)
        if sample_weight is not None and isinstance(self.loss, keras.losses.Loss):
            values = self.loss(y, y_pred, sample_weight)
        elif sample_weight is not None:
            values = values * keras.ops.cast(sample_weight, values.dtype)
        return keras.ops.mean(values)

    def _soften(self, y_pred):
        """The prediction that the model would make with its logits divided by T."""
        if self.temperature == 1.0:
            return y_pred
        if self.outputs == "logits":
            return y_pred / self.temperature
        # softmax(log p / T) = softmax(z / T): the two logits differ by a constant.
        tiny = keras.config.epsilon()
        return keras.ops.softmax(keras.ops.log(y_pred + tiny) / self.temperature)


def _has_loss(model):
    own = type(model).compute_loss is not keras.Model.compute_loss
    return model.compiled and (own or model.loss is not None)


def _meaning(loss):
    """Str or `None`: "logits" or "probabilities" of classes, or "values" of a squared error."""
    if not (isinstance(loss, str) or callable(loss)):
        return None
    loss = keras.losses.get(loss)
    if isinstance(loss, _CLASSES) and not getattr(loss, "label_smoothing", 0):
        return "logits" if loss.from_logits else "probabilities"
    if loss in _CLASS_FUNCTIONS:
        return "probabilities"
    if isinstance(loss, keras.losses.MeanSquaredError) or loss is keras.losses.mean_squared_error:
        return "values"
    return None
