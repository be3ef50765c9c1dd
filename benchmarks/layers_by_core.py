"""Layers on a Cortex-M55, M3 and M0, dense and sparse: `python -m benchmarks.layers_by_core`.

Layers of random weights are exported as C and run in QEMU, which counts instructions exactly.
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

NAME = "layers_by_core"
SPARSITIES = (0.8, 0.9, 0.95)


@dataclasses.dataclass(frozen=True)
class Case:
    """A layer; `cmsis_nn` has the instructions of a multiply-accumulate of the peer's, by core."""

    name: str
    shape: tuple
    layer: object  # makes the Keras layer
    cmsis_nn: dict
    sparsities: tuple = SPARSITIES


def _conv(filters, kernel):
    return lambda: keras.layers.Conv2D(filters, kernel, padding="same", activation="relu")


# CMSIS-NN 99f736a's dense kernels, -Ofast by the better of arm-none-eabi-gcc 12.2 and clang 19,
# counted by the same plugin.
CASES = (
    Case(
        "3x3, 64 to 64, 8x8",
        (8, 8, 64),
        _conv(64, 3),
        {"cortex-m55": 0.205, "cortex-m3": 2.671, "cortex-m0": 6.333},
    ),
    Case("784x300", (784,), lambda: keras.layers.Dense(300), {"cortex-m55": 0.171}),
    Case("256x256", (256,), lambda: keras.layers.Dense(256), {"cortex-m55": 0.202}),
    Case("1x1, 64 to 64, 25x5", (25, 5, 64), _conv(64, 1), {"cortex-m55": 0.392}),
    Case("3x3, 16 to 16, 32x32", (32, 32, 16), _conv(16, 3), {"cortex-m55": 0.380}),
    Case(
        "3x3 depthwise, 64, 25x5",
        (25, 5, 64),
        lambda: keras.layers.DepthwiseConv2D(3, padding="same", activation="relu"),
        {"cortex-m55": 2.258},
        sparsities=(),
    ),
)
BLOCKS = {"cortex-m55": (1, 4)}  # neighbouring inputs that are zero together


def measure(case, seed):
    """Export a layer for every core, as it is and with random weights set to zero.

    Args:
        case: `Case`.
        seed: Int.

    Returns:
        List of dicts with what was chosen, instructions and bytes.
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
        for core in case.cmsis_nn:
            cells = [(b, s) for b in BLOCKS.get(core, (1,)) for s in case.sparsities]
            for block, sparsity in [(1, 0.0), *cells]:
                set_to_zero(dense, sparse, sparsity, block, np.random.default_rng(seed))
                report = kp.export_c(sparse, folder / "c", core)
                run = kp.run_c_project(folder / "c", inputs, target=core)
                (layer,) = report.layers
                measured.append(
                    {
                        "core": core,
                        "layer": case.name,
                        "block": block,
                        "sparsity": sparsity,
                        "encoding": layer.encoding,
                        "macs": layer.macs,
                        "instructions": int(run.instructions[0]),
                        "estimated": layer.instructions,
                        "bytes_a_weight": layer.stored_bytes / layer.dense_bytes,
                    }
                )
                print(measured[-1], flush=True)
    return measured


def set_to_zero(source, destination, sparsity, block, rng):
    """Copy a file and set random blocks of its weights to zero.

    Args:
        source: Path-like.
        destination: Path-like.
        sparsity: Float. The share of blocks.
        block: Int. How many neighbouring inputs are one.
        rng: NumPy random generator.
    """
    model = read_model(source)
    (weight,) = constant_weights(model)
    blocks = weight.array.astype(np.int8).reshape(-1, block)
    blocks[rng.permutation(len(blocks))[: round(sparsity * len(blocks))]] = 0
    model.buffers[weight.tensor.buffer].data = blocks.ravel().view(np.uint8)
    write_model(model, destination)


def table(document):
    """The Markdown of all layers."""
    rows, peers = [], {case.name: case.cmsis_nn for case in CASES}
    for row in document["results"]:
        count, peer = row["instructions"], peers[row["layer"]][row["core"]] * row["macs"]
        structure = "1x4" if row["block"] == 4 else "unstructured"
        rows.append(
            (
                row["core"],
                row["layer"],
                structure if row["sparsity"] else "none",
                f"{row['sparsity']:.0%}",
                row["encoding"],
                f"{peer:,.0f}",
                f"{count:,}",
                f"{peer / count:.2f}x",
                f"{row['bytes_a_weight']:.2f}",
            )
        )
    columns = ["processor", "layer", "structure", ">zeros", "kept as", ">CMSIS-NN, dense"]
    columns += [">instructions", ">against CMSIS-NN", ">bytes a weight"]
    return f"{results.markdown_table(columns, rows)}\n\n{results.provenance(document)}"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    if not arguments.tables_only:
        found = [row for case in CASES for row in measure(case, seed=0)]
        results.save(NAME, found, seed=0)
    results.write_tables(NAME, table(results.load(NAME)))


if __name__ == "__main__":
    main()
