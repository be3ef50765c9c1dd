"""A lottery ticket on scikit-learn's digits: a sparse network that trains from its first weights.

    python -m examples.lottery_ticket --rounds 8 --directory ticket

Interrupt it as you like: with a directory the next call goes on where it was.
"""

import argparse
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras

from examples import datasets
from keras_prune.recipes import lottery_ticket


def build_model(input_shape, classes=10):
    """LeNet-300-100, for small images."""
    model = keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Flatten(),
            keras.layers.Dense(300, activation="relu"),
            keras.layers.Dense(100, activation="relu"),
            keras.layers.Dense(classes, activation="softmax", name="classes"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(1.2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def run(rounds, epochs=20, seed=0, directory=None):
    """Find the ticket; returns its report."""
    data = datasets.load("digits")
    keras.utils.set_random_seed(seed)
    model = build_model(data.input_shape)

    def train(model, callbacks, round):
        print(f"round {round}")
        x, y = data.train
        model.fit(x, y, batch_size=60, epochs=epochs, callbacks=callbacks, verbose=0)

    return lottery_ticket(
        model,
        train,
        evaluate=data.test,
        rounds=rounds,
        fraction={"classes": 0.1, "": 0.2},
        control="random_reinit",
        seed=seed,
        directory=directory,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--directory")
    arguments = parser.parse_args()
    print(run(arguments.rounds, arguments.epochs, directory=arguments.directory))
