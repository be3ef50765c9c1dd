"""Layers in LiteRT and with the delegate: `python -m benchmarks.delegate_layers`.

For every layer and share of zeros, one run times in turns: LiteRT on dense float32 and on dense
int8 weights, LiteRT's own sparse kernel where it has one (float32 dense layers in blocks of 1x4),
and the delegate on a file for each shape of the zeros. A ratio above 1 says that the delegate is
faster than LiteRT's dense layer of the same type. Weights are random, so this is about speed alone.
Where fewer than all inputs are live, an addition with a fused ReLU in front of the layer, part of
all times, makes the others zero.

The peak is what a core multiplies and adds in a loop without loads; what the delegate reaches of
it, and what a goal would need, counts only weights that are not zero. The layer of 16 units shows
what a call takes whatever it computes. A star says which shape `granularity="auto"` picks. Every
case is written to the result file at once: an interrupted benchmark goes on where it was, and
`--cases` picks some.
"""

import argparse
import math
import os
import pathlib
import re
import tempfile

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np

import keras_prune as kp
from benchmarks import machine, results
from keras_prune import granularity
from keras_prune.granularity.this_machine import this_machine

NAME, PEAK = "delegate_layers", "machine_peak"
KEYS = ("layer", "sparsity", "live", "shapes", "seed")
LITERT_SPARSE = "LiteRT sparse float32"
layers = keras.layers
# Inputs, the layers, each with a ReLU behind it, and their kind.
LAYERS = {
    "Dense 16 to 16": ((16,), lambda: [layers.Dense(16)], "call"),
    "Dense 256 to 256": ((256,), lambda: [layers.Dense(256)], "small"),
    "Dense 1024 to 1024": ((1024,), lambda: [layers.Dense(1024)], "dense"),
    "Conv 1x1, 28x28x128 to 256": ((28, 28, 128), lambda: [layers.Conv2D(256, 1)], "1x1"),
    "Conv 1x1, 14x14x256 to 512": ((14, 14, 256), lambda: [layers.Conv2D(512, 1)], "1x1"),
    "Conv 3x3, 28x28x128 to 128": (
        (28, 28, 128),
        lambda: [layers.Conv2D(128, 3, padding="same")],
        "3x3",
    ),
    "Conv 3x3, 14x14x256 to 256": (
        (14, 14, 256),
        lambda: [layers.Conv2D(256, 3, padding="same")],
        "3x3",
    ),
    "Conv 3x3, 28x28x128 to 128, 4 groups": (
        (28, 28, 128),
        lambda: [layers.Conv2D(128, 3, padding="same", groups=4)],
        "grouped",
    ),
    "Conv 3x3, 28x28x128 to 128, 32 groups": (
        (28, 28, 128),
        lambda: [layers.Conv2D(128, 3, padding="same", groups=32)],
        "grouped",
    ),
    "Four conv 1x1, 28x28, 128 to 256 to 128": (
        (28, 28, 128),
        lambda: [layers.Conv2D(filters, 1) for filters in (256, 128, 256, 128)],
        "chain",
    ),
}
_DENSE = {
    "float32": ("16x1", "n:32", "unstructured"),
    "int8": ("16x4", "1x4 n:32", "4n:128", "unstructured"),
}
SHAPES = {
    "small": _DENSE,
    "dense": _DENSE,
    "1x1": {"float32": ("4x1", "unstructured"), "int8": ("2x4", "unstructured")},
    "3x3": {"float32": ("4x1", "unstructured"), "int8": ("2x4", "4x4", "unstructured")},
    "grouped": {"float32": ("4x1", "unstructured"), "int8": ("2x4", "4x4", "unstructured")},
    "chain": {"float32": ("4x1",), "int8": ("2x4",)},
}
SPARSITIES = (0.0, 0.5, 0.8, 0.9, 0.95)
WINDOWS = {0.5: 16, 0.8: 6, 0.9: 3, 0.95: 2}  # of 32
# As many times as fast as LiteRT's dense layer of the same type, at 80, 90 and 95 %.
GOALS = {
    ("dense", "float32", "16x1"): (6.0, 13.0, 25.0),
    ("dense", "float32", "n:32"): (5.0, 11.0, 17.0),
    ("dense", "float32", "unstructured"): (2.7, 5.0, 8.0),
    ("dense", "int8", "16x4"): (7.0, 14.0, 24.0),
    ("dense", "int8", "1x4 n:32"): (6.5, 12.0, 18.0),
    ("dense", "int8", "4n:128"): (4.5, 8.5, 13.0),
    ("dense", "int8", "unstructured"): (2.8, 5.0, 8.5),
    ("1x1", "float32", "4x1"): (4.4, 7.5, 12.0),
    ("1x1", "float32", "unstructured"): (3.0, 5.0, 8.0),
    ("1x1", "int8", "2x4"): (3.2, 4.5, 6.0),
    ("1x1", "int8", "unstructured"): (2.0, 2.8, 4.0),
    ("chain", "float32", "4x1"): (4.8, 9.0, 17.0),
    ("chain", "int8", "2x4"): (3.8, 6.0, 8.5),
    ("3x3", "float32", "4x1"): (5.2, 9.8, 18.0),
    ("3x3", "float32", "unstructured"): (3.6, 6.5, 11.0),
    ("3x3", "int8", "2x4"): (4.4, 7.8, 13.5),
    ("3x3", "int8", "4x4"): (4.4, 7.8, 13.5),
}
GOAL_SPARSITIES = (0.8, 0.9, 0.95)


