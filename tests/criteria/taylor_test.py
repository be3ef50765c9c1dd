import keras
import numpy as np
import pytest

from keras_prune.criteria import Taylor
from keras_prune.granularity import Block
from keras_prune.one_shot import prune
from keras_prune.weights import find_weights
from tests.quadratics import linear_model, quadratic, scores_of


def test_half_the_squared_norm_gives_the_fourth_power_of_the_weights():
    model, x, y, loss = quadratic([3.0, -2.0, 0.5], np.eye(3), np.zeros(3))
    (scores,) = scores_of(Taylor(loss=loss), model, x, y)
    np.testing.assert_allclose(scores.ravel(), [81.0, 16.0, 0.0625], rtol=1e-6)


@pytest.mark.parametrize("reduction, expected", [("gradients", 1.0), ("scores", 5.0)])
def test_order_of_mean_and_square(reduction, expected):
    # Loss (w x - y)^2 / 2 with w = 1: w g is 3 on the first batch and -1 on the second.
    model = linear_model([[1.0]])
    x, y = np.ones((2, 1)), np.array([[-2.0], [2.0]])
    criterion = Taylor(reduction, loss=lambda y, y_pred: 0.5 * (y_pred - y) ** 2, batch_size=1)
    (scores,) = scores_of(criterion, model, x, y)
    np.testing.assert_allclose(scores, [[expected]], rtol=1e-6)


@pytest.mark.parametrize("reduction", ["gradients", "scores"])
def test_effects_of_a_gate_are_added_before_they_are_squared(reduction):
    """L = 1/2 |w - w*|^2 with w = (1, 1, 1, 1) and w* = (0, 2, 0, 0): w g = (1, -1, 1, 1)."""
    model, x, y, loss = quadratic([1.0, 1.0, 1.0, 1.0], np.eye(4), np.array([0.0, 2.0, 0.0, 0.0]))
    criterion = Taylor(reduction, loss=loss, form="gates")
    weights = [weight for weight in find_weights(model) if weight.skip is None]
    units = [np.array([0, 0, 1, 1]).reshape(weights[0].shape)]
    (scores,) = criterion.scores(weights, criterion.probe(model, (x, y)), units)
    np.testing.assert_allclose(scores.ravel(), [0.0, 0.0, 2.0, 2.0], atol=1e-6)
    (apart,) = scores_of(Taylor(reduction, loss=loss), model, x, y)
    np.testing.assert_allclose(apart.ravel(), [1.0, 1.0, 1.0, 1.0], rtol=1e-6)


@pytest.mark.all_backends
def test_pruning_by_gates_removes_the_unit_whose_effects_cancel():
    model = linear_model([[1.0], [1.0], [0.5], [0.5]])
    targets = np.array([[0.0], [2.0], [0.0], [0.0]])
    loss = lambda y, y_pred: 0.5 * (y_pred - y) ** 2  # noqa: E731
    data = (np.eye(4, dtype="float32"), targets.astype("float32"))
    criterion = Taylor("gradients", loss=loss, form="gates")
    prune(model, 0.5, criterion=criterion, granularity=Block(1, 2), data=data)
    kernel = keras.ops.convert_to_numpy(model.layers[0].kernel)
    np.testing.assert_array_equal(kernel.ravel() == 0.0, [True, True, False, False])
