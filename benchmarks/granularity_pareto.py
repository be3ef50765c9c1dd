"""What each shape costs in accuracy and gains in time: `python -m benchmarks.granularity_pareto`.

Three networks are trained, then pruned to 80, 90 and 95 % in every shape and trained on: LeNet-5 on
MNIST, a small MobileNet on CIFAR-10 and a DS-CNN on spoken digits. The dense network that they are
compared with is trained on for as long. Accuracies are of test data, in Keras. Times are medians of
one thread in LiteRT with the delegate, interleaved with the dense files. `"auto"` stands twice, for
float32 and for int8 files.

Every run is written to the result file at once: an interrupted benchmark goes on where it was, and
`--networks` shares the work among several processes. `--train-only` leaves the times to a later
call, on a machine that does nothing else; the files that are to be timed wait in
`build/granularity_pareto`.
"""

import argparse
import os
import pathlib
import re
import tempfile

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# One core is what it is made for.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import keras
import numpy as np

import keras_prune as kp
from benchmarks import networks, results
from examples import datasets
from keras_prune.report.figures import new_figure, saved

NAME = "granularity_pareto"
KEYS = ("network", "shape", "asked", "seed")
FOLDER = results.REPOSITORY / "build" / "granularity_pareto"
PICTURES = results.REPOSITORY / "docs" / "pictures"
SPARSITIES = (0.8, 0.9, 0.95)
WINDOWS = {0.8: 6, 0.9: 3, 0.95: 2}  # of 32: 81.25, 90.6 and 93.75 %
SHAPES = ("unstructured", "4x1", "2x4", "16x1", "n:32", "auto", "auto int8")
# How many examples, epochs before pruning and of it, and the learning rates that both begin with;
# both end at zero, along a cosine.
NETWORKS = {
    "LeNet-5": {"images": 20_000, "epochs": (4, 3), "rates": (1e-3, 1e-3), "batch": 64},
    "MobileNet": {"images": 20_000, "epochs": (8, 4), "rates": (3e-3, 2e-3), "batch": 64},
    "DS-CNN": {"images": 2_700, "epochs": (20, 12), "rates": (2e-3, 2e-3), "batch": 32},
}


def mobilenet():
    """A MobileNet for 32 x 32 images: one convolution and seven pairs, of 16 to 256 channels."""
    stack = [keras.Input((32, 32, 3)), *_normalized(keras.layers.Conv2D(16, 3, 1, "same"))]
    for filters, stride in ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1)):
        stack += _normalized(keras.layers.DepthwiseConv2D(3, stride, "same", use_bias=False))
        stack += _normalized(keras.layers.Conv2D(filters, 1, use_bias=False))
    return keras.Sequential([*stack, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10)])


def ds_cnn():
    """The keyword spotter of MLPerf Tiny, for 49 x 20 features."""
    stack = [keras.Input((49, 20, 1))]
    stack += _normalized(keras.layers.Conv2D(64, (10, 4), 2, "same", use_bias=False))
    for _ in range(4):
        stack += _normalized(keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False))
        stack += _normalized(keras.layers.Conv2D(64, 1, use_bias=False))
    return keras.Sequential([*stack, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10)])


def _normalized(layer):
    return [layer, keras.layers.BatchNormalization(), keras.layers.ReLU()]


MODELS = {"LeNet-5": lambda: networks.lenet_5(keras), "MobileNet": mobilenet, "DS-CNN": ds_cnn}


def load(network):
    """Training and test data (x, y) of a network."""
    if network != "DS-CNN":
        data = datasets.load("mnist" if network == "LeNet-5" else "cifar10")
        return data.train, data.test
    folder = datasets.find_data_dir()
    path = None if folder is None else folder / "speech" / "fsdd_logmel_f16.npz"
    if path is None or not path.is_file():
        raise SystemExit(f"The spoken digits are not there. Received: path={path}")
    with np.load(path) as file:
        x, y, test = file["x"].astype("float32")[..., None], file["y"].astype(int), file["test"]
    x = (x - x[~test].mean()) / x[~test].std()
    return (x[~test], y[~test]), (x[test], y[test])


