"""Dense layers on Cortex-M4, M3 and M0: `python -m benchmarks.dense_layers_mcu`.

A layer of random weights with zeros of one structure is exported as C and run in QEMU, which
counts instructions exactly.
"""

import argparse
import pathlib
import statistics
import tempfile

import keras
import numpy as np

import keras_prune as kp
from benchmarks import results

NAME = "dense_layers_mcu"
SHAPES = ((784, 300), (256, 256))
# Structure, zeros: unstructured, blocks of four inputs, and one weight left of 4 or 8.
STRUCTURES = [("none", 0.0)]
STRUCTURES += [(name, zeros) for name in ("unstructured", "1x4") for zeros in (0.8, 0.9, 0.95)]
STRUCTURES += [("1:4", 0.75), ("1:8", 0.875)]
SAMPLES = 3
AS_CODE = "cortex-m4, weights_as_code"
# Instructions of CMSIS-NN 99f736a's dense kernel, arm-none-eabi-gcc 12.2 -Ofast, for each
# multiply-accumulate, counted by the same plugin.
CMSIS_NN = {
    "cortex-m4": {(784, 300): 1.938, (256, 256): 2.069},
    "cortex-m3": {(784, 300): 3.381, (256, 256): 3.490},
    "cortex-m0": {(784, 300): 6.124, (256, 256): 6.386},
}


def mask_of(rng, shape, structure, zeros):
    """The places of the weights that stay, (inputs, outputs)."""
    inputs, outputs = shape
    if structure == "none":
        return np.ones(shape, bool)
    if structure == "unstructured":
        return rng.random(shape) >= zeros
    group = int(structure[-1])
    if structure == "1x4":
        kept = rng.random((inputs // group, 1, outputs)) >= zeros
        return np.broadcast_to(kept, (inputs // group, group, outputs)).reshape(shape)
    ranks = rng.random((inputs // group, group, outputs)).argsort(axis=1)
    return (ranks == 0).reshape(shape)


def measure(shape, structure, zeros, seed):
    """Export one layer for every processor and run it.

    Args:
        shape: Tuple of ints: inputs, outputs.
        structure: Str, of the zeros.
        zeros: Float. Their share.
        seed: Int.

    Returns:
        Dict with encoding, bytes and instructions of every processor.
    """
    rng = np.random.default_rng(seed)
    layer = keras.layers.Dense(shape[1])
    model = keras.Sequential([keras.Input(shape[:1]), layer])
    weights = rng.uniform(0.01, 1, shape) * rng.choice([-1, 1], shape)
    layer.set_weights([weights * mask_of(rng, shape, structure, zeros), rng.normal(size=shape[1])])
    measured = {"inputs": shape[0], "outputs": shape[1], "structure": structure, "zeros": zeros}
    with tempfile.TemporaryDirectory() as temporary:
        path = pathlib.Path(temporary) / "model.tflite"
        data = rng.normal(size=(50, shape[0])).astype("float32")
        kp.export_tflite(model, path, quantize="int8", representative_data=data)
        values = rng.integers(-128, 128, (SAMPLES, shape[0])).astype(np.int8)
        for target in CMSIS_NN:
            measured[target] = _run(path, target, values)
        if structure in ("unstructured", "1x4"):
            measured[AS_CODE] = _run(path, "cortex-m4", values, weights_as_code=True)
    return measured


def _run(path, target, values, **options):
    report = kp.export_c(path, path.with_suffix(""), target, **options)
    run = kp.run_c_project(path.with_suffix(""), values, target=target)
    return {
        "encoding": report.layers[0].encoding,
        "weight_bytes": report.weight_bytes,
        "estimate": report.layers[0].instructions,
        "instructions": statistics.median(run.instructions.tolist()),
    }


def table(document):
    """The Markdown of all cases."""
    cases, rows = document["results"], []
    for target in CMSIS_NN:
        dense = {
            (case["inputs"], case["outputs"]): case[target]["instructions"]
            for case in cases
            if case["structure"] == "none"
        }
        for case in cases:
            names = (target, AS_CODE) if target == "cortex-m4" else (target,)
            rows += [_row(target, case, case[each], dense) for each in names if each in case]
    columns = ["processor", "layer", "structure", ">zeros", "kept as", ">instructions"]
    columns += [">a weight", ">to CMSIS-NN", ">to dense", ">bytes a weight"]
    return f"{results.markdown_table(columns, rows)}\n\n{results.provenance(document)}"


def _row(target, case, found, dense):
    shape = case["inputs"], case["outputs"]
    count, macs = found["instructions"], shape[0] * shape[1]
    return (
        target,
        f"{shape[0]}x{shape[1]}",
        case["structure"],
        f"{case['zeros']:.1%}".replace(".0%", "%"),
        found["encoding"],
        f"{count:,}",
        f"{count / macs:.3f}",
        f"{CMSIS_NN[target][shape] * macs / count:.2f}x",
        f"{dense[shape] / count:.2f}x",
        f"{found['weight_bytes'] / macs:.2f}",
    )


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    if not arguments.tables_only:
        found = []
        for case in [(shape, *structure) for shape in SHAPES for structure in STRUCTURES]:
            found.append(measure(*case, seed=0))
            print(found[-1], flush=True)
        results.save(NAME, found, seed=0)
    results.write_tables(NAME, table(results.load(NAME)))


if __name__ == "__main__":
    main()
