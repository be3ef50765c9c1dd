"""Shrinking by activation density: `python -m benchmarks.activation_density`.

LeNet-5 on MNIST and a small VGG on CIFAR-10 are trained by `kp.train_with_activation_density`,
with fresh weights as the paper has it and with those of the most active units. Beside every last
network stands the first, trained for as many epochs. Accuracies are of validation images.
"""

import argparse
import os
import statistics

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras

from benchmarks import results
from examples import datasets
from keras_prune.model_cost import cost
from keras_prune.recipes import train_with_activation_density

NAME = "activation_density"
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
    for block, filters in enumerate((32, 64, 128)):
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


# Network -> data set, function, epochs of the last network.
NETWORKS = {"LeNet-5": ("mnist", lenet_5, 20), "small VGG": ("cifar10", small_vgg, 40)}


def measure(network, seed, initialization, images=None, epochs=None, quick=False):
    """Shrink one network.

    Args:
        network: Str. A name in `NETWORKS`.
        seed: Int.
        initialization: Str. `"fresh"`, `"most_active"`, or `"dense"`: the first network alone.
        images: Int or `None`. Training images to use. Defaults to all.
        epochs: Int or `None`. Epochs of the last network. Defaults to its own.
        quick: Bool. Shrink once, after one epoch. Defaults to `False`.

    Returns:
        Dict of what was measured.
    """
    dataset, model_fn, own_epochs = NETWORKS[network]
    data = datasets.load(dataset)
    x, y = (array[:images] for array in data.train)
    epochs = epochs or own_epochs

    def train(model, callbacks, round):
        model.fit(x, y, batch_size=128, epochs=epochs, callbacks=callbacks, verbose=0)

    if initialization == "dense":
        keras.utils.set_random_seed(seed)
        model = model_fn({})
        train(model, [], 0)
        spent = cost(model)
        accuracy = model.evaluate(*data.validation, verbose=0, return_dict=True)["accuracy"]
        found = {"params": 1.0, "operations": 1.0, "complexity": float(epochs), "networks": 1}
        found |= {"widths": [], "size": spent.params}
    else:
        settings = {"epochs": [1]} if quick else {"rounds": 3, "min_width": 4}
        report = train_with_activation_density(
            model_fn, train, data.validation, initialization=initialization, seed=seed, **settings
        )
        last = report.rounds[report.kept]
        accuracy = last.evaluation["accuracy"]
        found = {
            "params": report.parameter_reductions[report.kept],
            "operations": report.operation_reductions[report.kept],
            "complexity": report.training_complexity,
            "networks": len(report.rounds),
            "widths": list(last.widths.values()),
            "size": last.params,
        }
    row = {"network": network, "initialization": initialization, "seed": seed, "epochs": epochs}
    return {**row, "accuracy": 100.0 * accuracy, **found}


def table(measured):
    """The Markdown table, means over the seeds."""
    rows = []
    for network, initialization in dict.fromkeys(
        (row["network"], row["initialization"]) for row in measured
    ):
        same = [
            r for r in measured if (r["network"], r["initialization"]) == (network, initialization)
        ]

        def mean(name, same=same):
            return statistics.mean(row[name] for row in same)

        accuracies = [row["accuracy"] for row in same]
        rows.append(
            (
                network,
                initialization,
                f"{mean('accuracy'):.2f} ({min(accuracies):.2f} to {max(accuracies):.2f})",
                f"{mean('size'):,.0f}",
                f"{mean('params'):.2f}x",
                f"{mean('operations'):.2f}x",
                f"{mean('complexity'):.1f}",
                same[0]["epochs"],
            )
        )
    columns = ["network", "weights of the next network", ">accuracy, % (range)", ">weights"]
    columns += [">fewer weights", ">fewer MACs", ">training complexity", ">epochs of the first"]
    return results.markdown_table(columns, rows)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="try it on few images; saves nothing")
    arguments = parser.parse_args(argv)
    measured, settings = [], {}
    if arguments.quick:
        arguments.seeds, settings = 1, {"images": 512, "epochs": 2, "quick": True}
    for network in NETWORKS:
        for seed in range(arguments.seeds):
            for initialization in ("dense", "fresh", "most_active"):
                measured.append(measure(network, seed, initialization, **settings))
                print(measured[-1], flush=True)
    if arguments.quick:
        print(table(measured))
        return
    results.save(NAME, measured, seeds=list(range(arguments.seeds)))
    document = results.load(NAME)
    results.write_tables(NAME, f"{table(measured)}\n\n{results.provenance(document)}")


if __name__ == "__main__":
    main()
