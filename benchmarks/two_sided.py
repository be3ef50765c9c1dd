"""Dense layers with zeros on both sides, on a Cortex-M4: `python -m benchmarks.two_sided`.

A layer of random weights is exported as C and run in QEMU, which counts instructions exactly.
The file tells how many inputs are live; beside it stands the same layer in a file that
tells nothing.
"""

import argparse
import pathlib
import statistics
import tempfile

import keras
import numpy as np

import keras_prune as kp
from benchmarks import results

NAME = "two_sided"
SHAPES = ((784, 300), (256, 256))
SPARSITIES = (0.8, 0.9, 0.95)
LIVE = (0.5, 0.25, 0.1)
SAMPLES = 5
# Instructions of CMSIS-NN 99f736a's dense kernel, arm-none-eabi-gcc 12.2 -Ofast, for each
# multiply-accumulate, counted by the same plugin.
CMSIS_NN = {(784, 300): 1.938, (256, 256): 2.069}


def measure(shape, sparsity, live, seed):
    """Export one layer and run it.

    Args:
        shape: Tuple of ints: inputs, outputs.
        sparsity: Float. Of the weights.
        live: Float. The share of inputs that are not zero; exactly that many in every sample.
        seed: Int.

    Returns:
        Dict with encodings and instructions, of the file that knows the share and of another.
    """
    (inputs, outputs), rng = shape, np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(outputs)])
    kp.prune(model, sparsity, criterion="random", seed=seed)
    ranges = rng.uniform(0, 1, (50, inputs)).astype("float32")
    data = np.where(_live(rng, 50, inputs, live), ranges, 0.0)
    measured = {"inputs": inputs, "outputs": outputs, "sparsity": sparsity, "live": live}
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for name, samples in (("two_sided", data), ("one_sided", ranges)):
            path = folder / f"{name}.tflite"
            kp.export_tflite(model, path, quantize="int8", representative_data=samples)
            report = kp.export_c(path, folder / name, "cortex-m4")
            values = rng.integers(-127, 128, (SAMPLES, inputs))
            values = np.where(_live(rng, SAMPLES, inputs, live), values, -128).astype(np.int8)
            run = kp.run_c_project(folder / name, values, target="cortex-m4")
            measured[name] = {
                "encoding": report.layers[0].encoding,
                "weight_bytes": report.weight_bytes,
                "instructions": statistics.median(run.instructions.tolist()),
            }
    return measured


def _live(rng, samples, size, live):
    ranks = rng.random((samples, size)).argsort(axis=1).argsort(axis=1)
    return ranks < round(live * size)


def table(document):
    """The Markdown of all cases."""
    rows = []
    for case in document["results"]:
        macs = case["inputs"] * case["outputs"]
        dense = CMSIS_NN[case["inputs"], case["outputs"]] * macs
        both, weights = case["two_sided"], case["one_sided"]
        rows.append(
            (
                f"{case['inputs']}x{case['outputs']}",
                f"{case['sparsity']:.0%}",
                f"{case['live']:.0%}",
                f"{dense:,.0f}",
                f"{weights['instructions']:,} ({dense / weights['instructions']:.2f}x)",
                both["encoding"],
                f"{both['instructions']:,} ({dense / both['instructions']:.2f}x)",
                f"{both['weight_bytes'] / macs:.2f}",
            )
        )
    columns = ["layer", ">zeros", ">live inputs", ">dense", ">share not known", "share known"]
    columns += [">instructions", ">bytes a weight"]
    return f"{results.markdown_table(columns, rows)}\n\n{results.provenance(document)}"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    if not arguments.tables_only:
        cases = [(a, b, c) for a in SHAPES for b in SPARSITIES for c in LIVE]
        found = []
        for case in cases:
            found.append(measure(*case, seed=0))
            print(found[-1], flush=True)
        results.save(NAME, found, seed=0, target="cortex-m4")
    results.write_tables(NAME, table(results.load(NAME)))


if __name__ == "__main__":
    main()
