"""Models, data and callbacks that the tests of trainings in rounds share."""

import keras
import numpy as np

from tests.small_models import toy_data

X, Y = toy_data(rows=48)
STEPS = 6  # of an epoch, with batches of 8


def noisy(optimizer=None, seed=0, dtype=None, **compile_arguments):
    """Compiled 8-16-3 network with normalization and dropout."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(16, name="hidden", dtype=dtype),
            keras.layers.BatchNormalization(name="norm", dtype=dtype),
            keras.layers.ReLU(dtype=dtype),
            keras.layers.Dropout(0.2, name="dropout", dtype=dtype),
            keras.layers.Dense(3, name="logits", dtype=dtype),
        ],
        name="noisy",
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = optimizer or keras.optimizers.Adam(0.01)
    model.compile(optimizer, loss, metrics=["accuracy"], **compile_arguments)
    return model


def fit(model, callbacks, round, epochs=2, **arguments):
    """The plain `train`: some epochs in shuffled batches of 8."""
    del round
    model.fit(X, Y, batch_size=8, epochs=epochs, callbacks=callbacks, verbose=0, **arguments)


def state_of(model):
    """All variables of a model and its optimizer as a list of arrays."""
    variables = [*model.variables, *model.optimizer.variables]
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def assert_same(first, second):
    """Two lists of arrays are equal, to the bit."""
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


class Recorder:
    """A `train` that notes the state of the model as each round begins and ends."""

    def __init__(self, **arguments):
        self.arguments = arguments
        self.before, self.after = {}, {}

    def __call__(self, model, callbacks, round):
        before, after = self.before, self.after

        class First(keras.callbacks.Callback):
            def on_train_batch_begin(self, batch, logs=None):
                if not self.seen:
                    before.setdefault(round, []).append(state_of(self.model))
                self.seen = True

            seen = False

        fit(model, [First(), *callbacks], round, **self.arguments)
        after.setdefault(round, []).append(state_of(model))
