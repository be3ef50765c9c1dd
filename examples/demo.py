"""The whole way on real data: train, prune, export, run with the delegate and as plain C.

    python -m examples.demo --dataset digits|mnist|fashion_mnist|cifar10

Ends with one table: the same network dense and sparse, in LiteRT, in LiteRT with
the delegate, and as a C program on this machine and on a Cortex-M4 in QEMU.
"""

import argparse
import dataclasses
import gzip
import json
import os
import pathlib
import shutil

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
from rich.console import Console

import keras_prune as kp
from examples import datasets, litert
from keras_prune.tables import render_table

console = Console(highlight=False)

# Passes over the training set, dense then pruned; QEMU runs at most this many images.
EPOCHS = {"digits": (15, 20), "mnist": (4, 6), "fashion_mnist": (6, 8), "cifar10": (12, 12)}
QEMU_IMAGES = 600


def build_model(input_shape, classes=10):
    """A convolutional network whose feature maps shrink to at most 4x4 before Dense."""
    x = inputs = keras.Input(input_shape)
    size, filters = input_shape[0], 32
    x = _convolution(x, filters)
    while size > 7:
        x = keras.layers.MaxPooling2D()(x)
        size, filters = size // 2, 64
        x = _convolution(x, filters)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(128, activation="relu")(x)
    x = keras.layers.Dropout(0.3)(x)
    outputs = keras.layers.Dense(classes, activation="softmax")(x)
    return keras.Model(inputs, outputs)


def _convolution(x, filters):
    x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = keras.layers.BatchNormalization(momentum=0.95)(x)
    return keras.layers.ReLU()(x)


def train(data, sparsity, granularity, epochs, seed):
    """Train a dense model, then go on from a copy of it with pruning.

    Returns:
        The dense and the pruned model, and the pruning report.
    """
    keras.utils.set_random_seed(seed)
    if len(data.train[0]) < 5000:
        data = dataclasses.replace(data, train=_with_shifts(*data.train))
    dense = build_model(data.input_shape)
    _fit(dense, data, epochs[0], 2e-3)
    pruned = keras.models.clone_model(dense)
    pruned.set_weights(dense.get_weights())
    granularity = granularity or kp.Auto("host", "int8")
    # One threshold over all layers: the first convolution, with few weights, keeps more of them.
    callback = kp.PruneCallback(sparsity=sparsity, granularity=granularity, allocation="global")
    _fit(pruned, data, epochs[1], 2e-3, [callback])
    return dense, pruned, callback.report


def _with_shifts(x, y):
    """The images and their copies moved by one pixel: five times as many."""
    moves = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)]
    return np.concatenate([np.roll(x, move, (1, 2)) for move in moves]), np.tile(y, len(moves))


def _fit(model, data, epochs, learning_rate, callbacks=()):
    steps = epochs * -(-len(data.train[0]) // 64)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps, alpha=0.02)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        *data.train,
        batch_size=64,
        epochs=epochs,
        validation_data=data.validation,
        callbacks=list(callbacks),
        verbose=0,
    )
    console.print(f"  validation accuracy {history.history['val_accuracy'][-1]:.4f}")


def export(dense, pruned, folder, calibration):
    """Write the .tflite files and the two C projects.

    Returns:
        Dict from name to `.tflite` path, and dict from name to C project report.
    """
    files = {}
    for name, model, quantize, profile in (
        ("dense float32", dense, None, "portable"),
        ("dense int8", dense, "int8", "portable"),
        ("sparse float32", pruned, None, "portable"),
        ("sparse int8", pruned, "int8", "portable"),
        ("sparse int8, small", pruned, "int8", "small"),
    ):
        files[name] = folder / f"{name.replace(',', '').replace(' ', '_')}.tflite"
        report = kp.export_tflite(
            model,
            files[name],
            quantize=quantize,
            representative_data=calibration if quantize else None,
            sparse=name.startswith("sparse"),
            profile=profile,
        )
    print(report)
    projects = {}
    for name in ("dense int8", "sparse int8"):
        projects[name] = kp.export_c(files[name], project_folder(folder, name), target="cortex-m4")
    print(projects["sparse int8"])
    return files, projects


def project_folder(folder, name):
    """Where the C project of that model is written."""
    return folder / f"{name.replace(' ', '_')}_c"


def measure_litert(files, data):
    """Accuracy, size and time of each file, in LiteRT alone and with the delegate."""
    x, y = data.test
    names = {str(path): name for name, path in files.items()}
    rows = []
    for measured in kp.benchmark(list(files.values())).rows:
        if measured.error:
            raise RuntimeError(f"{measured.path} in {measured.runs}: {measured.error}")
        path = pathlib.Path(measured.path)
        delegates = [] if measured.runs == "LiteRT" else [kp.load_delegate()]
        predicted = litert.predict(path, x, delegates).argmax(-1)
        rows.append(
            {
                "model": names[measured.path],
                "runtime": measured.runs,
                "accuracy": float((predicted == y).mean()),
                "bytes": measured.file_bytes,
                "gzip_bytes": len(gzip.compress(path.read_bytes(), 9)),
                "microseconds": measured.median * 1e6,
            }
        )
    return rows


