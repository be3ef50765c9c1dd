"""Run a .tflite file over a batch of images, as an application would."""

import numpy as np


def interpreter_for(path, delegates=()):
    """A LiteRT interpreter with one thread and allocated tensors."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(
        str(path), experimental_delegates=list(delegates) or None, num_threads=1
    )
    interpreter.allocate_tensors()
    return interpreter


def predict(path, x, delegates=()):
    """The model's outputs for each image of `x`, real-valued in and out.

    Args:
        path: Path-like. A .tflite file with one input and one output.
        x: Float array of shape `(n, ...)`.
        delegates: List of delegates, e.g. `[kp.load_delegate()]`.

    Returns:
        Array of shape `(n, classes)`: float32, or int8 where the model is int8.
    """
    interpreter = interpreter_for(path, delegates)
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    outputs = []
    for image in quantize(x, source):
        interpreter.set_tensor(source["index"], image[None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(target["index"])[0])
    return np.stack(outputs)


def quantize(x, details):
    """Real values in the number format of an int8 input; float inputs pass through."""
    if details["dtype"] != np.int8:
        return x.astype(details["dtype"])
    scale, zero_point = details["quantization"]
    return np.clip(np.round(x / scale) + zero_point, -128, 127).astype(np.int8)
