import keras
import numpy as np
import pytest

from keras_prune.callbacks import RegularizeCallback
from keras_prune.regularizers import PlateauPruning, prune_to_tolerance
from tests.quadratics import linear_model
from tests.small_models import ZeroProbe, kernels, mlp, toy_data, zeros_of

pytestmark = pytest.mark.all_backends


def diagonal_regression(weights):
    """A model whose loss is the sum of the squares of the weights that were pruned."""
    weights = np.asarray(weights, "float32").reshape(-1, 1)
    model = linear_model(weights)
    model.compile("sgd", lambda y, y_pred: keras.ops.sum(keras.ops.square(y - y_pred), -1))
    x = np.eye(len(weights), dtype="float32")
    return model, (x, weights * 1.0), weights


def loss_on(model, data):
    return model.evaluate(*data, verbose=0)


def test_the_largest_threshold_that_is_tolerated():
    weights = [0.1, -0.2, 0.3, -0.4, 3.0, -5.0]
    model, data, kernel = diagonal_regression(weights)
    # The mean of the squares: 0.05 for all but the large ones, 1.55 with the 3 as well.
    report = prune_to_tolerance(model, data, tolerance=0.5, best=0.04, evaluations=30)
    assert report.allowed == pytest.approx(0.06)
    expected = np.where(np.abs(kernel) < 1.0, 0.0, kernel)
    np.testing.assert_array_equal(kernels(model)[0], expected)
    assert 0.4 < report.threshold <= 3.0
    assert report.sparsity == pytest.approx(4 / 6)
    assert report.evaluations <= 3  # no two of them prune the same weights
    assert report.loss == pytest.approx(loss_on(model, data)) == pytest.approx(0.05)


def test_where_nothing_is_tolerated_nothing_changes():
    model, data, kernel = diagonal_regression([1.0, 2.0, 3.0])
    report = prune_to_tolerance(model, data, tolerance=0.0)
    np.testing.assert_array_equal(kernels(model)[0], kernel)
    assert report.threshold == 0.0
    assert report.sparsity == 0.0


def test_where_everything_is_tolerated_one_weight_survives():
    model, data, _ = diagonal_regression([1.0, 2.0, 3.0])
    report = prune_to_tolerance(model, data, tolerance=1.0, best=100.0, evaluations=40)
    np.testing.assert_array_equal(kernels(model)[0], [[0.0], [0.0], [3.0]])
    assert report.evaluations == 2  # the mean, 2.0, prunes one, and 3.0 the other


@pytest.mark.parametrize("allowed", [0.02, 0.4])
def test_the_loss_is_what_was_allowed_and_the_next_weight_would_be_too_much(allowed):
    random = np.random.default_rng(3)
    model, data, kernel = diagonal_regression(random.normal(size=30))
    report = prune_to_tolerance(model, data, 0.0, best=allowed, evaluations=60)
    assert loss_on(model, data) <= allowed
    order = np.sort(np.abs(kernel), axis=None)
    pruned = int((kernels(model)[0] == 0.0).sum())
    assert pruned == np.searchsorted(np.cumsum(order**2) / 30, allowed, side="right")
    assert report.sparsity == pytest.approx(pruned / 30)