def shape_arguments(shape, sparsity):
    """What `kp.PruneCallback` takes for a shape at a sparsity."""
    if shape == "n:32":
        return {"granularity": kp.NM(WINDOWS[sparsity], 32)}
    if shape.startswith("auto"):
        quantize = "int8" if shape.endswith("int8") else None
        return {
            "sparsity": sparsity,
            "granularity": "auto",
            "target": "host",
            "quantize": quantize,
        }
    return {"sparsity": sparsity, "granularity": shape}


def fit(model, data, settings, part, seed, callbacks=()):
    """Train a network (part 0), or train it on (part 1), where callbacks may prune it."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    x, y = (array[: settings["images"]] for array in data)
    epochs, batch = settings["epochs"][part], settings["batch"]
    steps = -(-len(x) // batch) * epochs
    rate = keras.optimizers.schedules.CosineDecay(settings["rates"][part], steps)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    keras.utils.set_random_seed(seed)
    model.fit(x, y, batch, epochs, callbacks=list(callbacks), verbose=0)


def evaluate(model, test):
    """Accuracy in %."""
    x, y = test
    return 100.0 * float((model.predict(x, batch_size=256, verbose=0).argmax(-1) == y).mean())


def export(model, name, x, sparse, folder):
    """Write a model as float32 and as int8 file."""
    for dtype, quantize in (("float32", None), ("int8", "int8")):
        data = x if quantize else None
        kp.export_tflite(model, folder / f"{name}_{dtype}.tflite", quantize, data, sparse=sparse)


def name_of(run, shape=None):
    """What the files of a run are called, or those of the dense network behind it."""
    shape = shape or f"{run['shape']}_{run['asked']:.0%}"
    return re.sub(r"[^\w%]+", "_", f"{run['network']}_{run['seed']}_{shape}")


def train(network, seed, settings, shapes=SHAPES, folder=FOLDER, keep=True):
    """Train one network and prune it in every shape; what is in the result file is left out.

    Returns:
        List of dicts: network, shape, sparsity asked, accuracy in %, sparsity.
    """
    key = {"network": network, "seed": seed, "settings": settings}
    pairs = [{**key, "shape": shape, "asked": asked} for asked in SPARSITIES for shape in shapes]
    todo = [pair for pair in pairs if not (keep and results.has(NAME, pair))]
    if not todo:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    data, test = load(network)
    keras.utils.set_random_seed(seed)
    dense = MODELS[network]()
    fit(dense, data, settings, 0, seed)
    trained = dense.get_weights()
    fit(dense, data, settings, 1, seed)
    export(dense, name_of(key, "dense"), data[0][:100], False, folder)
    accuracy, runs = evaluate(dense, test), []
    print(f"{network}: dense {accuracy:.2f} %", flush=True)
    for pair in todo:
        model = MODELS[network]()
        model.set_weights(trained)
        callback = kp.PruneCallback(**shape_arguments(pair["shape"], pair["asked"]))
        fit(model, data, settings, 1, seed, [callback])
        run = {**pair, "dense_accuracy": accuracy, "accuracy": evaluate(model, test)}
        run["sparsity"] = callback.report.achieved
        export(model, name_of(run), data[0][:100], True, folder)
        print(f"{name_of(run)}: {run['accuracy']:.2f} %", flush=True)
        runs.append(run)
        if keep:
            results.add(NAME, run, KEYS, threads=1)
    return runs


def time_files(run, rounds, folder):
    """Seconds of one inference: `"dense float32"`, `"sparse int8"` and so on, interleaved."""
    files = {}
    for kind, name in (("dense", name_of(run, "dense")), ("sparse", name_of(run))):
        for dtype in ("float32", "int8"):
            files[str(folder / f"{name}_{dtype}.tflite")] = f"{kind} {dtype}"
    wanted = {"dense": "LiteRT", "sparse": "LiteRT + delegate"}
    return {
        files[row.path]: row.median
        for row in kp.benchmark(list(files), runs=rounds).rows
        if row.runs == wanted[files[row.path].split()[0]]
    }


def time_all(names, rounds=15):
    """Time the files of every run that has no times yet."""
    for run in results.stored(NAME):
        if run["network"] in names and "seconds" not in run:
            if not (FOLDER / f"{name_of(run)}_int8.tflite").exists():
                raise SystemExit(f"The files to time are gone. Received: {FOLDER / name_of(run)}")
            run["seconds"] = time_files(run, rounds, FOLDER)
            print(name_of(run), run["seconds"], flush=True)
            results.add(NAME, run, KEYS, threads=1, rounds=rounds)


def table(runs):
    """The Markdown table of runs."""
    rows = []
    for run in sorted(runs, key=_order):
        seconds = run.get("seconds")
        cells = []
        for dtype in ("float32", "int8"):
            if seconds is None:
                cells += [""] * 3
                continue
            stock, ours = seconds[f"dense {dtype}"], seconds[f"sparse {dtype}"]
            cells += [f"{stock * 1e6:.1f}", f"{ours * 1e6:.1f}", f"{stock / ours:.2f}x"]
        accuracy, dense = run["accuracy"], run["dense_accuracy"]
        change = f"{accuracy - dense:+.2f}"
        shown = f"{run['sparsity']:.1%}"
        rows.append((run["network"], run["shape"], shown, f"{accuracy:.2f}", change, *cells))
    columns = ["network", "granularity", ">zeros", ">accuracy, %", ">to dense"]
    for dtype in ("f32", "int8"):
        columns += [f">dense {dtype}, us", f">delegate {dtype}", f">against dense {dtype}"]
    return results.markdown_table(columns, rows)


def _order(run):
    return list(NETWORKS).index(run["network"]), run["asked"], SHAPES.index(run["shape"])


def draw(runs, network, path=None):
    """Accuracy over speed: a line for each shape, a panel for each type, dense as a star.

    Speed is the ratio to the dense file timed in the same turns: clocks change between runs.
    """
    figure = new_figure(width=10)
    panels = figure.subplots(1, 2, sharey=True)
    own = [run for run in runs if run["network"] == network and "seconds" in run]
    for axes, dtype in zip(panels, ("float32", "int8"), strict=True):
        for shape in SHAPES:
            same = [run for run in own if run["shape"] == shape]
            if (
                same
                and (dtype == "int8" or shape != "auto int8")
                and (dtype, shape) != ("int8", "auto")
            ):
                same.sort(key=lambda run: run["asked"])
                speeds = [
                    run["seconds"][f"dense {dtype}"] / run["seconds"][f"sparse {dtype}"]
                    for run in same
                ]
                axes.plot(speeds, [run["accuracy"] for run in same], marker="o", label=shape)
        axes.plot(1.0, own[0]["dense_accuracy"], "k*", label="dense, LiteRT")
        axes.set_xlabel(f"times as fast as dense, {dtype}")
        axes.legend()
    panels[0].set_ylabel("accuracy, %")
    figure.suptitle(f"{network}: 80, 90 and 95 % zeros")
    return saved(figure, path)


def picture_of(network):
    """Path of a network's picture."""
    return PICTURES / f"{NAME}_{network.lower().replace('-', '_')}.png"