def measure_c(files, projects, folder, data):
    """Accuracy, flash, RAM and instructions of the C programs, on the host and in QEMU."""
    x, y = data.test
    rows = []
    for name, project in projects.items():
        details = litert.interpreter_for(files[name]).get_input_details()[0]
        images = litert.quantize(x, details)
        host = kp.run_c_project(project_folder(folder, name), images, target="host")
        row = {
            "model": name,
            "runtime": "C, this machine",
            "accuracy": float((host.outputs.argmax(-1) == y).mean()),
            "flash_bytes": project.flash_bytes,
            "ram_bytes": project.arena_bytes + (project.stack_bytes or 0),
        }
        rows.append(row)
        if not _has_qemu():
            print("  QEMU or arm-none-eabi-gcc is not installed: no Cortex-M4 row.")
            continue
        images = images[:QEMU_IMAGES]
        board = kp.run_c_project(project_folder(folder, name), images, target="cortex-m4")
        rows.append(
            row
            | {
                "runtime": "C, Cortex-M4 (QEMU)",
                "accuracy": None,
                "images": len(images),
                "same_outputs": bool((board.outputs == host.outputs[: len(images)]).all()),
                "instructions": float(board.instructions.mean()),
            }
        )
    return rows


def _has_qemu():
    return shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")


def accuracy_cell(row):
    """Accuracy in percent; of QEMU, on how many images its outputs were the host's."""
    if row["accuracy"] is not None:
        return f"{100 * row['accuracy']:.2f} %"
    return f"{'same' if row['same_outputs'] else 'OTHER'} on {row['images']}"


def table(rows, title):
    """One table of everything that was measured."""

    def cell(row, key, form="{:,}"):
        return form.format(row[key]) if row.get(key) is not None else ""

    return render_table(
        title,
        ["model", "runtime", ">accuracy", ">bytes", ">gzip", ">RAM", ">time", ">instructions"],
        [
            [
                row["model"],
                row["runtime"],
                accuracy_cell(row),
                cell(row, "bytes") or cell(row, "flash_bytes"),
                cell(row, "gzip_bytes"),
                cell(row, "ram_bytes"),
                cell(row, "microseconds", "{:,.1f} us"),
                cell(row, "instructions", "{:,.0f}"),
            ]
            for row in rows
        ],
        width=120,
    )


def run(dataset="digits", sparsity=0.9, granularity=None, epochs=None, folder=None, seed=0):
    """Go the whole way.

    Args:
        dataset: Str. One of `examples.datasets.NAMES`. Defaults to `"digits"`.
        sparsity: Float in [0, 1). Defaults to `0.9`.
        granularity: Str or granularity. Defaults to `None`: the shapes that this machine runs
            fastest in int8.
        epochs: Pair of ints, dense and pruned, or `None` for the data set's own.
        folder: Path-like. Where files go. Defaults to `demo-out/<dataset>`.
        seed: Int. Defaults to `0`.

    Returns:
        Dict with the keys `keras` (accuracies) and `rows`.
    """
    folder = pathlib.Path(folder or pathlib.Path("demo-out") / dataset)
    folder.mkdir(parents=True, exist_ok=True)
    data = datasets.load(dataset)
    console.print(f"[bold]1. Train[/] {dataset}: {len(data.train[0])} images, dense, then pruned")
    dense, pruned, report = train(data, sparsity, granularity, epochs or EPOCHS[dataset], seed)
    print(report)
    console.print("[bold]2. Export[/] .tflite and C")
    files, projects = export(dense, pruned, folder, data.train[0][:256])
    console.print("[bold]3. Run[/] in LiteRT, with the delegate, and as C")
    rows = measure_litert(files, data) + measure_c(files, projects, folder, data)
    accuracies = {
        name: float(model.evaluate(*data.test, verbose=0)[1])
        for name, model in (("dense", dense), ("pruned", pruned))
    }
    result = {
        "dataset": dataset,
        "sparsity": kp.sparsity(pruned).total,
        "seed": seed,
        "test_images": len(data.test[0]),
        "keras_accuracy": accuracies,
        "rows": rows,
    }
    (folder / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    return result


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", choices=datasets.NAMES, default="digits")
    parser.add_argument("--sparsity", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    result = run(arguments.dataset, arguments.sparsity, seed=arguments.seed)
    title = (
        f"{arguments.dataset}, {result['test_images']} test images, sparsity "
        f"{result['sparsity']:.1%}; Keras: dense {100 * result['keras_accuracy']['dense']:.2f} %, "
        f"pruned {100 * result['keras_accuracy']['pruned']:.2f} %"
    )
    print(table(result["rows"], title))


if __name__ == "__main__":
    main()
