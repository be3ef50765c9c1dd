"""Published rows of joint pruning: `python -m benchmarks.joint_pruning`.

MLP-3 and Lenet-4 on MNIST and ConvNet-5 on CIFAR-10 go the whole way of `kp.joint_prune`: a dense
network is trained, its weights are pruned in rounds, winner rates are searched on held-out training
images or given (for MNIST as chosen on these, for ConvNet-5 from the multiply-accumulates of its
published row), and one fine-tuning follows with both. All stages see the same random crops, moved
by a pixel on MNIST, also mirrored on CIFAR-10; what is pruned also learns from the dense network.
Beside it stand the dense network and the one with pruned weights alone. Accuracies are of test
images, which nothing is chosen by; densities and multiply-accumulates are counted on them too. The
networks for MNIST also run as C programs on a Cortex-M4 in QEMU.

Every run is written to the result file at once: an interrupted benchmark goes on where it was, and
several processes, each with its own `--networks`, share the work.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np

import keras_prune as kp
from benchmarks import results
from benchmarks.exported_c import on_cortex_m4
from benchmarks.joint_networks import NETWORKS, Crops, Distillation, accuracy, middle
from examples import datasets

NAME = "joint_pruning"
STAGES = (("dense", "dense"), ("weights", "weights alone"), ("joint", "joint"))


def measure(name, seed, settings):
    """Train one network and prune it.

    Args:
        name: Str. A name in `NETWORKS`.
        seed: Int.
        settings: Dict, what `settings_of` returned.

    Returns:
        Dict: what was asked, and what was measured on test images, stage by stage.
    """
    begin = time.perf_counter()
    network, images = NETWORKS[name], datasets.load(NETWORKS[name].data)
    x, y = (array[: settings["images"]] for array in images.train)
    validation, test = (
        (middle(part[0], network.size), part[1]) for part in (images.validation, images.test)
    )
    calibration = middle(x, network.size)
    padded = np.pad(x, ((0, 0), *2 * ((network.pad, network.pad),), (0, 0)))
    first, of_round, last = settings["epochs"]
    loss, teacher = Distillation(*settings["teacher"]), None

    def adam(epochs, rate):
        steps = -(-len(x) // settings["batch"]) * epochs
        return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps))

    def fit(model, epochs, callbacks=()):
        crops = network.size, network.mirrored, settings["batch"], seed, teacher
        model.fit(Crops(padded, y, *crops), epochs=epochs, callbacks=list(callbacks), verbose=0)

    def train(model, callbacks, round):
        fit(model, of_round if round <= settings["rounds"] else last, callbacks)

    def tested(model):
        found = model.evaluate(*test, batch_size=500, verbose=0, return_dict=True)
        spent = kp.cost(model, data=test, batch_size=500)
        program = on_cortex_m4(model, calibration, *test) if network.data == "mnist" else None
        return {
            "cortex_m4": program,
            "accuracy": 100.0 * found["accuracy"],
            "activations": 100.0 * spent.activation_density,
            "compression": spent.compression(),
            "product": 100.0 * spent.mac_density("product"),
            "exact": 100.0 * spent.mac_density("exact"),
            "layers": {
                layer.path.split("/")[-1]: {
                    "weights": layer.weight_density,
                    "inputs": layer.input_density,
                    "activations": layer.activation_density,
                    "pairs": layer.pairs / (spent.examples * layer.macs),
                }
                for layer in spent.layers
            },
        }

    keras.utils.set_random_seed(seed)
    model = network.make()
    model.compile(adam(first, settings["rate"]), loss, metrics=[accuracy])
    fit(model, first)
    measured = {"dense": tested(model)}
    teacher = kp.strip(model)
    model.compile(adam(of_round, settings["rate"] / 2), loss, metrics=[accuracy])
    report = kp.joint_prune(
        model,
        train,
        validation,
        allocation=kp.PerLayer(settings["sparsities"]),
        rounds=settings["rounds"],
        tolerance=settings["tolerance"],
        winner_rates=settings["winner_rates"],
        learning_rate_factor=None,
        fine_tune_factor=None,
        optimizer=adam(last, settings["rate"]),
        scale_dropout=True,
        seed=seed,
    )
    measured["weights"], measured["joint"] = tested(model), tested(report.model)
    return {
        "network": name,
        "seed": seed,
        "settings": settings,
        "backend": keras.config.backend(),
        "seconds": round(time.perf_counter() - begin, 1),
        "rates": report.rates,
        "measured": measured,
    }


def settings_of(name, images=None, epochs=None):
    """Dict of all that decides about a run, besides the seed."""
    network = NETWORKS[name]
    return {
        "images": images or network.images,
        "batch": 128,
        "sparsities": network.sparsities,
        "epochs": epochs or network.epochs,
        "rounds": network.rounds,
        "rate": network.rate,
        "tolerance": network.tolerance,
        "winner_rates": network.winner_rates,
        "teacher": network.teacher,
    }


def measure_all(names, seeds):
    """Measure what the result file lacks, seed by seed; others may write to it meanwhile."""
    for seed in seeds:
        for name in names:
            key = {"network": name, "seed": seed}
            wanted = {**key, "settings": settings_of(name)}
            if results.has(NAME, wanted):
                continue
            run = measure(name, seed, wanted["settings"])
            results.add(NAME, run, tuple(key))
            print({**key, "joint": run["measured"]["joint"]["accuracy"]}, flush=True)


def table(runs):
    """The Markdown table: means over the seeds, and the range of the accuracies."""
    rows = []
    for name, network in NETWORKS.items():
        same = [run for run in runs if run["network"] == name]
        if not same:
            continue
        trained_on = f", {network.images:,} images" if network.images else ""
        for stage, title in STAGES:
            figures = _figures([run["measured"][stage] for run in same])
            rows.append((name + trained_on, title, len(same), *figures))
        paper = network.published
        rows.append(
            (
                name,
                "published",
                "",
                f"{paper['joint']:.2f} (dense {paper['dense']:.2f})",
                f"{paper['activations']:.1f}",
                f"{paper['compression']:.1f}x",
                f"{paper['macs']:.2f}",
                "",
            )
        )
    columns = ["network", "", ">seeds", ">accuracy, % (range)", ">activations, %", ">weights /"]
    return results.markdown_table([*columns, ">MACs by product, %", ">MACs counted, %"], rows)


def _figures(found):
    accuracies = [item["accuracy"] for item in found]
    mean = {
        key: statistics.mean(item[key] for item in found)
        for key in ("accuracy", "activations", "compression", "product", "exact")
    }
    return (
        f"{mean['accuracy']:.2f} ({min(accuracies):.2f} to {max(accuracies):.2f})",
        f"{mean['activations']:.1f}",
        f"{mean['compression']:.1f}x",
        f"{mean['product']:.2f}",
        f"{mean['exact']:.2f}",
    )


def layer_table(runs):
    """The Markdown table of the layers after joint pruning: means over the seeds, in %."""
    rows = []
    for name in NETWORKS:
        same = [run for run in runs if run["network"] == name]
        for layer in same[0]["measured"]["joint"]["layers"] if same else ():
            found = [run["measured"]["joint"]["layers"][layer] for run in same]
            rates = [run["rates"][layer] for run in same if layer in run["rates"]]
            mean = (
                statistics.mean(item[key] for item in found)
                for key in ("weights", "inputs", "activations", "pairs")
            )
            rate = f"{100 * statistics.mean(rates):.1f}" if rates else ""
            rows.append((name, layer, rate, *(f"{100 * value:.2f}" for value in mean)))
    columns = ["network", "layer", ">winner rate, %", ">weights, %", ">inputs, %"]
    return results.markdown_table([*columns, ">activations, %", ">MACs counted, %"], rows)


def program_table(runs):
    """The Markdown table of the C programs: means over the seeds."""
    rows = []
    for name in NETWORKS:
        same = [run for run in runs if run["network"] == name]
        programs = [
            {stage: run["measured"][stage]["cortex_m4"] for stage in run["measured"]}
            for run in same
            if run["measured"]["dense"].get("cortex_m4")
        ]
        if not programs:
            continue
        for stage, title in STAGES:
            accuracy, instructions, weight_bytes = (
                statistics.mean(program[stage][key] for program in programs)
                for key in ("accuracy", "instructions", "weight_bytes")
            )
            ratio = statistics.mean(
                program["dense"]["instructions"] / program[stage]["instructions"]
                for program in programs
            )
            encodings = [layer["encoding"] for layer in programs[0][stage]["layers"]]
            cells = (f"{accuracy:.2f}", f"{instructions:,.0f}", f"{ratio:.1f}x")
            rows.append((name, title, ", ".join(encodings), *cells, f"{weight_bytes:,.0f}"))
    columns = ["network", "", "weights", ">int8 accuracy, %", ">instructions", ">fewer"]
    return results.markdown_table([*columns, ">weight bytes"], rows)


def write(document):
    """Write the tables."""
    runs = document["results"]
    parts = [table(runs), layer_table(runs)]
    if any(run["measured"]["dense"].get("cortex_m4") for run in runs):
        parts += ["As int8 C on a Cortex-M4, an image:", program_table(runs)]
    trained = sorted({(run["network"], run["backend"]) for run in runs})
    backends = ", ".join(f"{network} with {backend}" for network, backend in trained)
    parts.append(f"Trained: {backends}. {results.provenance(document)}")
    results.write_tables(NAME, "\n\n".join(parts))


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--quick", action="store_true", help="try it on few images; keeps nothing")
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    if arguments.quick:
        few = {"images": 512, "epochs": (2, 1, 1)}
        quick = [measure(name, 0, settings_of(name, **few)) for name in arguments.networks]
        print(table(quick))
        return
    if not arguments.tables_only:
        measure_all(arguments.networks, arguments.seeds)
    write(results.load(NAME))


if __name__ == "__main__":
    main()
