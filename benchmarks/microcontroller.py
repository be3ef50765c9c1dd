"""MLPerf Tiny's int8 models as C on a Cortex-M4: `python -m benchmarks.microcontroller`.

Each model is exported as published and with the smallest weights of every layer set to zero,
and runs in QEMU, which counts the instructions of an inference exactly.
"""

import argparse
import pathlib
import tempfile

import numpy as np

import keras_prune as kp
from benchmarks import results
from examples.datasets import find_data_dir
from keras_prune.export.constants import constant_weights
from keras_prune.export.flatbuffer import operator_name, read_model, write_model

NAME = "microcontroller"
MODELS = ("mlperf_ic_resnet8_int8", "mlperf_kws_dscnn_int8", "mlperf_vww_mobilenet_int8")
MODELS += ("mlperf_ad01_int8",)
SPARSITIES = (0.0, 0.8, 0.9, 0.95)
# TensorFlow Lite Micro 90b983c with CMSIS-NN 99f736a, arm-none-eabi-gcc 12.2, counted by the
# same plugin: instructions, model and code in flash, arena.
TFLITE_MICRO = {
    "mlperf_ic_resnet8_int8": (29_872_607, 203_424, 54_996),
    "mlperf_kws_dscnn_int8": (7_845_327, 158_864, 22_820),
}


def measure(folder, seed):
    """Export and run every model at every sparsity.

    Returns:
        List of dicts with instructions, flash and RAM.
    """
    measured = []
    for name in MODELS:
        for sparsity in SPARSITIES:
            with tempfile.TemporaryDirectory() as temporary:
                temporary = pathlib.Path(temporary)
                prune_file(folder / f"{name}.tflite", temporary / "model.tflite", sparsity)
                project = kp.export_c(temporary / "model.tflite", temporary / "c", "cortex-m4")
                size = int(np.prod(_input_shape(temporary / "model.tflite")))
                inputs = np.random.default_rng(seed).integers(-128, 128, (2, size), np.int8)
                run = kp.run_c_project(temporary / "c", inputs, target="cortex-m4")
            measured.append(
                {
                    "model": name,
                    "sparsity": sparsity,
                    "instructions": int(run.instructions[0]),
                    "flash_bytes": project.flash_bytes,
                    "weight_bytes": project.weight_bytes,
                    "arena_bytes": project.arena_bytes,
                    "stack_bytes": project.stack_bytes,
                }
            )
            print(measured[-1])
    return measured


def prune_file(source, destination, sparsity):
    """Copy a model, its smallest weights zero but for a first and for depthwise convolutions.

    Args:
        source: Path-like. An int8 model.
        destination: Path-like.
        sparsity: Float. `0.0` copies it as it is.
    """
    model = read_model(source)
    readers = [(weight, weight.readers[0][0]) for weight in constant_weights(model)]
    first = model.subgraphs[0].operators[0]
    for weight, operator in readers:
        kind = operator_name(model, operator)
        if kind == "DEPTHWISE_CONV_2D" or (operator is first and kind == "CONV_2D"):
            continue
        values = weight.array.ravel().astype(np.int8)
        order = np.argsort(np.abs(values.astype(int)), kind="stable")
        values[order[: round(sparsity * values.size)]] = 0
        model.buffers[weight.tensor.buffer].data = values.view(np.uint8)
    write_model(model, destination)


def _input_shape(path):
    subgraph = read_model(path).subgraphs[0]
    return subgraph.tensors[subgraph.inputs[0]].shape


def tables(document):
    """The Markdown of all models."""
    rows = []
    for name in MODELS:
        if name in TFLITE_MICRO:
            instructions, flash, arena = TFLITE_MICRO[name]
            row = (name, "TensorFlow Lite Micro", "", f"{instructions:,}", "1.00x")
            rows.append((*row, f"{flash:,}", f"{arena:,}"))
        rows += [_row(case) for case in document["results"] if case["model"] == name]
    columns = ["model", "as", ">zeros", ">instructions", ">against TFLM", ">flash", ">arena"]
    return f"{results.markdown_table(columns, rows)}\n\n{results.provenance(document)}"


def _row(case):
    peer = TFLITE_MICRO.get(case["model"])
    return (
        case["model"],
        "C project",
        f"{case['sparsity']:.0%}" if case["sparsity"] else "as published",
        f"{case['instructions']:,}",
        f"{peer[0] / case['instructions']:.2f}x" if peer else "",
        f"{case['flash_bytes']:,}",
        f"{case['arena_bytes']:,}",
    )


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    if not arguments.tables_only:
        folder = find_data_dir()
        if folder is None:
            print("The models are absent, nothing was measured: set KERAS_PRUNE_DATA.")
            return
        results.save(NAME, measure(folder / "models", seed=0), seed=0, target="cortex-m4")
    results.write_tables(NAME, tables(results.load(NAME)))


if __name__ == "__main__":
    main()
