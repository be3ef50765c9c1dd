"""Joint pruning: its stages, what it reports, and that a kill loses nothing."""

import functools

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.layers import WinnerTakeAll

pytestmark = pytest.mark.all_backends
layers = keras.layers


class Killed(Exception):
    pass


def data():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(192, 12)).astype("float32")
    return x, (x[:, :3].sum(1) > 0).astype(int)


def network(dropout=False):
    keras.utils.set_random_seed(0)
    stack = [
        keras.Input((12,)),
        layers.Dense(32, name="first"),
        layers.LeakyReLU(),
        *([layers.Dropout(0.5, seed=1)] if dropout else []),
        layers.Dense(16, activation="relu", name="second"),
        layers.Dense(2, name="logits"),
    ]
    model = keras.Sequential(stack, name="network")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model


def trained(**options):
    model = network(**options)
    model.fit(*data(), epochs=4, batch_size=64, verbose=0)
    return model


class Train:
    """A training that notes the rounds it was asked for, and dies in one of them."""

    def __init__(self, dies_in=None):
        self.rounds, self.dies_in = [], dies_in

    def __call__(self, model, callbacks, round):
        self.rounds.append(round)
        model.fit(*data(), epochs=2, batch_size=64, callbacks=callbacks, verbose=0)
        if round == self.dies_in:
            raise Killed


def zeros_of(model):
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]
    return [keras.ops.convert_to_numpy(kernel) == 0.0 for kernel in kernels]


def test_weights_first_then_masks_then_both():
    model, train = trained(), Train()
    report = kp.joint_prune(model, train, data(), sparsity=0.75, rounds=2, tolerance=0.1, seed=3)
    assert train.rounds == [1, 2, 3]
    assert [stage.name for stage in report.stages] == ["dense", "weights", "masked", "joint"]
    dense, weights, masked, joint = report.stages
    assert dense.compression == 1.0
    assert weights.compression == joint.compression == pytest.approx(4.0, rel=0.02)
    for before, after in zip(zeros_of(model), zeros_of(report.model), strict=True):
        np.testing.assert_array_equal(before, after)
    assert weights.activation_density > masked.activation_density
    assert joint.mac_density() < weights.mac_density() < 1.0
    assert joint.mac_density("exact") < weights.mac_density("exact")
    assert report.rates == report.winners.rates
    rates = {x.name: x.rate for x in report.model.layers if isinstance(x, WinnerTakeAll)}
    assert rates == {f"{name}_winners": rate for name, rate in report.rates.items() if rate < 1}
    assert rates
    assert report.stage("joint") is joint
    evaluated = report.model.evaluate(*data(), verbose=0, return_dict=True)
    assert joint.evaluation == pytest.approx(evaluated, rel=1e-5)
    assert weights.evaluation == pytest.approx(
        model.evaluate(*data(), verbose=0, return_dict=True), rel=1e-5
    )
    text = str(report)
    assert "product MACs" in text and "exact MACs" in text and "logits" in text
    with pytest.raises(ValueError, match=r"The stages are .* Received: name='end'"):
        report.stage("end")


def test_given_rates_need_no_evaluation():
    model, train = trained(), Train()
    rates = {"first": 0.25, "second": 0.5}
    report = kp.joint_prune(
        model, train, sparsity=0.5, rounds=1, winner_rates=rates, density_data=data(), seed=0
    )
    assert report.rates == rates and report.winners is None
    layers_of = {layer.path: layer for layer in report.stage("joint").cost.layers}
    first, second, logits = layers_of.values()
    assert first.activation_density <= 0.25 and second.activation_density <= 0.5
    assert logits.activation_density == 1.0
    assert report.stage("joint").evaluation == {}
    everywhere = kp.joint_prune(model, train, sparsity=0.5, rounds=1, winner_rates=0.5, seed=0)
    assert everywhere.rates == {"first": 0.5, "second": 0.5}
    assert everywhere.stage("joint").activation_density is None
    assert everywhere.stage("joint").mac_density() is None
    assert "?" in str(everywhere)


def test_the_regularizer_goes_into_train():
    model = trained()

    def train(model, callbacks, round):
        penalty = kp.RegularizeCallback(keras.regularizers.L1(0.05))
        model.fit(*data(), epochs=2, callbacks=[penalty, *callbacks], verbose=0)

    options = dict(sparsity=0.5, rounds=1, winner_rates=0.5, learning_rate_factor=None, seed=0)
    plain = kp.joint_prune(trained(), Train(), **options)
    report = kp.joint_prune(model, train, **options)
    sums = [
        sum(abs(kernel).sum() for kernel in map(keras.ops.convert_to_numpy, r.model.weights))
        for r in (report, plain)
    ]
    assert sums[0] < 0.9 * sums[1]
    assert all(zeros.mean() >= 0.49 for zeros in zeros_of(report.model))


