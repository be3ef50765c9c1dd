import keras
import numpy as np
import pytest

from keras_prune.criteria import Taylor
from keras_prune.granularity import Block, Filter
from keras_prune.one_shot import prune
from keras_prune.weights import find_weights
from tests.quadratics import linear_model, loss_value, quadratic, scores_of


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


def gated_network():
    """Convolutions with batch normalization, one of them in groups, and their data."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(4, 3, name="plain"),
            layers.BatchNormalization(),
            layers.Activation("tanh"),
            layers.Conv2D(6, 2, groups=2, use_bias=False, name="grouped"),
            layers.BatchNormalization(),
            layers.Activation("tanh"),
            layers.Conv2DTranspose(3, 2, name="transposed"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, name="logits"),
        ]
    )
    generator = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            values = [generator.uniform(0.5, 1.5, value.shape) for value in layer.get_weights()]
            layer.set_weights(values)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    x = generator.normal(size=(12, 6, 6, 2)).astype("float32")
    return model, x, generator.integers(0, 3, 12)


@pytest.mark.all_backends
def test_the_score_of_a_filter_is_the_squared_slope_in_its_gate():
    """The gate multiplies a whole filter: (L(1 + h) - L(1 - h)) / 2h, squared."""
    model, x, y = gated_network()
    weights = find_weights(model)[:3]
    views = [weight.to_view(weight.numpy(), full=True) for weight in weights]
    units = [w.from_view(Filter().units(v.shape)) for w, v in zip(weights, views, strict=True)]
    criterion = Taylor("gradients", form="gates")
    found = criterion.scores(weights, criterion.probe(model, (x, y)), units=units)
    h = 1e-2
    for weight, unit, score in zip(weights, units, found, strict=True):
        before = weight.numpy()
        for index in range(unit.max() + 1):
            losses = []
            for gate in (1.0 + h, 1.0 - h):
                weight.variable.assign(np.where(unit == index, gate * before, before))
                losses.append(loss_value(model, x, y))
            weight.variable.assign(before)
            slope = (losses[0] - losses[1]) / (2 * h)
            assert score[unit == index].sum() == pytest.approx(slope**2, rel=2e-2, abs=1e-7)


@pytest.mark.all_backends
def test_filters_of_convolutions_go_by_their_gates():
    model, x, y = gated_network()
    weights = find_weights(model)[:3]
    criterion = Taylor("gradients", form="gates")
    units = [w.from_view(Filter().units(w.to_view(w.numpy(), full=True).shape)) for w in weights]
    scores = criterion.scores(weights, criterion.probe(model, (x, y)), units=units)
    sums = [np.bincount(u.ravel(), s.ravel()) for u, s in zip(units, scores, strict=True)]
    report = prune(model, 0.5, criterion=criterion, granularity=Filter(coupled=False), data=(x, y))
    assert report.reached
    for weight, unit, expected in zip(weights, units, sums, strict=True):
        left = np.bincount(unit.ravel(), weight.numpy().ravel() != 0.0) > 0
        assert left.sum() == {4: 2, 6: 3, 3: 1}[expected.size]
        assert expected[left].min() >= expected[~left].max()
