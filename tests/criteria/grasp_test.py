import keras
import numpy as np
import pytest

from keras_prune.criteria import GraSP
from keras_prune.one_shot import prune
from keras_prune.weights import find_weights
from tests.quadratics import linear_model, quadratic, scores_of
from tests.small_models import kernels, mlp, toy_data, zeros_of

A = np.array([[3.0, 1.0, 0.0], [1.0, 2.0, -1.0], [0.0, -1.0, 1.0]])
W = np.array([1.0, -2.0, 0.5])


@pytest.mark.all_backends
def test_quadratic_gives_the_weights_times_the_squared_matrix():
    model, x, y, loss = quadratic(W, A, np.zeros(3))
    (scores,) = scores_of(GraSP(temperature=1, loss=loss), model, x, y)
    # A W = (1, -3.5, 2.5), A A W = (-0.5, -8.5, 6): S = -W * A A W = (0.5, -17, -3).
    np.testing.assert_allclose(-scores.ravel(), [0.5, -17.0, -3.0], rtol=1e-5)


def test_hg_is_half_the_gradient_of_the_squared_norm():
    """The two formulas of Hg: grad(g . stopgrad(g)), as here, and grad(g . g) / 2."""
    model, (x, y) = mlp(), toy_data()
    model.get_layer("hidden").activation = keras.activations.tanh  # smooth, unlike relu
    criterion = GraSP(temperature=1.0)
    hidden, _ = scores_of(criterion, model, x, y)
    values = kernels(model)[0]
    variable, probe = model.get_layer("hidden").kernel, criterion.probe(model, (x, y))

    def squared_norm(kernel):
        variable.assign(kernel)
        gradients = probe.gradients(find_weights(model))
        return sum(np.square(gradient, dtype=np.float64).sum() for gradient in gradients)

    for index in np.argsort(np.abs(hidden).ravel())[-3:]:
        step = np.zeros(values.size, np.float32)
        step[index] = 1e-2
        step = step.reshape(values.shape)
        slope = (squared_norm(values + step) - squared_norm(values - step)) / 2e-2
        expected = values.ravel()[index] * slope / 2.0
        np.testing.assert_allclose(hidden.ravel()[index], expected, rtol=2e-2)


def test_the_highest_s_is_removed():
    model, x, y, loss = quadratic(W, A, np.zeros(3))
    prune(model, 1 / 3, criterion=GraSP(temperature=1, loss=loss), data=(x, y))
    assert zeros_of(model)[0].ravel().tolist() == [True, False, False]


def test_two_halves_rank_as_the_whole():
    x, y = toy_data()
    model = mlp()
    whole = scores_of(GraSP(batch_size=64), model, x, y)
    halves = scores_of(GraSP(batch_size=32), model, x, y)
    for one, other in zip(whole, halves, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4 * np.abs(one).max())


def test_temperature_softens_logits():
    x, y = toy_data()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = mlp()
    scores = scores_of(GraSP(temperature=7.0), model, x, y)
    soft = GraSP(temperature=1.0, loss=lambda y, y_pred: loss(y, y_pred / 7.0))
    for one, other in zip(scores, scores_of(soft, model, x, y), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4 * np.abs(one).max())


def test_other_losses_need_a_temperature_of_one():
    model = linear_model(np.ones((2, 1)))
    model.compile("sgd", "mse")
    data = np.ones((4, 2)), np.ones((4, 1))
    with pytest.raises(ValueError, match=r"pass `temperature=1.0`. Received: temperature=200.0"):
        prune(model, 0.5, criterion="grasp", data=data)
    prune(model, 0.5, criterion=GraSP(temperature=1.0), data=data)
