"""Runs models with the delegate in tflite-runtime, in its own environment (numpy < 2).

    python old_runtime_worker.py LIBRARY FOLDER

FOLDER holds pairs of NAME.tflite and NAME.npy (the input); NAME.out.npy is written.
"""

import pathlib
import sys

import numpy as np
from tflite_runtime.interpreter import Interpreter, load_delegate


def main(library, folder):
    for path in sorted(pathlib.Path(folder).glob("*.tflite")):
        delegate = load_delegate(library, {"min_sparsity": "0"})
        interpreter = Interpreter(str(path), experimental_delegates=[delegate])
        x = np.load(path.with_suffix(".npy"))
        source = interpreter.get_input_details()[0]
        if list(source["shape"]) != list(x.shape):
            interpreter.resize_tensor_input(source["index"], x.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(source["index"], x)
        interpreter.invoke()
        sink = interpreter.get_output_details()[0]["index"]
        np.save(path.with_suffix(".out.npy"), interpreter.get_tensor(sink))


if __name__ == "__main__":
    main(*sys.argv[1:])
