"""The official converter, from any Keras backend, in a process that may crash."""

import importlib.util
import json
import logging
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import keras
import numpy as np

from keras_prune.export import converter_worker


def fixed_batch(model):
    """Rebuild a model for inputs of one sample.

    A batch size that is not known adds shape arithmetic to the graph of the file, and turns
    dilated convolutions into three operators.

    Args:
        model: `keras.Model` that has been built.

    Returns:
        A functional `keras.Model` that shares the weights.

    Raises:
        ValueError: If the shapes of the inputs are not known.
    """
    source = _input_tensors(model)
    inputs = keras.tree.map_structure(_single_input, source)
    return keras.Model(inputs, model(inputs), name=model.name)


def convert(model, quantize=None, samples=None):
    """Convert a model to a dense TensorFlow Lite file.

    Args:
        model: `keras.Model` with a batch size of 1, see `fixed_batch`.
        quantize: `None`, `"int8"` (weights and activations) or `"dynamic"` (weights). Defaults
            to `None`.
        samples: List of samples, each a list of arrays (1, ...), for `"int8"`.

    Returns:
        The bytes of the file.

    Raises:
        ValueError: If the converter cannot convert the model.
        ImportError: If TensorFlow is not installed.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise ImportError(
            "Converting to TensorFlow Lite needs the package `tensorflow`. "
            'Install it with `pip install "keras-prune[tflite]"`.'
        )
    with tempfile.TemporaryDirectory(prefix="keras_prune_") as folder:
        folder = pathlib.Path(folder)
        _save(model, folder)
        (folder / "request.json").write_text(json.dumps(_request(model, quantize)))
        if samples:
            columns = zip(model.inputs, zip(*samples, strict=True), strict=True)
            arrays = {tensor.name: np.concatenate(column) for tensor, column in columns}
            np.savez(folder / "samples.npz", **arrays)
        failure = _run_worker(folder)
        if failure is None:
            return (folder / "model.tflite").read_bytes()
    raise ValueError(
        f"The TensorFlow Lite converter cannot convert the model: {failure}. "
        f"Received: model={model.name!r}, quantize={quantize!r}"
    )


def _input_tensors(model):
    if getattr(model, "inputs", None) is not None:
        # A copied `Sequential` has no `input`, but always just one.
        return model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    shapes = model.get_build_config() or {}
    shape = shapes.get("input_shape") or next(iter(shapes.get("shapes_dict", {}).values()), None)
    if not isinstance(shape, (list, tuple)) or any(isinstance(s, (list, tuple)) for s in shape):
        raise ValueError(
            "The shapes of the model's inputs are not known. Build it or call it once on one "
            f"tensor before exporting. Received: model={model.name!r}"
        )
    return keras.KerasTensor((None, *shape[1:]), dtype=model.compute_dtype, name="input")


def _single_input(tensor):
    if any(size is None for size in tensor.shape[1:]):
        raise ValueError(
            "The file needs inputs of a fixed size: rebuild the model with one. "
            f"Received: input={tensor.name!r}, shape={tuple(tensor.shape)}"
        )
    return keras.Input(batch_shape=(1, *tensor.shape[1:]), dtype=tensor.dtype, name=tensor.name)


def _request(model, quantize):
    def floats(tensors):
        return all(keras.backend.is_float_dtype(tensor.dtype) for tensor in tensors)

    inputs, outputs = floats(model.inputs), floats(model.outputs)
    return {"quantize": quantize, "float_inputs": inputs, "float_outputs": outputs}


def _save(model, folder):
    # Only the TensorFlow backend can hand over a graph; from the others the worker rebuilds
    # the model, so it must know all layers.
    if keras.backend.backend() != "tensorflow":
        model.save(folder / "model.keras")
        return
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        converter_worker.export_saved_model(model, folder / "saved_model")
    finally:
        logger.setLevel(level)


def _run_worker(folder):
    # Returns why it failed, or None.
    process = subprocess.run(
        [sys.executable, "-P", converter_worker.__file__, str(folder)],
        env={**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if (folder / "error.txt").exists():
        # TensorFlow's errors are pages; the first line that says something is the reason.
        lines = (line.strip() for line in (folder / "error.txt").read_text().splitlines())
        return next((line for line in lines if line), "no message")[:200].rstrip(".")
    if process.returncode < 0:
        return f"it crashed with {signal.Signals(-process.returncode).name}"
    if process.returncode > 0 or not (folder / "model.tflite").exists():
        return f"it stopped with exit code {process.returncode}"
    return None
