import keras
import numpy as np
import pytest

from keras_prune.objectives import Objective
from tests.quadratics import linear_model

Y = np.array([0, 1])
LOGITS = np.array([[2.0, 0.0, -1.0], [1.0, 3.0, 0.5]], "float32")
FROM_LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def model(loss=None, **arguments):
    made = linear_model(np.ones((2, 3)))
    if loss is not None:
        made.compile("sgd", loss, **arguments)
    return made


@pytest.mark.all_backends
def test_compiled_loss_counts_sample_weights():
    objective = Objective(model(FROM_LOGITS))
    expected = np.log(np.exp(LOGITS).sum(-1)) - LOGITS[[0, 1], Y]
    np.testing.assert_allclose(float(objective(None, Y, LOGITS)), expected.mean(), rtol=1e-5)
    weighted = float(objective(None, Y, LOGITS, np.array([3.0, 0.0], "float32")))
    np.testing.assert_allclose(weighted, 3.0 * expected[0] / 2, rtol=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        "mse",
        keras.losses.MeanSquaredError(),
        lambda y, y_pred: keras.ops.mean(keras.ops.square(y_pred - y), axis=-1),
    ],
)
@pytest.mark.all_backends
def test_own_loss_comes_before_the_compiled_one(loss):
    objective = Objective(model(FROM_LOGITS), loss)
    value = objective(None, np.zeros((2, 3), "float32"), LOGITS)
    np.testing.assert_allclose(float(value), np.square(LOGITS).mean(), rtol=1e-6)
    weights = np.array([1.0, 0.0], "float32")
    value = objective(None, np.zeros((2, 3), "float32"), LOGITS, weights)
    np.testing.assert_allclose(float(value), np.square(LOGITS[0]).mean() / 2, rtol=1e-6)


@pytest.mark.all_backends
def test_temperature_is_the_same_for_logits_and_probabilities():
    logits = LOGITS / 200.0
    expected = (np.log(np.exp(logits).sum(-1)) - logits[[0, 1], Y]).mean()
    soft = np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)
    for loss, y_pred in ((FROM_LOGITS, LOGITS), ("sparse_categorical_crossentropy", soft)):
        value = Objective(model(loss), temperature=200.0)(None, Y, y_pred)
        np.testing.assert_allclose(float(value), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "loss, outputs",
    [
        (FROM_LOGITS, "logits"),
        (keras.losses.CategoricalCrossentropy(), "probabilities"),
        ("categorical_crossentropy", "probabilities"),
        ("mse", "values"),
        (keras.losses.CategoricalCrossentropy(label_smoothing=0.1), None),
        ("mae", None),
        ([FROM_LOGITS], None),
    ],
)
def test_meaning_of_the_outputs(loss, outputs):
    assert Objective(model(loss)).outputs == outputs


def test_without_a_loss_there_is_a_sentence():
    without = model()
    for _ in range(2):
        with pytest.raises(ValueError, match=r"needs a loss: compile the model.*loss=None"):
            Objective(without)
        without.compile("sgd")


def test_temperature_needs_classes():
    with pytest.raises(ValueError, match=r"pass `temperature=1.0`. Received: temperature=200.0"):
        Objective(model("mse"), temperature=200.0)