def test_rates_of_the_leading_half_go_up_until_it_is_good():
    found = []

    def evaluate(model):
        rates = [layer.rate for layer in model.layers if isinstance(layer, WinnerTakeAll)]
        found.append(rates)
        return 1.0 if not rates or rates[0] >= 0.5 else 0.7

    train = Train()
    report = kp.joint_prune(
        trained(),
        train,
        evaluate,
        sparsity=0.5,
        rounds=1,
        winner_rates=[0.5, 0.4, 0.3],
        tolerance=0.5,
        final_tolerance=0.1,
        raises=5,
        seed=0,
    )
    assert report.winners.rates == {"first": 0.3, "second": 0.3}
    assert report.rates == {"first": 0.5, "second": 0.3}
    assert len(report.fine_tunings) == 3 and train.rounds == [1, 2, 3, 4]
    names = [x.name for x in report.model.layers if isinstance(x, WinnerTakeAll)]
    assert names == ["first_winners", "second_winners"]
    few = kp.joint_prune(
        trained(),
        train,
        lambda model: 1.0 - len(model.layers),  # more layers are worse
        sparsity=0.5,
        rounds=1,
        winner_rates={"first": 0.3},
        final_tolerance=0.1,
        raises=1,
        seed=0,
    )
    assert few.rates == {"first": 0.4} and len(few.fine_tunings) == 2


WHOLE = dict(sparsity=0.75, rounds=2, tolerance=0.1, sample=0.5, seed=3)


@functools.cache
def unharmed():
    return kp.joint_prune(trained(), Train(), data(), **WHOLE)


@pytest.mark.parametrize("dies_in", [1, 2, 3])
def test_a_kill_loses_nothing(tmp_path, dies_in):
    options = {**WHOLE, "directory": tmp_path / "state"}
    whole = unharmed()
    with pytest.raises(Killed):
        kp.joint_prune(trained(), Train(dies_in), data(), **options)
    train = Train()
    again = kp.joint_prune(network(), train, data(), **options)  # weights come from the folder
    assert train.rounds == list(range(dies_in, 4))
    assert again.rates == whole.rates and again.rounds == whole.rounds
    for one, other in zip(again.stages, whole.stages, strict=True):
        assert one.cost == other.cost
        assert one.evaluation == pytest.approx(other.evaluation, rel=1e-6)
    for one, other in zip(again.model.weights, whole.model.weights, strict=True):
        values = keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other)
        np.testing.assert_array_equal(*values)


def test_a_search_that_was_killed_goes_on_behind_its_last_layer(tmp_path):
    calls = []

    def evaluate(model):
        names = [layer.name for layer in model.layers if isinstance(layer, WinnerTakeAll)]
        calls.append(tuple(names))
        if names == ["second_winners"] and calls.count(tuple(names)) == 1:
            raise Killed
        return 1.0

    options = dict(sparsity=0.5, rounds=1, winner_rates=[0.5, 0.4], directory=tmp_path / "state")
    with pytest.raises(Killed):
        kp.joint_prune(trained(), Train(), evaluate, **options)
    assert calls.count(("first_winners",)) == 2
    report = kp.joint_prune(network(), Train(), evaluate, **options)
    assert calls.count(("first_winners",)) == 2 and report.rates == {"first": 0.4, "second": 0.4}


def test_dropout_behind_a_mask_shrinks_with_its_rate():
    rates = []

    def train(model, callbacks, round):
        rates.append(next(x.rate for x in model.layers if isinstance(x, layers.Dropout)))
        model.fit(*data(), epochs=1, callbacks=callbacks, verbose=0)

    report = kp.joint_prune(
        trained(dropout=True),
        train,
        sparsity=0.75,
        rounds=1,
        winner_rates={"first": 0.36},
        scale_dropout=True,
        seed=0,
    )
    assert rates == pytest.approx([0.5 * 0.25**0.5, 0.5 * 0.6])
    assert [x.rate for x in report.model.layers if isinstance(x, layers.Dropout)] == [0.5]


def test_another_optimizer_fine_tunes():
    seen = []

    def train(model, callbacks, round):
        seen.append(type(model.optimizer).__name__)
        model.fit(*data(), epochs=1, callbacks=callbacks, verbose=0)

    kp.joint_prune(
        trained(), train, sparsity=0.5, rounds=1, winner_rates=0.5, optimizer="adadelta", seed=0
    )
    assert seen == ["Adam", "Adadelta"]


def test_wrong_arguments(tmp_path):
    model, train = network(), Train()
    before = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
    for wrong, sentence in [
        ({}, "`tolerance` needs `evaluate`.* Received: tolerance=0.02"),
        ({"winner_rates": 0.5, "raises": -1}, "`raises` must be an int >= 0. Received: raises=-1"),
        ({"winner_rates": [0.1, 0.5]}, "`rates` must hold numbers that fall. Received: rates="),
        ({"winner_rates": 2.0}, "`rates` must be a number from 0 to 1. Received: rates=2.0"),
        ({"winner_rates": {"third": 0.5}}, "Expected some of .* Received: 'third'"),
        ({"winner_rates": 0.5, "final_tolerance": 0.1}, "`tolerance` needs `evaluate`"),
        ({"winner_rates": 0.5, "sample": 7}, "`sample` must be a number from 0 .* sample=7"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            kp.joint_prune(model, train, **wrong)
    assert train.rounds == []
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(weight), value)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "letter").write_text("keep me")
    with pytest.raises(ValueError, match=r"none of a joint pruning.* with \['letter'\]"):
        kp.joint_prune(model, train, winner_rates=0.5, directory=folder)
    options = dict(sparsity=0.5, rounds=1, directory=tmp_path / "state")
    kp.joint_prune(trained(), train, winner_rates=0.5, **options)
    with pytest.raises(ValueError, match=r"other arguments: winner_rates=0.5. Received: winner"):
        kp.joint_prune(trained(), train, winner_rates=0.6, **options)
    (tmp_path / "state" / "joint.json").write_text("{")
    with pytest.raises(ValueError, match=r"damaged .* Received: .*joint.json"):
        kp.joint_prune(trained(), train, winner_rates=0.5, **options)
