"""Convolutions on a Cortex-M4, dense and sparse: `python -m benchmarks.convolutions_mcu`.

Layers of random weights, each with a ReLU, are exported as C and run in QEMU, which counts
instructions exactly. The shapes are those of MLPerf Tiny's networks.
"""

import argparse
import dataclasses
import pathlib
import tempfile

import keras
import numpy as np

import keras_prune as kp
from benchmarks import results
from keras_prune.export.constants import constant_weights
from keras_prune.export.flatbuffer import read_model, write_model

NAME = "convolutions_mcu"
# A share of zeros anywhere, or of how many neighbouring inputs one weight is left.
SPARSITIES = (0.0, 0.8, 0.9, 0.95)
GROUPS = ("1:4", "1:8")


@dataclasses.dataclass(frozen=True)
class Case:
    """A layer; `cmsis_nn` counts the instructions of a multiply-accumulate of the peer's."""

    name: str
    shape: tuple  # height, width, channels
    layer: object  # makes the Keras layer
    cmsis_nn: float
    sparsities: tuple = SPARSITIES


def _conv(filters, kernel, **options):
    return lambda: keras.layers.Conv2D(
        filters, kernel, padding="same", activation="relu", **options
    )


def _depthwise(kernel):
    return lambda: keras.layers.DepthwiseConv2D(kernel, padding="same", activation="relu")


# CMSIS-NN 99f736a's dense kernels, arm-none-eabi-gcc 12.2 -Ofast, counted by the same plugin.
CASES = (
    Case("3x3, 64 to 64", (8, 8, 64), _conv(64, 3), 1.761, SPARSITIES + GROUPS),
    Case("3x3, 16 to 16", (32, 32, 16), _conv(16, 3), 2.326),
    Case("1x1, 64 to 64", (25, 5, 64), _conv(64, 1), 2.088),
    Case("1x1, 128 to 128", (6, 6, 128), _conv(128, 1), 1.830),
    Case("3x3, 3 to 16", (32, 32, 3), _conv(16, 3), 4.824, (0.0,)),
    Case("10x4, 1 to 64, stride 2", (49, 10, 1), _conv(64, (10, 4), strides=2), 3.472, (0.0,)),
    Case("depthwise 3x3, 64", (25, 5, 64), _depthwise(3), 8.328, (0.0,)),
    Case("depthwise 3x3, 8", (48, 48, 8), _depthwise(3), 9.953, (0.0,)),
    Case("depthwise 3x3, 128", (6, 6, 128), _depthwise(3), 8.077, (0.0,)),
)


def measure(case, seed):
    """Export a layer, run it as it is, and with random weights set to zero.

    Args:
        case: `Case`.
        seed: Int.

    Returns:
        List of dicts with what was chosen, instructions and bytes, one for each sparsity.
    """
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input(case.shape), case.layer()])
    rng = np.random.default_rng(seed)
    samples = rng.uniform(-1, 1, (8, *case.shape)).astype("float32")
    inputs = rng.integers(-128, 128, (1, samples[0].size), np.int8)
    measured = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        dense, sparse = folder / "dense.tflite", folder / "sparse.tflite"
        kp.export_tflite(model, dense, quantize="int8", representative_data=samples)
        for sparsity in case.sparsities:
            _set_to_zero(dense, sparse, sparsity, rng)
            report = kp.export_c(sparse, folder / "c", "cortex-m4")
            run = kp.run_c_project(folder / "c", inputs, target="cortex-m4")
            (layer,) = report.layers
            measured.append(
                {
                    "layer": case.name,
                    "sparsity": sparsity,
                    "encoding": layer.encoding,
                    "macs": layer.macs,
                    "instructions": int(run.instructions[0]),
                    "estimated": layer.instructions,
                    "bytes_a_weight": layer.stored_bytes / layer.dense_bytes,
                    "scratch_bytes": report.scratch_bytes,
                }
            )
            print(measured[-1], flush=True)
    return measured


def _set_to_zero(source, destination, sparsity, rng):
    model = read_model(source)
    (weight,) = constant_weights(model)
    values = weight.array.ravel().astype(np.int8)
    if sparsity in GROUPS:
        groups = values.reshape(-1, int(sparsity[2:]))
        groups[rng.random(groups.shape).argsort(axis=1) > 0] = 0
    else:
        values[rng.permutation(values.size)[: round(sparsity * values.size)]] = 0
    model.buffers[weight.tensor.buffer].data = values.view(np.uint8)
    write_model(model, destination)


def table(document):
    """The Markdown of all layers."""
    found = {(row["layer"], row["sparsity"]): row for row in document["results"]}
    rows = []
    for case in CASES:
        dense = found[case.name, 0.0]["instructions"]
        for sparsity in case.sparsities:
            row = found[case.name, sparsity]
            count, peer = row["instructions"], case.cmsis_nn * row["macs"]
            rows.append(
                (
                    f"{case.name}, {case.shape[0]}x{case.shape[1]}",
                    sparsity if sparsity in GROUPS else f"{sparsity:.0%}" if sparsity else "dense",
                    f"{peer:,.0f}",
                    f"{count:,}",
                    f"{peer / count:.2f}x",
                    f"{dense / count:.2f}x",
                    f"{row['bytes_a_weight']:.2f}",
                    f"{row['scratch_bytes']:,}",
                )
            )
    columns = ["layer", ">zeros", ">CMSIS-NN, dense", ">instructions", ">against CMSIS-NN"]
    columns += [">against ours, dense", ">bytes a weight", ">scratch"]
    return f"{results.markdown_table(columns, rows)}\n\n{results.provenance(document)}"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    if not arguments.tables_only:
        found = [row for case in CASES for row in measure(case, seed=0)]
        results.save(NAME, found, seed=0, target="cortex-m4")
    results.write_tables(NAME, table(results.load(NAME)))


if __name__ == "__main__":
    main()