def write():
    """Write the tables and draw the pictures anew."""
    document = results.load(NAME)
    runs, parts = document["results"], []
    PICTURES.mkdir(exist_ok=True)
    for network in dict.fromkeys(run["network"] for run in runs if "seconds" in run):
        draw(runs, network, picture_of(network))
        parts.append(f"![{network}](pictures/{picture_of(network).name})")
    parts = [*parts, table(runs), results.provenance(document)]
    results.write_tables(NAME, "\n\n".join(parts))


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--quick", action="store_true", help="try it on few images; keeps nothing")
    parser.add_argument("--train-only", action="store_true", help="leave the times to a later call")
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    if arguments.quick:
        try_out(arguments.networks)
        return
    if not arguments.tables_only:
        for network in arguments.networks:
            for seed in arguments.seeds:
                train(network, seed, NETWORKS[network])
        if not arguments.train_only:
            time_all(arguments.networks)
    write()


def try_out(names, images=500, shapes=("auto",), rounds=3):
    """Go the whole way with few images, for a table that is printed and not kept."""
    for network in names:
        settings = {**NETWORKS[network], "images": images, "epochs": (1, 1)}
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            runs = train(network, 0, settings, shapes, folder, keep=False)
            timed = [{**run, "seconds": time_files(run, rounds, folder)} for run in runs]
        print(table(timed))


if __name__ == "__main__":
    main()
