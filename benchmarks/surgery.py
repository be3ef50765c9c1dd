"""What cutting costs and brings: `python -m benchmarks.surgery`.

Networks of `keras.applications` with random weights, the given share of their filters pruned:
the seconds to find the groups and to cut them, and how multiply-accumulates, parameters, the time
of a training step and the time of the exported file (LiteRT, one thread, float32) fall from the
whole network to the smaller one. Steps and files of both take turns; ratios are of medians.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks import results
from keras_prune.dependencies.rules.rule import table as layer_table

NAME = "surgery"
LAYERS = "surgery_layers"
# Network, image size, share of the filters that goes, images in a training batch.
CASES = (
    ("ResNet50", 224, 0.5, 4),
    ("ResNet50", 224, 0.75, 4),
    ("MobileNetV2", 224, 0.5, 4),
    ("VGG16", 128, 0.5, 4),
    ("EfficientNetV2B0", 128, 0.5, 4),
)


def measure_here(case, rounds):
    """Prune, cut and time one network.

    Returns:
        Dict: seconds of surgery, and by "whole" and "small" parameters, MACs, lists of the
        milliseconds of a step, and the milliseconds and bytes of the file.
    """
    import keras
    import numpy as np

    import keras_prune as kp

    name, size, share, batch = case
    keras.utils.set_random_seed(0)
    whole = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3))
    kp.prune(whole, share, granularity="filter")
    seconds = []
    for _ in range(rounds):
        begin = time.perf_counter()
        small = kp.shrink(whole)
        seconds.append(time.perf_counter() - begin)
    x = np.random.default_rng(0).normal(size=(batch, size, size, 3)).astype("float32")
    y = np.zeros(batch, int)
    models = {"whole": whole, "small": small}
    steps = {key: [] for key in models}
    for model in models.values():
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.train_on_batch(x, y)
    for _ in range(rounds):
        for key, model in models.items():
            begin = time.perf_counter()
            model.train_on_batch(x, y)
            steps[key].append((time.perf_counter() - begin) * 1e3)
    with tempfile.TemporaryDirectory() as folder:
        paths = {key: pathlib.Path(folder, f"{key}.tflite") for key in models}
        for key, model in models.items():
            kp.export_tflite(model, paths[key], sparse=False)
        timed = kp.benchmark(list(paths.values()), delegate=False, runs=max(3, rounds)).rows
        files = {
            key: {"milliseconds": row.median * 1e3, "bytes": paths[key].stat().st_size}
            for key, row in zip(models, timed, strict=True)
        }
    return {
        "seconds": seconds,
        **{
            key: {
                "params": model.count_params(),
                "macs": kp.cost(model).macs,
                "step_milliseconds": steps[key],
                **files[key],
            }
            for key, model in models.items()
        },
    }


def table(measured):
    """The Markdown of all cases."""
    rows = []
    for entry in measured:
        name, size, share, _ = entry["case"]
        whole, small = entry["whole"], entry["small"]
        steps = [statistics.median(model["step_milliseconds"]) for model in (whole, small)]
        rows.append(
            (
                f"{name}, {size} x {size}",
                f"{share:.0%}",
                f"{entry['seconds'][0]:.1f} / {statistics.median(entry['seconds']):.1f}",
                f"{whole['params'] / small['params']:.2f}x",
                f"{whole['macs'] / small['macs']:.2f}x",
                f"{steps[0] / steps[1]:.2f}x",
                f"{whole['milliseconds'] / small['milliseconds']:.2f}x",
                f"{whole['milliseconds']:.1f} / {small['milliseconds']:.1f}",
                f"{whole['bytes'] / small['bytes']:.2f}x",
            )
        )
    columns = ["network", ">filters cut", ">surgery first / later, s", ">parameters", ">MACs"]
    columns += [">training step", ">LiteRT", ">LiteRT whole / small, ms", ">file"]
    return results.markdown_table(columns, rows)


def layers():
    """The Markdown of the layers that surgery knows."""
    return results.markdown_table(["layer or operation", "what it does"], layer_table())


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="the first case, once, not kept")
    parser.add_argument("--here", type=int, help="measure a case in this process, print JSON")
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    rounds = 1 if arguments.quick else arguments.rounds
    if arguments.here is not None:
        print(json.dumps(measure_here(CASES[arguments.here], rounds)))
        return
    if not arguments.tables_only:
        measured = []
        for index, case in enumerate(CASES[:1] if arguments.quick else CASES):
            command = [sys.executable, "-m", "benchmarks.surgery", "--rounds", str(rounds)]
            done = subprocess.run(
                [*command, "--here", str(index)],
                env={**os.environ, "KERAS_BACKEND": "tensorflow"},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            measured.append({"case": case, **json.loads(done.stdout.splitlines()[-1])})
        if arguments.quick:
            print(table(measured))
            return
        results.save(NAME, measured, rounds=rounds, seed=0)
    results.write_tables(LAYERS, layers())
    if (results.FOLDER / f"{NAME}.json").exists():
        document = results.load(NAME)
        text = f"{table(document['results'])}\n\n{results.provenance(document)}"
        results.write_tables(NAME, text)


if __name__ == "__main__":
    main()
