"""What is pruned of whole networks, and what is not: `python -m benchmarks.applications`.

The networks of `keras.applications` with random weights, one shot at 80 % of the zeros. It is
about which kernels are reached, why others are left alone and how long it takes; the masks of
random weights say nothing about accuracy.
"""

import argparse
import collections
import os
import pathlib
import tempfile
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np

import keras_prune as kp
from benchmarks import results

NAME = "applications"
SPARSITY = 0.8
MODELS = ("MobileNetV2", "EfficientNetV2B0", "ResNet50V2", "ConvNeXtTiny")
SETTINGS = (
    ("unstructured", "uniform"),
    ("unstructured", "global"),
    ("1x4", "uniform"),
    ("filter", "uniform"),
)


def measure(names):
    """Build every network, then prune it anew from the same weights in each setting.

    Returns:
        List of dicts, one for each model and setting.
    """
    measured = []
    for name in names:
        keras.utils.set_random_seed(0)
        model = getattr(keras.applications, name)(input_shape=(32, 32, 3), weights=None)
        weights = model.get_weights()
        for granularity, allocation in SETTINGS:
            model.set_weights(weights)
            begin = time.perf_counter()
            report = kp.prune(model, SPARSITY, granularity=granularity, allocation=allocation)
            seconds = time.perf_counter() - begin
            measured.append(_row(name, model, granularity, allocation, report, seconds))
            print(measured[-1])
        _check(model)
    return measured


def _row(name, model, granularity, allocation, report, seconds):
    return {
        "model": name,
        "parameters": model.count_params(),
        "granularity": granularity,
        "allocation": allocation,
        "pruned": len(report.pruned),
        "skipped": dict(collections.Counter(weight.skip for weight in report.skipped)),
        "sparsity": report.achieved,
        "sparsity_of_all_kernels": kp.sparsity(model).total,
        "reached": report.reached,
        "seconds": seconds,
    }


def _check(model):
    """Refuse to publish a network that gives no numbers, or others after it was stored."""
    x = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    before = model.predict(x, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.keras"
        model.save(path)
        after = keras.models.load_model(path).predict(x, verbose=0)
    if not np.isfinite(before).all() or not np.allclose(before, after, atol=1e-6):
        raise RuntimeError(f"The pruned network does not work. Received: model={model.name}")


def tables(document):
    """The Markdown of all networks."""
    rows = [
        (
            run["model"],
            f"{run['parameters']:,}",
            run["granularity"],
            run["allocation"],
            run["pruned"],
            "; ".join(f"{reason} ({count})" for reason, count in run["skipped"].items()),
            f"{run['sparsity']:.2%}",
            "yes" if run["reached"] else "no",
            f"{run['sparsity_of_all_kernels']:.2%}",
            f"{run['seconds']:.1f}",
        )
        for run in document["results"]
    ]
    columns = [
        "model",
        ">parameters",
        "granularity",
        "allocation",
        ">kernels pruned",
        "left alone",
        ">zeros of these",
        "reached",
        ">zeros of all kernels",
        ">s",
    ]
    return f"{results.markdown_table(columns, rows)}\n\n{results.provenance(document)}"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    if not arguments.tables_only:
        results.save(NAME, measure(arguments.models), sparsity=SPARSITY, input="32x32x3", seed=0)
    results.write_tables(NAME, tables(results.load(NAME)))


if __name__ == "__main__":
    main()
