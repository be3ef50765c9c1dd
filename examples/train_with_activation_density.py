"""A small residual network on scikit-learn's digits that shrinks while it trains.

    python -m examples.train_with_activation_density --epochs 30 --directory shrinking

Interrupt it as you like: with a directory the next call goes on where it was.
"""

import argparse
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras

from examples import datasets
from keras_prune.layers import ParameterFreeShortcut
from keras_prune.recipes import train_with_activation_density
from keras_prune.report.density_plots import plot_densities

layers = keras.layers


def build_model(widths):
    """Two residual blocks; every convolution has a width of its own."""
    x = inputs = keras.Input((8, 8, 1))
    x = _convolution(x, widths.get("stem", 16), 1, "stem")
    for block, filters, strides in (("block1", 16, 1), ("block2", 32, 2)):
        outer = widths.get(f"{block}_b", filters)
        y = _convolution(x, widths.get(f"{block}_a", filters), strides, f"{block}_a")
        y = layers.Conv2D(outer, 3, padding="same", use_bias=False, name=f"{block}_b")(y)
        y = layers.BatchNormalization(name=f"{block}_b_norm")(y)
        y = layers.Add(name=f"{block}_sum")([y, ParameterFreeShortcut(outer, strides)(x)])
        x = layers.ReLU(name=f"{block}_b_relu")(y)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, layers.Dense(10, "softmax", name="classes")(x))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _convolution(x, filters, strides, name):
    x = layers.Conv2D(filters, 3, strides, "same", use_bias=False, name=name)(x)
    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(name=f"{name}_norm")(x))


def run(epochs=30, rounds=3, window=3, initialization="fresh", seed=0, directory=None):
    """Shrink; returns the report."""
    data = datasets.load("digits")

    def train(model, callbacks, round):
        print(f"round {round}: {model.count_params():,} parameters")
        x, y = data.train
        model.fit(x, y, batch_size=32, epochs=epochs, callbacks=callbacks, verbose=0)

    return train_with_activation_density(
        build_model,
        train,
        evaluate=data.test,
        rounds=rounds,
        window=window,
        threshold=0.02,
        min_width=4,
        initialization=initialization,
        seed=seed,
        directory=directory,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--initialization", choices=("fresh", "most_active"), default="fresh")
    parser.add_argument("--directory")
    parser.add_argument("--plot", help="where to draw the densities, a .png or .pdf")
    arguments = parser.parse_args()
    report = run(
        arguments.epochs,
        arguments.rounds,
        initialization=arguments.initialization,
        directory=arguments.directory,
    )
    print(report)
    if arguments.plot:
        plot_densities(report, arguments.plot)
