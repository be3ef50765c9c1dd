"""A process that trains in rounds and may be killed: python killed_worker.py RECIPE FOLDER WHEN.

WHEN is "first" (in the middle of round 0), "mid" (of round 1), "evaluate" (a round is trained but
not yet remembered), or "never": then the result must equal that of a call that nothing interrupts.
"""

import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

import keras

from keras_prune.recipes import iterative_prune, lottery_ticket
from tests.recipes.round_models import X, Y, assert_same, fit, noisy, state_of


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def call(recipe, directory, when):
    """Run a recipe on a fresh model; dies where `when` says so."""

    def train(model, callbacks, round):
        class Dying(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                self.epoch = epoch

            def on_train_batch_begin(self, batch, logs=None):
                if (round, self.epoch, batch) == (rounds.get(when), 1, 3):
                    die()

        if recipe == "lottery":
            fit(model, callbacks, round, epochs=1)
        fit(model, [Dying(), *callbacks], round, epochs=2)

    def evaluate(model):
        calls.append(1)
        if when == "evaluate" and len(calls) == 1:
            die()
        return model.evaluate(X, Y, verbose=0, return_dict=True)

    calls, model, rounds = [], noisy(), {"first": 0, "mid": 1}
    if recipe == "lottery":
        report = lottery_ticket(
            model,
            train,
            evaluate,
            rounds=1,
            fraction=0.5,
            rewind_step=2,
            control="random_reinit",
            seed=1,
            directory=directory,
        )
    else:
        report = iterative_prune(
            model,
            train,
            evaluate,
            sparsity=0.75,
            rounds=2,
            scale_dropout=True,
            seed=1,
            directory=directory,
        )
    return report, state_of(model)


def main(recipe, directory, when):
    report, state = call(recipe, directory, when)
    expected, expected_state = call(recipe, None, "never")
    assert report == expected, f"{report}\n{expected}"
    assert_same(state, expected_state)
    for number, item in enumerate(expected.rounds):
        assert_same(list(report.rounds[number].masks.values()), list(item.masks.values()))


if __name__ == "__main__":
    main(*sys.argv[1:])
