"""Channels that a sample leaves out, on a Cortex-M4: `python -m benchmarks.gated_channels`.

Two `FeatureBoosting` layers with random weights, each around a 3x3 convolution of 64 to 64
channels on an 8x8 map, are exported as C at several densities and run in QEMU, which counts
instructions exactly. Beside them stand the same convolutions with normalization and ReLU alone.
"""

import argparse
import pathlib
import statistics
import tempfile

import keras
import numpy as np

import keras_prune as kp
from benchmarks import results

NAME = "gated_channels"
DENSITIES = (None, 0.75, 0.5, 0.25, 0.125)
SPARSITIES = (0.0, 0.9)
SHAPE = (8, 8, 64)
SAMPLES = 5


def measure(density, sparsity, seed):
    """Export the network and run it.

    Args:
        density: Float. The share of the channels that are kept; `None` for no gates.
        sparsity: Float. Of the weights of both convolutions.
        seed: Int.

    Returns:
        Dict with what was asked, instructions and bytes.
    """
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    inputs = x = keras.Input(SHAPE)
    for _ in range(2):
        convolution = keras.layers.Conv2D(64, 3, padding="same", use_bias=False)
        if density is None:
            x = keras.layers.ReLU()(keras.layers.BatchNormalization()(convolution(x)))
        else:
            x = kp.layers.FeatureBoosting(convolution, density)(x)
    model = keras.Model(inputs, x)
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Conv2D):
            layer.kernel.assign(layer.kernel * (rng.random(layer.kernel.shape) >= sparsity))
    data = rng.normal(size=(50, *SHAPE)).astype("float32")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        path = folder / "model.tflite"
        kp.export_tflite(model, path, quantize="int8", representative_data=data)
        report = kp.export_c(path, folder / "c", "cortex-m4")
        values = rng.integers(-128, 128, (SAMPLES, data[0].size)).astype(np.int8)
        run = kp.run_c_project(folder / "c", values, target="cortex-m4")
    return {
        "density": density,
        "sparsity": sparsity,
        "kernels": [layer.kernel for layer in report.layers if "conv" in layer.kernel],
        "macs": sum(layer.macs for layer in report.layers),
        "instructions": statistics.median(run.instructions.tolist()),
        "arena_bytes": report.arena_bytes,
    }


def table(document):
    """The Markdown of all cases."""
    found = document["results"]
    whole = {case["sparsity"]: case for case in found if case["density"] is None}
    rows = [
        (
            f"{case['sparsity']:.0%}",
            f"{case['density']:.1%}" if case["density"] else "no gates",
            f"{case['macs']:,}",
            f"{case['instructions']:,}",
            f"{whole[case['sparsity']]['instructions'] / case['instructions']:.2f}x",
            f"{case['arena_bytes']:,}",
        )
        for case in found
    ]
    columns = [">zero weights", ">density", ">MACs at most", ">instructions", ">fewer", ">arena"]
    return f"{results.markdown_table(columns, rows)}\n\n{results.provenance(document)}"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    if not arguments.tables_only:
        found = []
        for sparsity in SPARSITIES:
            for density in DENSITIES:
                found.append(measure(density, sparsity, seed=0))
                print(found[-1], flush=True)
        results.save(NAME, found, seed=0, target="cortex-m4")
    results.write_tables(NAME, table(results.load(NAME)))


if __name__ == "__main__":
    main()
