"""A training in rounds that is killed goes on to the same result."""

import itertools
import os
import pathlib
import signal
import subprocess
import sys

import keras
import pytest

from keras_prune.files import write_atomically
from keras_prune.recipes import lottery_ticket, round_store
from keras_prune.recipes.round_store import RoundStore
from tests.recipes.round_models import X, Y, assert_same, fit, noisy, state_of

WORKER = pathlib.Path(__file__).with_name("killed_worker.py")


def worker(recipe, directory, when):
    """Run the worker; returns its exit status."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, str(WORKER), recipe, str(directory), when]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr[-3000:]
    return done.returncode


@pytest.mark.all_backends
@pytest.mark.parametrize(
    ("recipe", "kills"), [("lottery", ["first", "mid", "evaluate"]), ("iterative", ["mid"])]
)
def test_a_killed_process_loses_nothing(tmp_path, recipe, kills):
    for when in kills:
        assert worker(recipe, tmp_path, when) == -signal.SIGKILL
    assert worker(recipe, tmp_path, "never") == 0


class Killed(BaseException):
    """Ends a call as abruptly as an exception can."""


def dying_writer(fatal):
    """A `write_atomically` that dies at one of its calls, before it (2) or after it (2.5)."""
    count = itertools.count()

    def write(path, data):
        number = next(count)
        if number == fatal:
            raise Killed
        write_atomically(path, data)
        if number + 0.5 == fatal:
            raise Killed

    return write


def test_death_at_any_write_loses_nothing(tmp_path, monkeypatch):
    def call(directory):
        model = noisy()
        arguments = dict(evaluate=(X, Y), rounds=1, rewind_step=4, seed=2)
        report = lottery_ticket(model, fit, directory=directory, **arguments)
        return report, state_of(model)

    expected, state = call(None)
    deaths = 0
    for fatal in itertools.cycle([0, 0.5, 1.5]):  # every process does a write or two
        monkeypatch.setattr(round_store, "write_atomically", dying_writer(fatal))
        try:
            report, found = call(tmp_path)
            break
        except Killed:
            deaths += 1
    assert deaths >= 5
    assert report == expected
    assert_same(found, state)


@pytest.mark.parametrize(("resume", "epochs"), [("epoch", [1]), ("round", [0, 1])])
def test_a_round_goes_on_at_its_last_epoch_or_anew(tmp_path, resume, epochs):
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            seen.append(epoch)

        def on_train_batch_begin(self, batch, logs=None):
            if len(seen) == 2 and batch == 2:
                raise Killed

    def train(model, callbacks, round):
        fit(model, [Watch(), *callbacks], round)

    def call():
        lottery_ticket(noisy(), train, rounds=1, seed=0, directory=tmp_path, resume=resume)

    with pytest.raises(Killed):
        call()
    assert seen == [0, 1]
    call()
    assert seen == [0, 1, *epochs, 0, 1]


def test_a_finished_call_is_only_read(tmp_path):
    def never(model, callbacks, round):
        raise AssertionError("trained again")

    model, again = noisy(), noisy(seed=1)
    report = lottery_ticket(model, fit, rounds=1, seed=0, directory=tmp_path)
    assert lottery_ticket(again, never, rounds=1, directory=tmp_path) == report
    assert_same(state_of(again), state_of(model))
    assert {path.name for path in tmp_path.iterdir()} == {"initial.rounds", "progress.rounds"}


def test_another_call_does_not_take_the_directory(tmp_path):
    lottery_ticket(noisy(), fit, rounds=1, seed=0, directory=tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for arguments in (dict(rounds=2), dict(seed=1), dict(allocation="global")):
        with pytest.raises(ValueError, match=r"with other arguments: .*=.*Received: .*="):
            lottery_ticket(noisy(), fit, **{"rounds": 1, **arguments}, directory=tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_seed_that_was_drawn_is_remembered(tmp_path):
    def train(model, callbacks, round):
        if round == stop:
            raise Killed
        fit(model, callbacks, round, epochs=1)

    stop, arguments = 1, dict(criterion="random", rounds=2, directory=tmp_path)
    with pytest.raises(Killed):
        lottery_ticket(noisy(), train, **arguments)
    stop = None
    report = lottery_ticket(noisy(), train, **arguments)
    seed = RoundStore(tmp_path).load("initial")[1]["seed"]
    again = lottery_ticket(noisy(), train, criterion="random", rounds=2, seed=seed)
    assert again == report
    for path, mask in report.masks.items():
        assert (mask == again.masks[path]).all()