def test_an_evaluation_that_fails_leaves_no_trial_behind(monkeypatch):
    model, data, kernel = diagonal_regression([1.0, 2.0, 3.0])

    def fail(**arguments):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(model, "evaluate", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        prune_to_tolerance(model, data, best=1.0)
    np.testing.assert_array_equal(kernels(model)[0], kernel)


def test_units_go_whole_and_zeros_stay():
    model = mlp()
    kernel = kernels(model)[0]
    kernel[0, 0] = 0.0
    model.get_layer("hidden").kernel.assign(kernel)
    report = prune_to_tolerance(model, toy_data(), 0.5, granularity="1x4")
    blocks = (kernels(model)[0] != 0.0).T.reshape(-1, 4).sum(axis=1)
    assert set(blocks[1:]) == {0, 4}
    assert kernels(model)[0][0, 0] == 0.0
    assert report.sparsity > 0.0
    assert loss_on(model, toy_data()) <= report.allowed + 1e-6


def test_on_a_plateau_the_tolerated_weights_are_pruned():
    model = mlp(keras.optimizers.SGD(0.0))  # gets no better from the first epoch on
    policy = PlateauPruning(toy_data(), tolerance=0.1, patience=2)
    callbacks = [RegularizeCallback(policy), ZeroProbe()]
    history = model.fit(*toy_data(), epochs=4, verbose=0, callbacks=callbacks).history
    assert [value > 0.0 for value in history["sparsity"]] == [False, False, True, True]
    # Once in the third epoch, and when training has ended.
    report, last = policy.reports
    assert report.sparsity == history["sparsity"][2] <= last.sparsity
    assert all(search.loss <= search.allowed for search in policy.reports)
    assert sum(zero.sum() for zero in zeros_of(model)) == pytest.approx(176 * last.sparsity)
    assert len(model.optimizer.variables) == 2


def test_the_end_of_training_prunes_what_is_tolerated():
    model = mlp()
    policy = PlateauPruning(toy_data(), tolerance=0.1)
    model.fit(*toy_data(), epochs=2, verbose=0, callbacks=[RegularizeCallback(policy)])
    (report,) = policy.reports
    assert report.allowed == pytest.approx(1.1 * policy.best)
    assert report.sparsity > 0.0
    assert sum(zero.sum() for zero in zeros_of(model)) == pytest.approx(176 * report.sparsity)
    assert loss_on(model, toy_data()) <= report.allowed + 1e-6


def test_what_a_plateau_has_pruned_stays_pruned():
    model = mlp(keras.optimizers.SGD(1.0))
    with PlateauPruning(toy_data(), tolerance=0.1, patience=1).attach(model) as policy:
        policy.end_epoch({})
        policy.end_epoch({})
        before = zeros_of(model)
        assert before[0].any()
        model.optimizer.apply([keras.ops.ones(v.shape) for v in model.trainable_variables])
    for one, two in zip(before, zeros_of(model), strict=True):
        np.testing.assert_array_equal(one, two)


def test_best_is_the_lowest_loss_and_a_state_keeps_it():
    model = mlp()
    policy = PlateauPruning(toy_data(), patience=3)
    policy.attach(model)
    losses = []
    for scale in (1.0, 0.5, 4.0, 5.0):
        model.get_layer("logits").kernel.assign(kernels(model)[1] * scale)
        losses.append(loss_on(model, toy_data()))
        policy.end_epoch({})
    state = policy.state()
    assert state["best"] == pytest.approx(min(losses))
    assert state["waited"] == len(losses) - 1 - int(np.argmin(losses))
    again = PlateauPruning(toy_data(), patience=3)
    again.attach(mlp(seed=1), initial_step=None)
    again.restore(state)
    assert (again.best, again.waited) == (policy.best, policy.waited)
    policy.detach()
    again.detach()


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"validation_data": None}, "pass `validation_data`"),
        ({"validation_data": toy_data(), "tolerance": -1.0}, "Received: tolerance=-1.0"),
        ({"validation_data": toy_data(), "evaluations": 0}, "Received: evaluations=0"),
        ({"validation_data": toy_data(), "granularity": "2:4"}, "nothing to allocate|no other"),
    ],
)
def test_wrong_arguments_get_a_sentence(arguments, sentence):
    for call in (PlateauPruning, lambda **a: prune_to_tolerance(mlp(), **a)):
        with pytest.raises(ValueError, match=sentence):
            call(**arguments)


def test_a_model_that_is_not_compiled_gets_a_sentence():
    with pytest.raises(ValueError, match="needs a compiled model"):
        prune_to_tolerance(linear_model(np.ones((2, 2))), toy_data())
