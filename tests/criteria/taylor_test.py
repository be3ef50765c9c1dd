import numpy as np
import pytest

from keras_prune.criteria import Taylor
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
