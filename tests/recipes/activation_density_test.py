import os
import pathlib
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_prune.model_cost import cost
from keras_prune.recipes import training_state
from keras_prune.recipes.activation_density import train_with_activation_density as shrink
from keras_prune.recipes.round_store import RoundStore
from tests.recipes.density_models import LOSS, compiled, dense, fit, layers, residual
from tests.recipes.round_models import X, Y, assert_same, state_of

pytestmark = pytest.mark.all_backends
WORKER = pathlib.Path(__file__).with_name("density_worker.py")


def half(widths):
    """Frozen: of every layer's units the first half is on and the other off, for all inputs."""
    sizes = {name: widths.get(name, size) for name, size in (("a", 16), ("b", 8))}
    model = keras.Sequential(
        [
            keras.Input((8,)),
            *(layers.Dense(n, "relu", name=name) for name, n in sizes.items()),
            layers.Dense(3, name="logits"),
        ]
    )
    for layer in model.layers[:2]:
        units = np.arange(layer.units)
        on = np.where(units < on_of(layer, layer.units), 1.0, -1.0)
        layer.set_weights([np.zeros(layer.kernel.shape), on])
    model.compile(keras.optimizers.SGD(0.0), LOSS)
    return model


def on_of(layer, units):
    return {"a": units // 2, "b": units // 4}[layer.name]


def test_widths_go_with_the_densities():
    seen = []

    def model_fn(widths):
        seen.append(widths)
        return half(widths)

    report = shrink(model_fn, fit, epochs=[1, 2], seed=0)
    # (16, 8) with (1/2, 1/4), then the same.
    expected = [{"a": 16, "b": 8}, {"a": 8, "b": 2}, {"a": 4, "b": 1}]
    assert [item.widths for item in report.rounds] == expected
    assert report.widths == expected[-1]
    assert {**seen[0]} == {} and expected[1] in seen and expected[2] in seen
    assert [item.epochs for item in report.rounds] == [1, 2, 4]
    assert report.rounds[0].densities == {"a": (0.5,), "b": (0.25,)}
    assert report.rounds[0].density == (8 + 2 + 3) / (16 + 8 + 3)
    assert report.rounds[1].densities == {"a": (0.5, 0.5), "b": (0.0, 0.0)}
    assert [item.params for item in report.rounds] == [280, 86, 39]
    assert report.operation_reductions == (1.0, 280 / 86, 280 / 39)
    assert report.parameter_reductions == report.operation_reductions  # dense layers only
    complexity = 1 + 2 * 86 / 280 + 4 * 39 / 280
    assert report.training_complexity == pytest.approx(complexity)
    assert cost(report.model).params == 39
    assert "Training complexity: 2.2 epochs" in str(report)


def test_settled_densities_are_seen_and_the_training_goes_on_when_nothing_shrinks():
    report = shrink(half, fit, window=2, min_width=4, rounds=9, seed=0)
    # Densities are constant: three epochs show it. Sizes 16, 8 -> 8, 4 -> 4, 4, then no more.
    assert [list(item.widths.values()) for item in report.rounds] == [[16, 8], [8, 4], [4, 4]]
    assert [item.epochs for item in report.rounds] == [3, 3, 4]
    assert report.kept == 2


def test_a_training_that_ends_before_is_the_last():
    report = shrink(half, fit, window=4, seed=0)
    assert len(report.rounds) == 1
    assert report.rounds[0].epochs == 4


def test_given_widths_are_the_first_and_name_what_is_shrunk():
    report = shrink(half, fit, widths={"b": 12}, epochs=[1], seed=0)
    assert [item.widths for item in report.rounds] == [{"b": 12}, {"b": 3}]
    assert report.model.get_layer("a").units == 16


def test_shrinking_stops_when_the_density_rises():
    def model_fn(widths):
        model = half(widths)
        model.compile(keras.optimizers.SGD(1e-6), LOSS)
        return model

    def train(model, callbacks, round):
        class Rise(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                layer = self.model.get_layer("a")
                bias = np.where(np.arange(layer.units) < 1 + round * epoch, 1.0, -1.0)
                layer.bias.assign(bias)

        fit(model, [Rise(), *callbacks], round)

    report = shrink(model_fn, train, epochs=2, rounds=4, widths={"a": 16}, seed=0)
    assert [item.widths["a"] for item in report.rounds] == [16, 1]
    first, last = report.rounds
    assert first.totals[0] == first.totals[1]
    assert report.kept == 1 and last.epochs == 4
    free = shrink(
        model_fn, train, epochs=2, rounds=4, widths={"a": 16}, stop_when_rising=False, seed=0
    )
    assert [item.widths["a"] for item in free.rounds] == [16, 1]  # one unit cannot shrink


def test_a_network_beyond_the_tolerance_gives_way_to_the_one_before():
    scores = iter([0.9, 0.89, 0.5, 0.95])
    report = shrink(
        dense,
        fit,
        lambda model: next(scores),
        epochs=1,
        tolerance=0.02,
        seed=0,
        mode="max",
        stop_when_rising=False,
    )
    assert len(report.rounds) == 3 and report.kept == 1
    assert [item.epochs for item in report.rounds] == [1, 4, 1]
    assert report.rounds[1].evaluation == {"evaluation": 0.95}
    assert report.model.get_layer("first").units == report.rounds[1].widths["first"]


def test_the_last_network_goes_on_as_if_it_had_not_been_stopped():
    # Nothing may shrink, so the first network is stopped after two epochs and goes on.
    stopped = shrink(dense, fit, (X, Y), epochs=2, min_width=16, seed=3)
    whole = shrink(dense, fit, (X, Y), window=99, seed=3)
    assert [item.epochs for item in stopped.rounds] == [4]
    assert_same(state_of(stopped.model), state_of(whole.model))
    assert stopped.rounds[0].densities == whole.rounds[0].densities


def test_fits_that_follow_in_train_wait_for_the_last_network():
    seen = []

    def train(model, callbacks, round):
        class Look(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                seen.append((round, self.params["epochs"], epoch))

        for epochs in (2, 3):
            fit(model, [Look(), *callbacks], round, epochs=epochs)

    shrink(half, train, epochs=[1], seed=0)
    assert seen == [(0, 2, 0)] + [(1, 2, 0), (1, 2, 1), (1, 3, 0), (1, 3, 1), (1, 3, 2)]


def test_weights_are_drawn_anew_and_the_seed_fixes_all():
    starts = []

    def train(model, callbacks, round):
        starts.append(model.get_weights())
        fit(model, callbacks, round)

    reports = [shrink(dense, train, epochs=[1], min_width=8, seed=seed) for seed in (5, 5, 6)]
    first, second = starts[0][0], starts[1][0]
    assert second.shape[1] < first.shape[1]
    assert not np.isin(second, first).any()  # fresh weights differ from the old ones
    assert_same(state_of(reports[0].model), state_of(reports[1].model))
    assert reports[0] == reports[1] != reports[2]


def test_the_most_active_units_take_their_weights_along():
    starts, ends = {}, {}

    def train(model, callbacks, round):
        starts[round] = model.get_weights()
        fit(model, callbacks, round, epochs=2)
        ends[round] = model.get_weights()

    report = shrink(dense, train, epochs=[2], initialization="most_active", seed=0)
    assert report.rounds[1].widths["first"] < 16
    old, new = ends[0][0], starts[1][0]
    rows = [[np.array_equal(a, b) for b in old.T].index(True) for a in new.T]
    assert rows == sorted(rows)
    np.testing.assert_array_equal(starts[1][2], ends[0][2][rows])  # the scale of normalization


def test_residual_networks_shrink_by_convolution():
    x = np.random.default_rng(0).normal(size=(16, 8, 8, 1)).astype("float32")
    y = np.random.default_rng(1).integers(0, 3, 16)

    def train(model, callbacks, round):
        model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=callbacks)

    for initialization in ("fresh", "most_active"):
        report = shrink(residual, train, (x, y), epochs=[1], initialization=initialization, seed=0)
        before, after = (item.widths for item in report.rounds)
        assert list(before) == ["stem", "a1", "a2", "b1", "b2"]
        assert all(after[name] <= before[name] for name in before)
        assert sum(after.values()) < sum(before.values())
        assert report.model.get_layer("b2").filters == after["b2"]


# Killed and taken up again.


def worker(directory, when):
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, str(WORKER), str(directory), when]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr[-3000:]
    return done.returncode


def test_a_killed_process_loses_nothing(tmp_path):
    for when in ("0 1", "1 2", "evaluate 1"):
        assert worker(tmp_path, when) == -signal.SIGKILL
    assert worker(tmp_path, "never") == 0


class Killed(BaseException):
    pass


@pytest.mark.parametrize("where", [(0, 1), (0, 3), (1, 1)])
def test_a_call_that_broke_off_goes_on_to_the_same_result(tmp_path, where):
    def train(model, callbacks, round):
        class Dying(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                if (round, epoch) == deadly:
                    raise Killed

        fit(model, [Dying(), *callbacks], round)

    # Round 1 is too bad, so round 0 goes on with its epochs 2 and 3.
    def evaluate(model):
        return float(model.get_layer("first").units)

    def call(directory):
        return shrink(dense, train, evaluate, epochs=2, tolerance=1, seed=2, directory=directory)

    deadly = None
    expected = call(None)
    assert expected.kept == 0 and len(expected.rounds) == 2
    deadly = where
    with pytest.raises(Killed):
        call(tmp_path)
    deadly = None
    report = call(tmp_path)
    assert report == expected
    assert_same(state_of(report.model), state_of(expected.model))


def test_a_finished_call_is_only_read(tmp_path):
    def never(model, callbacks, round):
        raise AssertionError("trained again")

    report = shrink(dense, fit, (X, Y), epochs=[1], directory=tmp_path)
    again = shrink(dense, never, (X, Y), epochs=[1], directory=tmp_path)
    assert again == report
    assert_same(state_of(again.model), state_of(report.model))
    assert {path.name for path in tmp_path.iterdir()} == {"initial.rounds", "progress.rounds"}
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for arguments in ({"epochs": [2]}, {"seed": 1}, {"initialization": "most_active"}):
        with pytest.raises(ValueError, match=r"with other arguments: .*Received: "):
            shrink(dense, fit, (X, Y), **{"epochs": [1], **arguments}, directory=tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_counters_are_no_part_of_a_stored_training(tmp_path):
    shrink(dense, fit, epochs=[1], directory=tmp_path, seed=0)
    arrays, values = RoundStore(tmp_path).load("progress")
    model = dense(values["rows"][-1]["widths"])
    model.optimizer.build(model.trainable_variables)
    state = {key for key in arrays if key.startswith("trained/")}
    assert {f"trained/{key}" for key in training_state.take(model)} == state


# Bad input.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model_fn": 3}, "`model_fn` must be callable"),
        ({"model_fn": lambda widths: 3}, "`model_fn` must return a Keras model"),
        ({"train": lambda model: 3}, "`train` must take three arguments"),
        ({"widths": {"nobody": 3}}, "`widths` must name layers"),
        ({"widths": {"logits": 3}}, "`widths` must name layers"),
        ({"widths": {}}, "`widths` must name layers"),
        ({"rounds": 0}, "`rounds` must be an int >= 1"),
        ({"epochs": []}, "`epochs` must be an int or"),
        ({"epochs": [1, 0]}, "`epochs` must be an int >= 1"),
        ({"epochs": [1, 2], "rounds": 3}, "leave `rounds` out"),
        ({"threshold": 0.0}, "`threshold` must be a number > 0"),
        ({"window": 1.5}, "`window` must be an int >= 1"),
        ({"min_width": 0}, "`min_width` must be an int >= 1"),
        ({"initialization": "old"}, "`initialization` must be one of"),
        ({"tolerance": 0.1}, "`tolerance` needs `evaluate`"),
        ({"seed": -1}, "`seed` must be an int >= 0"),
        ({"resume": "step"}, "`resume` must be"),
        ({"eps": -1.0}, "`eps` must be a number >= 0"),
        ({"train": lambda model, callbacks, round: None}, "must hand its argument `callbacks`"),
    ],
)
def test_bad_arguments_get_a_sentence(arguments, message):
    with pytest.raises(ValueError, match=f"(?s){message}.*Received: "):
        shrink(**{"model_fn": dense, "train": fit, "seed": 0, **arguments})


def test_a_model_fn_that_goes_its_own_way_gets_a_sentence():
    with pytest.raises(ValueError, match=r"give each the size.*Received: {'first': 16"):
        shrink(lambda widths: dense({}), fit, epochs=[1], seed=0)

    def unnamed(widths):
        sizes = [*widths.values()] or [16]
        hidden = [layers.Dense(size, "relu") for size in sizes]
        return compiled(keras.Sequential([keras.Input((8,)), *hidden, layers.Dense(3)]))

    with pytest.raises(ValueError, match=r"must name its layers.*Received: {.*: None}"):
        shrink(unnamed, fit, epochs=[1], seed=0)
