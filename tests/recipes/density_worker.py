"""A process that shrinks networks and may be killed: python density_worker.py FOLDER WHEN.

WHEN is "ROUND EPOCH" (in the middle of that epoch), "evaluate N" (in the N-th evaluation), or
"never": then the result must equal that of a call that nothing interrupts.
"""

import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

import keras

from keras_prune.recipes.activation_density import train_with_activation_density
from tests.recipes.density_models import dense, fit
from tests.recipes.round_models import X, Y, assert_same, state_of


def call(directory, when):
    calls = []

    class Dying(keras.callbacks.Callback):
        def __init__(self, number):
            super().__init__()
            self.number = number

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

        def on_train_batch_begin(self, batch, logs=None):
            if when == f"{self.number} {self.epoch}" and batch == 3:
                os.kill(os.getpid(), signal.SIGKILL)

    def train(model, callbacks, round):
        fit(model, [Dying(round), *callbacks], round)

    def evaluate(model):
        calls.append(1)
        if when == f"evaluate {len(calls)}":
            os.kill(os.getpid(), signal.SIGKILL)
        return model.evaluate(X, Y, verbose=0, return_dict=True)

    report = train_with_activation_density(
        dense,
        train,
        evaluate,
        epochs=[2],
        initialization="most_active",
        seed=1,
        directory=directory,
    )
    return report, state_of(report.model)


def main(directory, when):
    report, state = call(directory, when)
    expected, expected_state = call(None, "never")
    assert report == expected, f"{report}\n{expected}"
    assert_same(state, expected_state)
    epochs = [item.epochs for item in report.rounds]
    assert epochs == [2, 4], epochs


if __name__ == "__main__":
    main(*sys.argv[1:])
