"""Converts a model to TensorFlow Lite in a process of its own: the converter may crash.

This is a program, started by path from `converter.py`, that needs TensorFlow and, for models from
other backends, Keras and this package. It reads `request.json`, `samples.npz`, and
`model.keras` or `saved_model` in the folder that it is given, and writes `model.tflite`, or
`error.txt`.
"""

import json
import pathlib
import sys

import numpy as np


def export_saved_model(model, folder):
    """Export a Keras model of the TensorFlow backend with the batch size that it has."""
    import keras

    from keras_prune.export.recurrent_layers import convertible

    # Keras leaves the batch size open unless it is given the signature.
    signature = keras.tree.map_structure(
        lambda tensor: keras.InputSpec(shape=tensor.shape, dtype=tensor.dtype, name=tensor.name),
        model.input,
    )
    with convertible(model):
        model.export(folder, verbose=False, input_signature=[signature])


def load_keras(folder):
    """Load `model.keras` under the TensorFlow backend."""
    import keras

    import keras_prune.layers  # noqa: F401  (models may hold them)

    return keras.saving.load_model(folder / "model.keras", compile=False)


def convert(folder, request):
    """Convert `saved_model` and return the bytes of the file."""
    import tensorflow as tf

    # Keras exports a second signature of the same function, which would become a second graph.
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(folder / "saved_model"), signature_keys=["serving_default"]
    )
    if request["quantize"] is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if request["quantize"] == "int8":
        converter.representative_dataset = lambda: samples(folder / "samples.npz")
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        if request["float_inputs"]:
            converter.inference_input_type = tf.int8
        if request["float_outputs"]:
            converter.inference_output_type = tf.int8
    return converter.convert()


def samples(path):
    """Yield the samples, each a dict of input name to array (1, ...)."""
    with np.load(path) as stored:
        columns = dict(stored)
    for index in range(len(next(iter(columns.values())))):
        yield {name: column[index : index + 1] for name, column in columns.items()}


def main(folder):
    """Convert what is in the folder."""
    request = json.loads((folder / "request.json").read_text())
    try:
        if not (folder / "saved_model").exists():
            export_saved_model(load_keras(folder), folder / "saved_model")
        (folder / "model.tflite").write_bytes(convert(folder, request))
    # The converter raises whatever its passes happen to raise; the parent turns it into one line.
    except Exception as error:
        (folder / "error.txt").write_text(str(error) or type(error).__name__)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