def cases():
    """List of dicts: layer, sparsity, share of live inputs, shapes by type."""
    found = []
    for layer, (_, _, kind) in LAYERS.items():
        for sparsity in SPARSITIES if kind in SHAPES else (0.0,):
            shapes = dict.fromkeys(machine.TYPES, ("dense",)) if sparsity == 0.0 else SHAPES[kind]
            found.append({"layer": layer, "sparsity": sparsity, "live": 1.0, "shapes": shapes})
    shapes = {"float32": ("16x1",), "int8": ("16x4",)}
    for live in (0.5, 0.25, 0.1):
        case = {"layer": "Dense 1024 to 1024", "sparsity": 0.9, "live": live, "shapes": shapes}
        found.append(case)
    return found


def name_of(case):
    """Str. What `--cases` looks at."""
    return f"{case['layer']}, {case['sparsity']:.0%} zeros, {case['live']:.0%} live"


def granularity_of(shape, sparsity):
    """The granularity that a shape of the table is at a sparsity, and what `kp.prune` is asked."""
    if shape == "n:32":
        return kp.NM(WINDOWS[sparsity], 32), None
    if shape == "4n:128":
        return kp.NM(4 * WINDOWS[sparsity], 128), None
    if shape == "1x4 n:32":
        return kp.NM(WINDOWS[sparsity], 32, block=4), None
    return shape, sparsity


def measure(case, rounds=15, seed=0):
    """Time one case.

    Returns:
        The case with `seconds` by what ran.
    """
    keras.utils.set_random_seed(seed)
    shape, make, _ = LAYERS[case["layer"]]
    x = np.random.default_rng(seed).normal(size=(32, *shape)).astype("float32")
    stack = [each for layer in make() for each in (layer, layers.ReLU())]
    model = keras.Sequential([keras.Input(shape), *_in_front(case["live"]), *stack], name="layer")
    weights, files = model.get_weights(), {}
    with tempfile.TemporaryDirectory() as folder:

        def export(name, quantize, *pruning, **options):
            model.set_weights(weights)
            if pruning:
                kp.prune(model, pruning[1], granularity=pruning[0])
            path = files[name] = pathlib.Path(folder) / f"{len(files)}.tflite"
            kp.export_tflite(model, path, quantize, x if quantize else None, **options)

        for dtype in ("float32", "int8"):
            quantize = None if dtype == "float32" else dtype
            export(f"dense {dtype}", quantize, sparse=False)
            for each in case["shapes"][dtype] if case["sparsity"] else ():
                export(f"{dtype} {each}", quantize, *granularity_of(each, case["sparsity"]))
        if case["sparsity"] and case["layer"].startswith("Dense"):
            export(LITERT_SPARSE, None, "1x4", case["sparsity"], profile="f32-fc-fast")
        report = kp.benchmark(list(files.values()), runs=rounds)
    return {
        **case,
        "seed": seed,
        "target": this_machine(),
        "seconds": _seconds(report.rows, {str(path): name for name, path in files.items()}),
    }


def _seconds(rows, names):
    """Medians: LiteRT's of the dense files and of its own sparse kernel, ours of the others."""
    found = {}
    for row in rows:
        name, is_ours = names[row.path], row.runs != "LiteRT"
        if name.startswith("dense") and is_ours:
            found[f"{name.removeprefix('dense ')} dense"] = row.median
        elif is_ours == (not name.startswith(("dense", "LiteRT"))):
            found[name] = row.median
    return found


def _in_front(live):
    """Layers that leave this share of inputs, which are uniform in [-1, 1), above zero."""
    return [] if live == 1 else [layers.Rescaling(1.0, 2 * live - 1), layers.ReLU()]


