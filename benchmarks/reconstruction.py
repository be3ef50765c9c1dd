"""One-shot pruning with and without repair: `python -m benchmarks.reconstruction`.

LeNet-300-100 is trained briefly on MNIST, pruned by each method with 2,000 training images,
and measured on validation images without any training afterwards.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras

import keras_prune as kp
from benchmarks import results
from examples import datasets

NAME = "reconstruction"
SPARSITIES = (0.9, 0.95)
TRAIN, CALIBRATE, GRADIENTS = 20_000, 2_000, 200


def _methods(x, y):
    """Dict from the name of a method to what prunes a model to a sparsity."""
    layerwise, gradients = kp.prune_layerwise, (x[:GRADIENTS], y[:GRADIENTS])
    return {
        "magnitude": lambda m, s: kp.prune(m, s),
        "magnitude, global": lambda m, s: kp.prune(m, s, allocation="global"),
        "L-OBS": lambda m, s: layerwise(m, s, x, method="l-obs"),
        "OBS": lambda m, s: layerwise(m, s, x, method="obs"),
        "OBS, global": lambda m, s: layerwise(m, s, x, method="obs", allocation="global"),
        "WoodFisher, damping 1e-3": lambda m, s: kp.prune_woodfisher(m, s, gradients),
        "WoodFisher, damping 1e-5": lambda m, s: kp.prune_woodfisher(m, s, gradients, damping=1e-5),
    }


def measure(seeds):
    """Train, prune and evaluate for each seed, method and sparsity.

    Returns:
        List of dicts: method, sparsity, seed, accuracy and seconds.
    """
    data = datasets.load("mnist")
    x, y = data.train[0].reshape(-1, 784), data.train[1]
    x_validation, y_validation = data.validation[0].reshape(-1, 784), data.validation[1]
    measured = []
    for seed in seeds:
        model = _trained(x[:TRAIN], y[:TRAIN], seed)
        weights = model.get_weights()
        measured.append(_row("dense", 0.0, seed, model, (x_validation, y_validation), 0.0))
        for name, prune in _methods(x[:CALIBRATE], y[:CALIBRATE]).items():
            for sparsity in SPARSITIES:
                model.set_weights(weights)
                begin = time.perf_counter()
                prune(model, sparsity)
                seconds = time.perf_counter() - begin
                validation = (x_validation, y_validation)
                measured.append(_row(name, sparsity, seed, model, validation, seconds))
                print(measured[-1])
    return measured


def _trained(x, y, seed):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(300, activation="relu"),
            keras.layers.Dense(100, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=64, epochs=2, verbose=0)
    return model


def _row(method, sparsity, seed, model, validation, seconds):
    accuracy = float(model.evaluate(*validation, batch_size=1000, verbose=0)[1])
    return {
        "method": method,
        "sparsity": sparsity,
        "seed": seed,
        "accuracy": accuracy,
        "seconds": seconds,
    }


def tables(document):
    """The Markdown of all methods."""
    runs = document["results"]

    def percent(method, sparsity):
        values = [
            100 * run["accuracy"]
            for run in runs
            if run["method"] == method and run["sparsity"] == sparsity
        ]
        return f"{statistics.mean(values):.1f} ({min(values):.1f} to {max(values):.1f})"

    def seconds(method):
        return f"{statistics.median(r['seconds'] for r in runs if r['method'] == method):.1f}"

    methods = [method for method in dict.fromkeys(run["method"] for run in runs)][1:]
    rows = [
        (method, *(percent(method, sparsity) for sparsity in SPARSITIES), seconds(method))
        for method in methods
    ]
    columns = ["method", *(f">at {sparsity:.0%}, % (range)" for sparsity in SPARSITIES), ">s"]
    heading = f"Dense: {percent('dense', 0.0)} %."
    table = results.markdown_table(columns, rows)
    return f"{heading}\n\n{table}\n\n{results.provenance(document)}"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    if not arguments.tables_only:
        results.save(NAME, measure(arguments.seeds), seeds=arguments.seeds)
    results.write_tables(NAME, tables(results.load(NAME)))


if __name__ == "__main__":
    main()
