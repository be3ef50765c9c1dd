"""MobileNetV2 from `keras.applications`, pruned for a device and measured on this one.

    python -m examples.faster_mobilenet --dataset cifar10 --weights imagenet --epochs 10

Prints the accuracy, the bytes and the time of the dense and the sparse file, and which kernel runs
each layer. Without `--weights` training begins with random weights, and nothing is downloaded.
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


def build_model(size=96, alpha=0.5, weights=None, classes=10):
    """MobileNetV2 for square images of a size, with a head of its own."""
    inputs = keras.Input((size, size, 3))
    body = keras.applications.MobileNetV2(
        (size, size, 3), alpha=alpha, weights=weights, include_top=False, pooling="avg"
    )
    outputs = layers.Dense(classes, "softmax", name="classes")(body(inputs))
    return keras.Model(inputs, outputs)


def images(x, size):
    """Images in [0, 1] as MobileNetV2 wants them: three channels in [-1, 1]."""
    x = keras.ops.image.resize(x, (size, size), interpolation="bilinear")
    x = keras.ops.broadcast_to(x, (*x.shape[:-1], 3))
    return keras.ops.convert_to_numpy(x) * 2.0 - 1.0


def fit(model, x, y, epochs, rate, callbacks=()):
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    model.fit(x, y, batch_size=32, epochs=epochs, callbacks=list(callbacks), verbose=0)


def run(
    dataset="digits",
    target="x86-avx512",
    quantize="int8",
    sparsity=0.8,
    epochs=(3, 3),
    size=96,
    alpha=0.5,
    weights=None,
    samples=None,
    folder=None,
):
    """Train, prune for a device, export and measure.

    Returns:
        Dict with the reports of pruning, export, time and kernels, and a list of rows: name,
        accuracy, bytes, microseconds in LiteRT, microseconds with the delegate.
    """
    data = datasets.load(dataset)
    x, y = (array[:samples] for array in data.train)
    x_test, y_test = (array[:samples] for array in data.test)
    x, x_test = images(x, size), images(x_test, size)
    keras.utils.set_random_seed(0)
    model = build_model(size, alpha, weights)
    fit(model, x, y, epochs[0], 1e-3)

    folder = pathlib.Path(folder or tempfile.mkdtemp())
    paths, accuracies = [folder / "dense.tflite", folder / "sparse.tflite"], []
    kp.export_tflite(model, paths[0], quantize, x[:100] if quantize else None, sparse=False)
    accuracies.append(_accuracy(model, x_test, y_test))

    callback = kp.PruneCallback(sparsity, granularity="auto", target=target, quantize=quantize)
    fit(model, x, y, epochs[1], 5e-4, [callback])
    exported = kp.export_tflite(model, paths[1], quantize, x[:100] if quantize else None)
    accuracies.append(_accuracy(model, x_test, y_test))

    times = kp.benchmark(paths)
    stock = [row for row in times.rows if row.runs == "LiteRT"]
    ours = [row for row in times.rows if row.runs != "LiteRT"]
    rows = [
        (path.stem, accuracy, path.stat().st_size, 1e6 * before.median, 1e6 * after.median)
        for path, accuracy, before, after in zip(paths, accuracies, stock, ours, strict=True)
    ]
    kernels = kp.explain(paths[1])
    return {
        "pruning": callback.report,
        "export": exported,
        "times": times,
        "kernels": kernels,
        "rows": rows,
    }


def _accuracy(model, x, y):
    return float((model.predict(x, batch_size=256, verbose=0).argmax(-1) == y).mean())


def table(rows):
    """The rows as text."""
    columns = ["model", ">accuracy", ">bytes", ">LiteRT, us", ">with the delegate, us"]
    cells = [
        (name, f"{accuracy:.1%}", f"{size:,}", f"{stock:.1f}", f"{ours:.1f}")
        for name, accuracy, size, stock, ours in rows
    ]
    return render_table("MobileNetV2", columns, cells)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="digits", choices=sorted(datasets.NAMES))
    parser.add_argument("--target", default="x86-avx512", help="see kp.Auto")
    parser.add_argument("--float32", action="store_true", help="float32 files in place of int8")
    parser.add_argument("--sparsity", type=float, default=0.8)
    parser.add_argument("--epochs", type=int, default=3, help="dense, and as many of pruning")
    parser.add_argument("--weights", choices=["imagenet"], help="trained weights, downloaded")
    arguments = parser.parse_args()
    found = run(
        arguments.dataset,
        arguments.target,
        None if arguments.float32 else "int8",
        arguments.sparsity,
        (arguments.epochs, arguments.epochs),
        weights=arguments.weights,
    )
    for report in ("pruning", "kernels"):
        print(found[report])
    print(table(found["rows"]))
