"""Iterative pruning: masks that only grow, learning rates, and a tolerance that is kept."""

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.recipes import iterative_prune
from tests.recipes.round_models import Recorder, X, Y, assert_same, fit, noisy, state_of
from tests.small_models import mlp


def kept(report):
    """Weights left in the two kernels, round by round."""
    return [[int(mask.sum()) for mask in item.masks.values()] for item in report.rounds]


def scripted(*values):
    """An `evaluate` that says these values in turn."""
    rest = iter(values)
    return lambda model: next(rest)


@pytest.mark.all_backends
def test_survivors_are_trained_on_from_where_they_are():
    model, train = noisy(), Recorder()
    model.optimizer.build(model.trainable_variables)
    given = state_of(model)
    report = iterative_prune(model, train, sparsity=[0.5, 0.75], seed=0)
    first, second = (item.masks["noisy/hidden/kernel"] for item in report.rounds[1:])
    np.testing.assert_array_equal(train.before[1][0][0], np.where(first, given[0], 0.0))
    trained = train.after[1][0][0]
    np.testing.assert_array_equal(train.before[2][0][0], np.where(second, trained, 0.0))
    assert not np.any(second & ~first)
    assert kept(report) == [[128, 48], [64, 24], [32, 12]]
    after = state_of(model)
    assert_same(after[: len(model.variables)], train.after[2][0][: len(model.variables)])
    assert_same(after[len(model.variables) :], given[len(model.variables) :])


def test_rounds_prune_the_same_fraction_of_what_is_left():
    report = iterative_prune(mlp(), fit, sparsity=0.875, rounds=3, seed=0)
    assert kept(report) == [[128, 48], [64, 24], [32, 12], [16, 6]]
    table = kp.PerLayer({"hidden": 0.75})
    report = iterative_prune(mlp(), fit, allocation=table, rounds=2, seed=0)
    assert kept(report) == [[128, 48], [64, 48], [32, 48]]


def test_a_model_that_is_pruned_already_stays_so():
    model = mlp()
    kp.prune(model, 0.5)
    before = model.get_layer("hidden").kernel.numpy() != 0.0
    report = iterative_prune(model, fit, sparsity=[0.25, 0.75], seed=0)
    assert kept(report) == [[64, 24], [64, 24], [32, 12]]
    assert not np.any(report.masks["mlp/hidden/kernel"] & ~before)


@pytest.mark.all_backends
def test_learning_rate_is_scaled_in_every_round_and_put_back():
    model, rates = noisy(keras.optimizers.SGD(0.5, momentum=0.9)), []

    def train(model, callbacks, round):
        rates.append(float(model.optimizer.learning_rate))
        fit(model, callbacks, round, epochs=1)
        model.optimizer.learning_rate = 7.0

    iterative_prune(model, train, rounds=2, learning_rate_factor=(0.1, 0.01), seed=0)
    assert rates == pytest.approx([0.05, 0.005])
    assert float(model.optimizer.learning_rate) == 0.5


def test_learning_rate_schedules_are_left_alone_or_refused():
    decay = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    with pytest.raises(ValueError, match=r"`learning_rate_factor` needs.*Received"):
        iterative_prune(noisy(keras.optimizers.SGD(decay)), fit, rounds=1)
    model = noisy(keras.optimizers.SGD(decay))
    assert iterative_prune(model, fit, rounds=1, learning_rate_factor=None).kept == 1


@pytest.mark.all_backends
def test_the_last_model_within_tolerance_is_kept():
    model, train = noisy(), Recorder(epochs=1)
    evaluate = scripted(0.9, 0.88, 0.87, 0.85, 0.9)
    report = iterative_prune(model, train, evaluate, rounds=4, tolerance=0.03, seed=0)
    assert [item.evaluation["evaluation"] for item in report.rounds] == [0.9, 0.88, 0.87, 0.85]
    assert report.kept == 2
    assert report.masks is report.rounds[2].masks
    count = len(model.variables)
    assert_same(state_of(model)[:count], train.after[2][0][:count])


def test_a_first_round_beyond_tolerance_gives_the_model_back():
    model = mlp()
    given = state_of(model)[: len(model.variables)]
    evaluate = scripted({"loss": 1.0, "top": 0.5}, {"loss": 1.2, "top": 0.9})
    report = iterative_prune(model, fit, evaluate, tolerance=0.1, monitor="loss", seed=0)
    assert (report.kept, report.density, len(report.rounds)) == (0, 1.0, 2)
    assert_same(state_of(model)[: len(given)], given)


@pytest.mark.all_backends
def test_dropout_shrinks_with_the_connections():
    model, rates = noisy(), []

    def train(model, callbacks, round):
        rates.append(model.get_layer("dropout").rate)
        fit(model, callbacks, round, epochs=1)

    iterative_prune(model, train, sparsity=[0.75], scale_dropout=True, seed=0)
    assert rates == pytest.approx([0.2 * 0.25**0.5])
    assert model.get_layer("dropout").rate == 0.2


def test_same_seed_same_result():
    first, second = noisy(), noisy()
    reports = [
        iterative_prune(model, fit, (X, Y), rounds=2, criterion="random", seed=4)
        for model in (first, second)
    ]
    assert reports[0] == reports[1]
    assert_same(state_of(first), state_of(second))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (dict(sparsity=[0.5, 0.4]), "cannot fall"),
        (dict(sparsity=[]), "cannot fall"),
        (dict(sparsity=[0.5], rounds=2), "leave `rounds` out"),
        (dict(sparsity=1.0), r"number in \[0, 1\)"),
        (dict(learning_rate_factor=0.0), "`learning_rate_factor` must be a number"),
        (dict(learning_rate_factor=(0.1, 0.1)), "one for each of 5 rounds"),
        (dict(tolerance=-1.0), "`tolerance` must be a number >= 0"),
        (dict(tolerance=0.1, evaluate=None), "`tolerance` needs `evaluate`"),
        (dict(tolerance=0.1, monitor="top"), "`monitor` must name"),
        (dict(mode="best"), '`mode` must be "auto"'),
    ],
)
def test_wrong_arguments_get_a_sentence(arguments, sentence):
    arguments = {"evaluate": lambda model: 1.0, **arguments}
    with pytest.raises(ValueError, match=rf"(?s){sentence}.*Received: "):
        iterative_prune(noisy(), fit, seed=0, **arguments)
