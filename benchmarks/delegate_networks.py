"""Whole networks in LiteRT and with the delegate: `python -m benchmarks.delegate_networks`.

MobileNetV2 for 224 x 224 images and a residual network of ResNet-18's size, pruned in one shot in
the shapes that `granularity="auto"` picks for this machine. Weights are random, so this is about
speed alone; batch normalization is fitted to the inputs, or activations would vanish on their way.
One run times in turns: LiteRT on the dense float32 and int8 files, and the delegate on the sparse
file of each type. Every run is written to the result file at once.
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
from keras_prune.granularity.this_machine import this_machine

NAME = "delegate_networks"
KEYS = ("network", "sparsity", "seed")
SPARSITIES = (0.8, 0.9, 0.95)
TYPES = {"float32": None, "int8": "int8"}
layers = keras.layers


def mobilenet_v2(size=224):
    """MobileNetV2 of width 1, 1,000 classes, with initial weights."""
    return keras.applications.MobileNetV2((size, size, 3), weights=None)


def resnet_18(size=224):
    """A residual network with the layers of ResNet-18: 11.7 million weights."""
    x = inputs = keras.Input((size, size, 3))
    x = layers.MaxPooling2D(3, 2, "same")(_convolution(x, 64, 7, 2))
    for stage, filters in enumerate((64, 128, 256, 512)):
        for block in range(2):
            stride = 2 if stage and not block else 1
            y = _convolution(_convolution(x, filters, 3, stride), filters, 3, 1, relu=False)
            if y.shape != x.shape:
                x = _convolution(x, filters, 1, stride, relu=False)
            x = layers.ReLU()(layers.Add()([x, y]))
    return keras.Model(inputs, layers.Dense(1000)(layers.GlobalAveragePooling2D()(x)))


def _convolution(x, filters, window, stride, relu=True):
    x = layers.Conv2D(filters, window, stride, "same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x) if relu else x


NETWORKS = {"MobileNetV2": mobilenet_v2, "ResNet-18": resnet_18}


def measure(network, sparsities=SPARSITIES, rounds=15, seed=0, size=224):
    """Time one network at every sparsity, all files in turns.

    Returns:
        List of dicts: network, sparsity, seconds and bytes by `"dense float32"`, `"sparse int8"`.
    """
    keras.utils.set_random_seed(seed)
    model = NETWORKS[network](size)
    x = np.random.default_rng(seed).uniform(-1, 1, (8, size, size, 3)).astype("float32")
    weights, files = model.get_weights(), {}
    with tempfile.TemporaryDirectory() as folder:
        for dtype, quantize in TYPES.items():
            data = x if quantize else None
            for sparsity in (0.0, *sparsities):
                model.set_weights(weights)
                if sparsity:
                    kp.prune(model, sparsity, granularity=kp.Auto("host", quantize))
                _normalize(model, x)
                path = pathlib.Path(folder) / f"{dtype}_{sparsity}.tflite"
                kp.export_tflite(model, path, quantize, data, sparse=bool(sparsity))
                files[str(path)] = dtype, sparsity
        rows = kp.benchmark(list(files), runs=rounds, round_seconds=0.1).rows
    dense, ours = {}, {}
    for row in rows:
        dtype, sparsity = files[row.path]
        if not sparsity and row.runs == "LiteRT":
            dense[dtype] = {"seconds": row.median, "bytes": row.file_bytes}
        if sparsity and row.runs != "LiteRT":
            ours[sparsity, dtype] = {"seconds": row.median, "bytes": row.file_bytes}
    return [
        {
            "network": network,
            "sparsity": sparsity,
            "seed": seed,
            "target": this_machine(),
            "dense": dense,
            "sparse": {dtype: ours[sparsity, dtype] for dtype in TYPES},
        }
        for sparsity in sparsities
    ]


def _normalize(model, x):
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.0
    model(x, training=True)


def table(runs):
    """The Markdown of all runs."""
    rows = []
    for run in sorted(runs, key=lambda run: (run["network"], run["sparsity"])):
        for dtype in TYPES:
            dense, ours = run["dense"], run["sparse"][dtype]
            times = [f"{dense[each]['seconds'] * 1e3:.2f}" for each in TYPES]
            ratio = f"{dense[dtype]['seconds'] / ours['seconds']:.2f}x"
            own = f"{ours['seconds'] * 1e3:.2f}"
            size = f"{dense[dtype]['bytes'] / ours['bytes']:.1f}x"
            rows.append((run["network"], dtype, f"{run['sparsity']:.0%}", *times, own, ratio, size))
    columns = ["network", "type", ">zeros", ">LiteRT dense f32, ms", ">LiteRT dense int8, ms"]
    columns += [">delegate, ms", ">against dense", ">smaller file"]
    return results.markdown_table(columns, rows)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--again", action="store_true", help="also what is in the result file")
    parser.add_argument("--quick", action="store_true", help="small images; keeps nothing")
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    if arguments.quick:
        for network in arguments.networks:
            print(table(measure(network, (0.9,), rounds=3, size=64)))
        return
    for network in () if arguments.tables_only else arguments.networks:
        wanted = [{"network": network, "sparsity": each, "seed": 0} for each in SPARSITIES]
        if arguments.again or not all(results.has(NAME, each) for each in wanted):
            for run in measure(network, rounds=arguments.rounds):
                results.add(NAME, run, KEYS, threads=1, rounds=arguments.rounds)
    document = results.load(NAME)
    results.write_tables(NAME, f"{table(document['results'])}\n\n{results.provenance(document)}")


if __name__ == "__main__":
    main()
