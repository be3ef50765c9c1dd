import keras
import numpy as np
import pytest

from keras_prune.criteria import OBD
from tests.quadratics import linear_model, quadratic, scores_of

X = np.random.default_rng(0).normal(size=(10, 3)).astype("float32")
W = np.array([[1.0], [-2.0], [0.5]])
Y = X @ W + np.linspace(-1.0, 1.0, 10).reshape(-1, 1)


def half_squared_error(y, y_pred):
    return 0.5 * (y_pred - y) ** 2


def diagonal(model, x, y, name, **arguments):
    """The diagonal that a criterion uses, from scores h w^2 / 2 of weights that are not 0."""
    (scores,) = scores_of(OBD(name, **arguments), model, x, y)
    return (2.0 * scores / np.square(model.get_weights()[0])).ravel()


@pytest.mark.all_backends
@pytest.mark.parametrize("arguments", [("exact",), ("hutchinson", 400, 0)])
def test_quadratic_at_its_minimum(arguments):
    model, x, y, loss = quadratic([1.0, 2.0], [[2.0, 1.0], [1.0, 2.0]], [1.0, 2.0])
    (scores,) = scores_of(OBD(*arguments, loss=loss), model, x, y)
    rtol = 1e-5 if arguments[0] == "exact" else 0.1
    np.testing.assert_allclose(scores.ravel(), [1.0, 4.0], rtol=rtol)


def test_exact_is_the_mean_square_of_the_inputs_in_linear_regression():
    h = diagonal(linear_model(W), X, Y, "exact", loss=half_squared_error, batch_size=4)
    np.testing.assert_allclose(h, np.square(X).mean(0), rtol=1e-5)


def test_gauss_newton_is_the_hessian_of_linear_regression():
    model = linear_model(W)
    model.compile("sgd", "mse")
    h = diagonal(model, X, Y, "gauss_newton", seed=0)
    np.testing.assert_allclose(h, 2.0 * np.square(X).mean(0), rtol=1e-4)


def test_hutchinson_mean_of_both_signs_is_exact():
    """Unbiased: over all sign vectors the mean of v * Hv is the diagonal."""
    model, x, y, loss = quadratic([1.0, 1.0], [[2.0, 1.0], [1.0, 5.0]], [0.0, 0.0])
    estimates = [
        diagonal(model, x, y, "hutchinson", samples=1, seed=s, loss=loss) for s in range(9)
    ]
    # v * Hv is (2, 5) + (1, 1) for equal signs, and - (1, 1) for opposite ones.
    seen = {tuple(np.round(estimate, 4).tolist()) for estimate in estimates}
    assert seen == {(3.0, 6.0), (1.0, 4.0)}
    np.testing.assert_allclose(np.mean(list(seen), axis=0), [2.0, 5.0], rtol=1e-5)


def test_fisher_is_the_mean_of_the_squared_gradients():
    h = diagonal(linear_model(W), X, Y, "fisher", loss=half_squared_error)
    np.testing.assert_allclose(h, np.square(X * (X @ W - Y)).mean(0), rtol=1e-4)
    first = diagonal(linear_model(W), X, Y, "fisher", samples=3, loss=half_squared_error)
    np.testing.assert_allclose(first, np.square(X * (X @ W - Y))[:3].mean(0), rtol=1e-4)


@pytest.mark.parametrize("one_hot", [False, True])
def test_gauss_newton_of_classes_is_the_hessian_of_a_linear_classifier(one_hot):
    kernel = np.array([[1.0, -0.5, 0.2], [0.3, 0.8, -1.0]])
    model = linear_model(kernel)
    kind = "CategoricalCrossentropy" if one_hot else "SparseCategoricalCrossentropy"
    loss = getattr(keras.losses, kind)(from_logits=True)
    x = np.tile([[1.0, 0.5]], (400, 1))
    y = np.eye(3)[np.zeros(400, int)] if one_hot else np.zeros(400, int)
    h = diagonal(model, x, y, "gauss_newton", seed=0, loss=loss).reshape(2, 3)
    powers = np.exp(x[0] @ kernel)
    p = powers / powers.sum()
    np.testing.assert_allclose(h, np.outer(np.square(x[0]), p * (1 - p)), rtol=0.2)


def test_seed_fixes_the_draws():
    model, x, y, loss = quadratic([1.0, 2.0], [[2.0, 1.0], [1.0, 2.0]], [1.0, 2.0])
    criteria = [OBD("hutchinson", 1, seed, loss=loss) for seed in (0, 0, 1, 2, 3, 4)]
    scores = [scores_of(criterion, model, x, y)[0] for criterion in criteria]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert any(not np.array_equal(scores[0], other) for other in scores[2:])
    assert OBD("hutchinson").with_seed(3) == OBD("hutchinson", seed=3)


def test_exact_is_for_small_layers():
    model = linear_model(np.ones((101, 100)))
    model.compile("sgd", "mse")
    with pytest.raises(
        ValueError, match=r'use "hutchinson", or `filters`. Received: 10100 weights'
    ):
        scores_of(OBD("exact"), model, np.ones((1, 101)), np.ones((1, 100)))


def test_gauss_newton_needs_a_loss_that_it_knows():
    model = linear_model(W)
    model.compile("sgd", "mae")
    with pytest.raises(ValueError, match=r'use "fisher" or "hutchinson".*Received: loss=mae'):
        scores_of(OBD("gauss_newton"), model, X, Y)
