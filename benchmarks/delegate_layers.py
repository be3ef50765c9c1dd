"""Single layers in LiteRT and with the delegate: `python -m benchmarks.delegate_layers`.

For every layer, granularity and sparsity, one run times in turns: LiteRT on dense float32
and dense int8 weights, LiteRT on the sparse files, and the delegate on the sparse files. A
ratio above 1 says that the delegate is faster. Weights are random (magnitude-pruned), so
this is about speed alone. Where fewer than all inputs are live, an addition with a fused ReLU in
front of the layer, part of all times, makes the others zero.
"""

import argparse
import os
import pathlib
import tempfile

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np

import keras_prune as kp
from benchmarks import results

NAME = "delegate_layers"
LAYERS = {
    "Dense 256 to 256": ((256,), lambda: keras.layers.Dense(256)),
    "Dense 1024 to 1024": ((1024,), lambda: keras.layers.Dense(1024)),
    "Conv 1x1, 28x28x128 to 256": ((28, 28, 128), lambda: keras.layers.Conv2D(256, 1)),
    "Conv 3x3, 28x28x64 to 64": (
        (28, 28, 64),
        lambda: keras.layers.Conv2D(64, 3, padding="same"),
    ),
    "Conv 3x3, 14x14x128 to 128": (
        (14, 14, 128),
        lambda: keras.layers.Conv2D(128, 3, padding="same"),
    ),
}
BLOCKS = [
    {"granularity": granularity, "sparsity": sparsity, "live": 1.0}
    for granularity in ("unstructured", "4x1")
    for sparsity in (0.8, 0.9, 0.95)
]
# Shapes that only fully connected layers have kernels for.
ROWS = [{"granularity": "16x1", "sparsity": sparsity, "live": 1.0} for sparsity in (0.8, 0.9, 0.95)]
WINDOWS = [{"granularity": f"{n}:32", "sparsity": 1 - n / 32, "live": 1.0} for n in (6, 3, 2)]
LIVE = [{"granularity": "16x1", "sparsity": 0.9, "live": live} for live in (0.5, 0.25, 0.1)]


def cases_of(layer):
    """The cases of a layer, by its name."""
    return BLOCKS + ROWS + WINDOWS + LIVE if layer.startswith("Dense") else BLOCKS


def measure(layers, rounds, seed=0):
    """Time every layer at every granularity, sparsity and share of live inputs.

    Returns:
        List of dicts: layer, granularity, sparsity, live, and seconds by configuration.
    """
    measured = []
    for layer in layers:
        for case in cases_of(layer):
            seconds = _time(layer, case, rounds, seed)
            measured.append({"layer": layer, **case, "seconds": seconds})
            print(layer, case, {name: f"{s * 1e6:.1f} us" for name, s in seconds.items()})
    return measured


def _in_front(live):
    """Layers that leave this share of inputs, which are uniform in [-1, 1), above zero."""
    return [] if live == 1 else [keras.layers.Rescaling(1.0, 2 * live - 1), keras.layers.ReLU()]


def _time(layer, case, rounds, seed):
    keras.utils.set_random_seed(seed)
    shape, make = LAYERS[layer]
    x = np.random.default_rng(seed).normal(size=(32, *shape)).astype("float32")
    layers = [*_in_front(case["live"]), make(), keras.layers.ReLU()]
    model = keras.Sequential([keras.Input(shape), *layers])
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        files = {}
        for kind in ("dense", "sparse"):
            if kind == "sparse":
                kp.prune(model, case["sparsity"], granularity=case["granularity"])
            for dtype, quantize in (("float32", None), ("int8", "int8")):
                files[f"{kind} {dtype}"] = folder / f"{kind}_{dtype}.tflite"
                kp.export_tflite(
                    model,
                    files[f"{kind} {dtype}"],
                    quantize=quantize,
                    representative_data=x if quantize else None,
                    sparse=kind == "sparse",
                )
        report = kp.benchmark(list(files.values()), runs=rounds)
    names = {str(path): name for name, path in files.items()}
    return {
        f"{names[row.path]}, {row.runs}": row.median
        for row in report.rows
        if not (names[row.path].startswith("dense") and row.runs != "LiteRT")
    }


def tables(document):
    """The Markdown of all layers."""
    rows = []
    for case in document["results"]:
        seconds = case["seconds"]
        float32 = seconds["sparse float32, LiteRT + delegate"]
        int8 = seconds["sparse int8, LiteRT + delegate"]
        rows.append(
            (
                case["layer"],
                case["granularity"],
                f"{case['sparsity']:.0%}",
                f"{case.get('live', 1):.0%}",
                f"{seconds['dense float32, LiteRT'] * 1e6:.1f}",
                f"{seconds['sparse float32, LiteRT'] * 1e6:.1f}",
                f"{float32 * 1e6:.1f}",
                f"{seconds['dense float32, LiteRT'] / float32:.2f}x",
                f"{seconds['dense int8, LiteRT'] * 1e6:.1f}",
                f"{int8 * 1e6:.1f}",
                f"{seconds['dense int8, LiteRT'] / int8:.2f}x",
            )
        )
    columns = ["layer", "granularity", ">zeros", ">live inputs"]
    columns += [">LiteRT dense f32, us", ">LiteRT sparse f32", ">delegate f32"]
    columns += [">against dense f32", ">LiteRT dense int8, us"]
    columns += [">delegate int8", ">against dense int8"]
    return f"{results.markdown_table(columns, rows)}\n\n{results.provenance(document)}"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    if not arguments.tables_only:
        measured = measure(LAYERS, arguments.rounds)
        results.save(NAME, measured, seed=0, threads=1, rounds=arguments.rounds)
    results.write_tables(NAME, tables(results.load(NAME)))


if __name__ == "__main__":
    main()
