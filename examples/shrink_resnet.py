"""A residual network with half of its filters: pruned while it trains, then cut smaller.

    python -m examples.shrink_resnet --dataset cifar10 --epochs 10

Prints the accuracy, the size and the time of LiteRT before and after.
"""

import argparse
import os
import pathlib
import tempfile

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras

import keras_prune as kp
from examples import datasets
from keras_prune.tables import render_table

layers = keras.layers


def build_model(input_shape, classes=10, width=16):
    """A residual network of three stages, two blocks each."""
    x = inputs = keras.Input(input_shape)
    x = _convolution(x, width, 1)
    for stage in range(3):
        for block in range(2):
            filters, stride = width * 2**stage, 2 if stage and not block else 1
            y = _convolution(x, filters, stride)
            y = _convolution(y, filters, 1, activation=None)
            if y.shape != x.shape:
                x = _convolution(x, filters, stride, window=1, activation=None)
            x = layers.Activation("relu")(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes, "softmax", name="classes")(x))


def _convolution(x, filters, stride, window=3, activation="relu"):
    x = layers.Conv2D(filters, window, stride, "same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return x if activation is None else layers.Activation(activation)(x)


def fit(model, data, epochs, rate, callbacks=()):
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    x, y = data.train
    model.fit(x, y, batch_size=64, epochs=epochs, callbacks=list(callbacks), verbose=0)


def run(dataset="digits", epochs=10, sparsity=0.5, width=16, seed=0, folder=None):
    """Train, prune, cut and measure.

    Returns:
        Dict with the dense and the small model, and a list of rows: name, accuracy,
        parameters, multiply-accumulates, bytes of the .tflite file, milliseconds in LiteRT.
    """
    data = datasets.load(dataset)
    keras.utils.set_random_seed(seed)
    model = build_model(data.input_shape, width=width)
    fit(model, data, epochs, 3e-3)
    dense = keras.models.clone_model(model)
    dense.set_weights(model.get_weights())

    fit(model, data, epochs, 1e-3, [kp.PruneCallback(sparsity, granularity="filter")])
    small = kp.shrink(model)

    folder = pathlib.Path(folder or tempfile.mkdtemp())
    models = {"dense": dense, "half the filters": small}
    paths = [folder / f"{name.replace(' ', '_')}.tflite" for name in models]
    for path, each in zip(paths, models.values(), strict=True):
        kp.export_tflite(each, path)
    times = kp.benchmark(paths, delegate=False).rows
    rows = [
        (
            name,
            _accuracy(each, data.test),
            each.count_params(),
            kp.cost(each).macs,
            path.stat().st_size,
            time.median * 1e3,
        )
        for (name, each), path, time in zip(models.items(), paths, times, strict=True)
    ]
    return {"dense": dense, "pruned": model, "small": small, "rows": rows}


def _accuracy(model, test):
    x, y = test
    return float((model.predict(x, batch_size=256, verbose=0).argmax(-1) == y).mean())


def table(rows):
    """The rows as text."""
    columns = ["model", ">accuracy", ">parameters", ">MACs", ">bytes", ">LiteRT, ms"]
    cells = [
        (name, f"{accuracy:.1%}", f"{params:,}", f"{macs:,}", f"{size:,}", f"{milliseconds:.3f}")
        for name, accuracy, params, macs, size, milliseconds in rows
    ]
    return render_table("Cut smaller", columns, cells)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="digits", choices=sorted(datasets.NAMES))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--sparsity", type=float, default=0.5)
    arguments = parser.parse_args()
    print(table(run(arguments.dataset, arguments.epochs, arguments.sparsity)["rows"]))
