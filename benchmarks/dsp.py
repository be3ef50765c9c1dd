"""Convolutions on Hexagon's vector unit: `python -m benchmarks.dsp`.

A layer of random weights is exported as C and run by qemu-hexagon, which counts packets of
instructions exactly: packing of the input, scaling and stores of the output included.
"""

import argparse
import pathlib
import tempfile

import keras
import numpy as np

import keras_prune as kp
from benchmarks import results
from keras_prune.export.constants import constant_weights
from keras_prune.export.flatbuffer import read_model, write_model

NAME = "dsp"
# Kernel, input and output channels, pixels along each side.
LAYERS = ((3, 64, 64, 32), (3, 128, 128, 16), (3, 256, 256, 16), (1, 256, 256, 16))
SPARSITIES = (0.8, 0.9, 0.95)
SHAPES = {"unstructured": 1, "blocks 1x4": 4}  # neighbouring weights that are zero together
# Times fewer packets than the dense kernel takes, at 80, 90 and 95 % zeros.
GOALS = {"unstructured": (2, 4, 6), "blocks 1x4": (3, 6, 10)}
AS_CODE = "blocks 1x4"  # the shape that code is for


def convert(layer, path, seed):
    """Write a convolution as an int8 file, and return its input size.

    Args:
        layer: One of `LAYERS`.
        path: `pathlib.Path`.
        seed: Int.
    """
    kernel, inputs, outputs, side = layer
    keras.utils.set_random_seed(seed)
    convolution = keras.layers.Conv2D(outputs, kernel, padding="same")
    model = keras.Sequential([keras.Input((side, side, inputs)), convolution])
    data = np.random.default_rng(seed).uniform(0, 1, (4, side, side, inputs))
    kp.export_tflite(model, path, quantize="int8", representative_data=data.astype("float32"))
    return side * side * inputs


def prune_file(source, destination, sparsity, together, seed):
    """Copy a file with so many random weights zero."""
    model = read_model(source)
    (weight,) = constant_weights(model)
    values = weight.array.ravel().astype(np.int8)
    groups = values.reshape(-1, together)
    dead = np.random.default_rng(seed).permutation(len(groups))[: round(sparsity * len(groups))]
    groups[dead] = 0
    model.buffers[weight.tensor.buffer].data = values.view(np.uint8)
    write_model(model, destination)


def measure(layer, dense, size, sparsity, shape, as_code, seed):
    """Export one layer and run it.

    Args:
        layer: One of `LAYERS`.
        dense: `pathlib.Path` of its file.
        size: Int. Of its input.
        sparsity: Float. Of the weights.
        shape: Key of `SHAPES`, or empty for dense weights.
        as_code: Bool. For `export_c(weights_as_code=...)`.
        seed: Int.

    Returns:
        Dict with the encoding, bytes of the weights and packets.
    """
    kernel, inputs, outputs, side = layer
    path, project = dense.with_name("pruned.tflite"), dense.with_name("c")
    prune_file(dense, path, sparsity, SHAPES.get(shape, 1), seed)
    report = kp.export_c(path, project, "hexagon", weights_as_code=as_code)
    values = np.random.default_rng(seed).integers(-128, 128, (1, size)).astype(np.int8)
    run = kp.run_c_project(project, values, target="hexagon")
    (convolved,) = (each for each in report.layers if each.operator == "CONV_2D")
    return {
        "layer": f"{kernel}x{kernel} {inputs}->{outputs}, {side}x{side}",
        "macs": convolved.macs,
        "shape": shape,
        "sparsity": sparsity,
        "encoding": convolved.encoding,
        "weight_bytes": convolved.stored_bytes,
        "dense_bytes": convolved.dense_bytes,
        "packets": int(run.instructions[0]),
    }


def table(document):
    """The Markdown of all cases."""
    rows, dense = [], None
    for case in document["results"]:
        dense = case if not case["shape"] else dense
        ratio, goal = dense["packets"] / case["packets"], None
        if case["shape"]:
            goal = GOALS[case["shape"]][SPARSITIES.index(case["sparsity"])]
        rows.append(
            (
                case["layer"],
                case["shape"] or "dense",
                f"{case['sparsity']:.0%}" if case["shape"] else "",
                case["encoding"],
                f"{case['packets']:,}",
                f"{case['macs'] / case['packets']:.0f}",
                f"{ratio:.2f}x",
                f"{goal}x" if goal else "",
                ("yes" if ratio >= goal else "no") if goal else "",
                f"{case['weight_bytes'] / case['dense_bytes']:.2f}",
            )
        )
    columns = ["layer", "weights", ">zeros", "kept as", ">packets", ">MAC a packet"]
    columns += [">against dense", ">goal", "met", ">bytes a weight"]
    return f"{results.markdown_table(columns, rows)}\n\n{results.provenance(document)}"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    if not arguments.tables_only:
        found = []
        for layer in LAYERS:
            cases = [(0.0, "", False)]
            cases += [(s, shape, False) for shape in SHAPES for s in SPARSITIES]
            cases += [(s, AS_CODE, True) for s in SPARSITIES]
            with tempfile.TemporaryDirectory() as temporary:
                dense = pathlib.Path(temporary) / "dense.tflite"
                size = convert(layer, dense, seed=0)
                for case in cases:
                    found.append(measure(layer, dense, size, *case, seed=0))
                    print(found[-1], flush=True)
        results.save(NAME, found, seed=0, target="hexagon")
    results.write_tables(NAME, table(results.load(NAME)))


if __name__ == "__main__":
    main()