def operations(layer):
    """Int. Multiplications and additions of the dense layers."""
    shape, make, _ = LAYERS[layer]
    model = keras.Sequential([keras.Input(shape), *make()])
    return 2 * kp.cost(model).macs


def goal(layer, dtype, shape, sparsity):
    """Float or `None`. The ratio that is aimed at."""
    goals = GOALS.get((LAYERS[layer][2], dtype, shape))
    return goals[GOAL_SPARSITIES.index(sparsity)] if goals and sparsity in GOAL_SPARSITIES else None


def table(runs, peaks):
    """The Markdown of all cases: a line for each type and shape; `peaks` as of `machine`."""
    rows, order = [], [name_of(case) for case in cases()]
    spent = {layer: operations(layer) for layer in {run["layer"] for run in runs}}
    for run in sorted(runs, key=lambda run: order.index(name_of(run))):
        for dtype, shapes in run["shapes"].items():
            rows += [_row(run, dtype, shape, spent[run["layer"]], peaks) for shape in shapes]
    columns = ["layer", "type", "shape", ">zeros", ">live inputs", ">LiteRT dense f32, us"]
    columns += [">of peak", ">LiteRT dense int8, us", ">of peak", ">LiteRT sparse f32, us"]
    columns += [">delegate, us", ">of peak", ">against dense", ">goal", ">of peak", "met", "auto"]
    return results.markdown_table(columns, rows)


def _row(run, dtype, shape, spent, peaks):
    seconds = run["seconds"]
    ours = seconds[f"{dtype} {shape}"]
    ratio = seconds[f"dense {dtype}"] / ours
    aim = goal(run["layer"], dtype, shape, run["sparsity"]) if run["live"] == 1 else None
    cells = [run["layer"], dtype, shape, f"{_zeros(shape, run['sparsity']):.1%}"]
    cells.append(f"{run['live']:.0%}")
    for each, peak in peaks.items():
        time = seconds[f"dense {each}"]
        cells += [f"{time * 1e6:.1f}", f"{spent / time / peak:.0%}" if peak else ""]
    own = seconds.get(LITERT_SPARSE) if dtype == "float32" else None
    useful = spent * (1 - _zeros(shape, run["sparsity"])) / ours / (peaks[dtype] or math.inf)
    cells += ["" if own is None else f"{own * 1e6:.1f}", f"{ours * 1e6:.1f}"]
    cells += [f"{useful:.0%}" if useful else "", f"{ratio:.2f}x"]
    if aim is None:
        return (*cells, "", "", "", _mark(run, dtype, shape))
    needed = f"{useful / ratio * aim:.0%}" if useful else ""
    met = "yes" if ratio >= aim else "no"
    return (*cells, f"{aim:g}x", needed, met, _mark(run, dtype, shape))


def _mark(run, dtype, shape):
    """A star where `granularity="auto"` picks this shape."""
    if shape == "dense":
        return ""
    inputs, make, _ = LAYERS[run["layer"]]
    layer, quantize = make()[0], None if dtype == "float32" else dtype
    layer.build((None, *inputs))
    chosen = kp.granularity_for(run["target"], layer, run["sparsity"], quantize)
    return "*" if chosen == granularity.get(granularity_of(shape, run["sparsity"])[0]) else ""


def _zeros(shape, sparsity):
    return 1 - WINDOWS[sparsity] / 32 if "n:" in shape else sparsity


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", metavar="REGEX", default="", help="those with this in the name")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--again", action="store_true", help="also what is in the result file")
    parser.add_argument("--quick", action="store_true", help="three rounds; keeps nothing")
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    chosen = [case for case in cases() if re.search(arguments.cases, name_of(case))]
    if arguments.list:
        print("\n".join(map(name_of, chosen)))
        return
    if arguments.quick:
        print(table([measure(case, rounds=3) for case in chosen], machine.peaks()))
        return
    for case in () if arguments.tables_only else chosen:
        if arguments.again or not results.has(NAME, {**case, "seed": 0}):
            run = measure(case, arguments.rounds)
            times = {name: f"{s * 1e6:.1f} us" for name, s in run["seconds"].items()}
            print(name_of(case), times, flush=True)
            results.add(NAME, run, KEYS, threads=1, rounds=arguments.rounds)
    if not arguments.tables_only:
        results.save(PEAK, machine.peaks())
    document, peaks = results.load(NAME), results.load(PEAK)["results"]
    markdown = table(document["results"], peaks)
    results.write_tables(NAME, f"{markdown}\n\n{results.provenance(document)}")


if __name__ == "__main__":
    main()
