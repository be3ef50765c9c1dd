"""Sparse weights and sparse activations together, on MNIST or on scikit-learn's digits.

    python -m examples.joint_pruning_mnist --data mnist --directory joint --c joint_c

Interrupt it as you like: with a directory the next call goes on where it was.
"""

import argparse
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras

import keras_prune as kp
from examples import datasets
from keras_prune.report import activation_plots

layers = keras.layers


def build_model(input_shape):
    """784-300-100-10 for MNIST."""
    stack = [
        keras.Input(input_shape),
        layers.Flatten(),
        layers.Dense(300, activation="relu", name="first"),
        layers.Dense(100, activation="relu", name="second"),
        layers.Dense(10, name="logits"),
    ]
    model = keras.Sequential(stack)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
    return model


def run(data="mnist", epochs=5, sparsity=0.9, rounds=3, tolerance=0.02, seed=0, directory=None):
    """Train and prune; returns the report and the accuracies on test images, dense and joint."""
    images = datasets.load(data)
    x, y = images.train
    keras.utils.set_random_seed(seed)
    model = build_model(images.input_shape)

    def train(model, callbacks, round):
        print(f"round {round}")
        model.fit(x, y, batch_size=128, epochs=epochs, callbacks=callbacks, verbose=0)

    model.fit(x, y, batch_size=128, epochs=epochs, verbose=0)
    before = model.evaluate(*images.test, verbose=0, return_dict=True)["accuracy"]
    report = kp.joint_prune(
        model,
        train,
        images.validation,
        sparsity,
        rounds,
        tolerance=tolerance,
        learning_rate_factor=None,
        fine_tune_factor=0.3,
        seed=seed,
        directory=directory,
    )
    after = report.model.evaluate(*images.test, verbose=0, return_dict=True)["accuracy"]
    return report, before, after


def write_c(model, x, folder):
    """Write the network as an int8 C program, and a .tflite file beside its folder.

    Masks become kernels, and layers behind them skip zeros on both sides; `x`, some images, tells
    how many.
    """
    folder = pathlib.Path(folder)
    file = folder.with_name(f"{folder.name}.tflite")
    kp.export_tflite(model, file, quantize="int8", representative_data=x)
    return kp.export_c(file, folder, target="cortex-m4")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=datasets.NAMES[:3], default="mnist")
    parser.add_argument("--epochs", type=int, default=5, help="of every round")
    parser.add_argument("--directory")
    parser.add_argument("--plot", help="where to draw the densities, a .png or .pdf")
    parser.add_argument("--c", metavar="FOLDER", help="where to write the network as a C program")
    arguments = parser.parse_args()
    report, before, after = run(arguments.data, arguments.epochs, directory=arguments.directory)
    print(report)
    print(f"Accuracy on test images: {before:.2%} dense, {after:.2%} pruned jointly.")
    x = datasets.load(arguments.data).validation[0]
    if arguments.c:
        print(write_c(report.model, x[:200], arguments.c))
    if arguments.plot:
        found = {"pruned jointly": kp.activation_density(report.model, x)}
        activation_plots.plot_activation_density(found, arguments.plot)
