"""Instruction budgets, most on a Cortex-M4: `python -m tests.export.c_budgets` writes them anew.

A count depends on the compiler, so that every version of it has budgets of its own.
"""

import json
import pathlib
import subprocess
import tempfile

import numpy as np

from keras_prune.export.c import export_c
from keras_prune.export.flatbuffer import read_model
from keras_prune.files import write_atomically
from keras_prune.runtime.c_project import run_c_project
from keras_prune.runtime.emulator import find_tool
from tests.export.c_model_builder import Model, random_int8
from tests.export.c_networks import pruned_network

FILE = pathlib.Path(__file__).with_suffix(".json")


def _weights(model, rng, shape, axis, sparsity):
    values = random_int8(rng, shape)
    values[rng.random(shape) < sparsity] = 0
    return model.tensor(shape, rng.uniform(0.002, 0.01, shape[axis]), 0, values, axis=axis)


def _bias(model, channels):
    return model.tensor((channels,), 1e-4, 0, np.arange(channels), "int32")


def fully_connected(path, sparsity):
    """128 inputs, 64 outputs."""
    rng, model = np.random.default_rng(0), Model()
    source = model.tensor((1, 128), 0.02, -3)
    weights, output = _weights(model, rng, (64, 128), 0, sparsity), model.tensor((1, 64), 0.3, 7)
    model.operator("FULLY_CONNECTED", [source, weights, _bias(model, 64)], [output])
    return model.save(path, [source], [output])


def convolution(path, sparsity, kind="CONV_2D"):
    """3x3 over 8x8 pixels of 16 channels."""
    rng, model = np.random.default_rng(0), Model()
    source, output = model.tensor((1, 8, 8, 16), 0.02, -3), model.tensor((1, 8, 8, 16), 0.1, 7)
    depthwise = kind == "DEPTHWISE_CONV_2D"
    shape, axis = ((1, 3, 3, 16), 3) if depthwise else ((16, 3, 3, 16), 0)
    weights = _weights(model, rng, shape, axis, sparsity)
    options = {"depthMultiplier": 1} if depthwise else {}
    model.operator(
        kind, [source, weights, _bias(model, 16)], [output], padding=0, strideH=1, strideW=1,
        dilationHFactor=1, dilationWFactor=1, **options,
    )  # fmt: skip
    return model.save(path, [source], [output])


CASES = {
    "fully connected 128x64, 90 % zeros": (fully_connected, 0.9),
    "fully connected 128x64, 90 % zeros, weights as code": (fully_connected, 0.9),
    "3x3 convolution 16 to 16, 8x8, dense": (convolution, 0.0),
    "3x3 convolution 16 to 16, 8x8, 90 % zeros": (convolution, 0.9),
    "3x3 depthwise convolution 16, 8x8": (convolution, 0.0, "DEPTHWISE_CONV_2D"),
    "network of eight operators, 85 % zeros": (pruned_network, 0.85),
    "fully connected 128x64, 90 % zeros, cortex-m55": (fully_connected, 0.9),
    "3x3 convolution 16 to 16, 8x8, 80 % zeros, cortex-m55": (convolution, 0.8),
    "fully connected 128x64, dense, cortex-m55": (fully_connected, 0.0),
    "3x3 convolution 16 to 16, 8x8, dense, cortex-m55": (convolution, 0.0),
    "3x3 convolution 16 to 16, 8x8, 90 % zeros, cortex-m3": (convolution, 0.9),
    "3x3 convolution 16 to 16, 8x8, 90 % zeros, cortex-m0": (convolution, 0.9),
}


def compiler():
    """The version of the cross compiler."""
    command = [find_tool("arm-none-eabi-gcc"), "-dumpfullversion"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def measure(case):
    """Instructions of one inference, exactly.

    Args:
        case: Str. A key of `CASES`.
    """
    make, *arguments = CASES[case]
    core = case.rsplit(", ", 1)[1] if "cortex" in case else "cortex-m4"
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        path = make(folder / "model.tflite", *arguments)
        export_c(path, folder / "c", core, weights_as_code="as code" in case)
        inputs = random_int8(np.random.default_rng(1), (1, _input_size(path)))
        return int(run_c_project(folder / "c", inputs, core).instructions[0])


def _input_size(path):
    graph = read_model(path).subgraphs[0]
    return int(np.prod(graph.tensors[graph.inputs[0]].shape))


def budgets():
    """The kept counts: a dict from compiler version to a dict from case to count."""
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def main():
    kept = budgets() | {compiler(): {case: measure(case) for case in CASES}}
    write_atomically(FILE, f"{json.dumps(kept, indent=1)}\n".encode())
    print(FILE.read_text())


if __name__ == "__main__":
    main()
