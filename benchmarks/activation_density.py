"""Shrinking by activation density: `python -m benchmarks.activation_density`.

LeNet-5 on MNIST and a small VGG on CIFAR-10 are trained by `kp.train_with_activation_density`,
with fresh weights as the paper has it and with those of the most active units. Beside every last
network stands the first, trained for as many epochs. Accuracies are of test images.

Every run is written to the result file at once: an interrupted benchmark goes on where it was, and
several processes, each with its own `--networks`, share the work.
"""

import argparse
import dataclasses
import itertools
import os
import statistics

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras

from benchmarks import results
from examples import datasets
from keras_prune.model_cost import cost
from keras_prune.recipes import (
    DensityReport,
    DensityRound,
    train_with_activation_density,
)
from keras_prune.report.density_plots import plot_densities, plot_layer_densities

NAME = "activation_density"
PICTURES = results.REPOSITORY / "docs" / "pictures"
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
layers = keras.layers


def lenet_5(widths):
    """LeNet-5 as Caffe has it, with a ReLU behind each layer."""
    return _compiled(
        keras.Input((28, 28, 1)),
        layers.Conv2D(widths.get("first", 20), 5, activation="relu", name="first"),
        layers.MaxPooling2D(),
        layers.Conv2D(widths.get("second", 50), 5, activation="relu", name="second"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(widths.get("hidden", 500), activation="relu", name="hidden"),
        layers.Dense(10, name="logits"),
    )


def small_vgg(widths):
    """Six convolutions with batch normalization, for 32 x 32 images."""
    stack = [keras.Input((32, 32, 3))]
    for block, filters in enumerate((16, 32, 64)):
        for place in "ab":
            name = f"conv{block}{place}"
            width = widths.get(name, filters)
            stack.append(layers.Conv2D(width, 3, padding="same", use_bias=False, name=name))
            stack += [layers.BatchNormalization(name=f"{name}_norm"), layers.ReLU()]
        stack.append(layers.MaxPooling2D())
    return _compiled(*stack, layers.GlobalAveragePooling2D(), layers.Dense(10, name="logits"))


def _compiled(*stack):
    model = keras.Sequential(list(stack))
    model.compile(keras.optimizers.Adam(1e-3), LOSS, metrics=["accuracy"])
    return model


# What the runs of a network need: the data set and how many of its training images, the epochs of
# the last network and those after which the others are shrunk, a third, as in the paper.
NETWORKS = {
    "LeNet-5": {"data": "mnist", "images": 20_000, "epochs": 12, "shrink_after": 4, "rounds": 3},
    "small VGG": {
        "data": "cifar10",
        "images": 10_000,
        "epochs": 21,
        "shrink_after": 7,
        "rounds": 3,
    },
}
MODELS = {"LeNet-5": lenet_5, "small VGG": small_vgg}
KINDS = ("dense", "fresh", "most_active")


def measure(network, kind, seed, settings):
    """Train one network, or shrink it.

    Args:
        network: Str. A name in `NETWORKS`.
        kind: Str. `"dense"`: the first network alone; or the recipe's `initialization`.
        seed: Int.
        settings: Dict, as in `NETWORKS`.

    Returns:
        Dict: what was asked, the accuracy in %, and the networks as `DensityRound`s in dicts.
    """
    data = datasets.load(settings["data"])
    x, y = (array[: settings["images"]] for array in data.train)

    def train(model, callbacks, round):
        epochs = settings["epochs"]
        model.fit(x, y, batch_size=128, epochs=epochs, callbacks=callbacks, verbose=0)

    run = {"network": network, "kind": kind, "seed": seed, "settings": settings}
    if kind == "dense":
        keras.utils.set_random_seed(seed)
        model = MODELS[network]({})
        train(model, [], 0)
        accuracy = model.evaluate(*data.test, verbose=0, return_dict=True)["accuracy"]
        spent = cost(model)
        return {**run, "accuracy": 100.0 * accuracy, "params": spent.params, "macs": spent.macs}
    report = train_with_activation_density(
        MODELS[network],
        train,
        data.test,
        initialization=kind,
        seed=seed,
        rounds=settings["rounds"],
        epochs=settings["shrink_after"],
        min_width=4,
    )
    return {
        **run,
        "accuracy": 100.0 * report.rounds[report.kept].evaluation["accuracy"],
        "kept": report.kept,
        "rounds": [dataclasses.asdict(item) for item in report.rounds],
    }


def report_of(run):
    """The `DensityReport` of a run that was read from the result file, without its model."""
    return DensityReport(tuple(DensityRound(**item) for item in run["rounds"]), run["kept"], None)


def table(runs):
    """The Markdown table: means over the seeds, and the range of the accuracies."""
    rows = []
    for network in NETWORKS:
        for kind in KINDS:
            same = [run for run in runs if (run["network"], run["kind"]) == (network, kind)]
            if same:
                rows.append((network, *_row(kind, same)))
    columns = ["network", "weights of the next network", ">seeds", ">accuracy, % (range)"]
    columns += [">networks", ">weights", ">fewer weights", ">fewer MACs", ">training complexity"]
    return results.markdown_table([*columns, ">epochs of the first"], rows)


def _row(kind, runs):
    accuracies = [run["accuracy"] for run in runs]
    epochs = runs[0]["settings"]["epochs"]
    if kind == "dense":
        figures = [(1, run["params"], 1.0, 1.0, float(epochs)) for run in runs]
    else:
        figures = [_figures(report_of(run)) for run in runs]
    networks, size, params, macs, complexity = map(statistics.mean, zip(*figures, strict=True))
    accuracy = f"{statistics.mean(accuracies):.2f} ({min(accuracies):.2f} to {max(accuracies):.2f})"
    return (
        "none, it stays as it is" if kind == "dense" else kind,
        len(runs),
        accuracy,
        f"{networks:.1f}",
        f"{size:,.0f}",
        f"{params:.2f}x",
        f"{macs:.2f}x",
        f"{complexity:.1f}",
        epochs,
    )


def _figures(report):
    kept = report.kept
    return (
        len(report.rounds),
        report.rounds[kept].params,
        report.parameter_reductions[kept],
        report.operation_reductions[kept],
        report.training_complexity,
    )


def draw(runs):
    """Draw the densities of the first seed's runs with fresh weights, as the paper does."""
    PICTURES.mkdir(exist_ok=True)
    for run in runs:
        if run["kind"] == "fresh" and run["seed"] == 0:
            name = run["network"].lower().replace(" ", "_").replace("-", "_")
            report = report_of(run)
            plot_densities(report, PICTURES / f"activation_density_{name}.png")
            plot_layer_densities(report, 0, PICTURES / f"activation_density_{name}_layers.png")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--quick", action="store_true", help="try it on few images; keeps nothing")
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    if arguments.quick:
        few = {"images": 512, "epochs": 4, "shrink_after": 2, "rounds": 1}
        quick = [
            measure(name, kind, 0, {**settings, **few})
            for name, settings in NETWORKS.items()
            for kind in KINDS
        ]
        print(table(quick))
        return
    if not arguments.tables_only:
        measure_all(arguments.networks, arguments.seeds)
    document = results.load(NAME)
    draw(document["results"])
    text = f"{table(document['results'])}\n\n{results.provenance(document)}"
    results.write_tables(NAME, text)


def measure_all(names, seeds):
    """Measure what the result file lacks; others may write to it meanwhile."""
    for seed, name, kind in itertools.product(seeds, names, KINDS):
        key = {"network": name, "kind": kind, "seed": seed}
        if not results.has(NAME, {**key, "settings": NETWORKS[name]}):
            run = measure(name, kind, seed, NETWORKS[name])
            results.add(NAME, run, tuple(key), backend=keras.config.backend())
            print({**key, "accuracy": run["accuracy"]}, flush=True)


if __name__ == "__main__":
    main()
