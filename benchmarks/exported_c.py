"""What a trained network costs as a C program on a Cortex-M4."""

import pathlib
import tempfile

import keras_prune as kp
from examples import litert

CALIBRATION, COUNTED = 200, 25


def on_cortex_m4(model, calibration, images, labels):
    """Export a classifier as int8 C.

    Args:
        model: Built `keras.Model`.
        calibration: Array (samples, ...). The first 200 find ranges and live inputs.
        images: Array (samples, ...). All run in the program on this machine, with the outputs of
            the microcontroller bit for bit; of the first 25, QEMU counts the instructions.
        labels: Array (samples,).

    Returns:
        Dict with the accuracy in percent, the mean instructions of an image, the bytes of the
        weights, and of every layer the encoding and the share of live inputs.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        path = folder / "model.tflite"
        kp.export_tflite(
            model, path, quantize="int8", representative_data=calibration[:CALIBRATION]
        )
        report = kp.export_c(path, folder / "c", "cortex-m4")
        values = litert.quantize(images, litert.interpreter_for(path).get_input_details()[0])
        everywhere = kp.run_c_project(folder / "c", values, target="host")
        counted = kp.run_c_project(folder / "c", values[:COUNTED], target="cortex-m4")
    if (counted.outputs != everywhere.outputs[:COUNTED]).any():
        raise RuntimeError("The microcontroller computes something else than this machine.")
    return {
        "accuracy": 100.0 * float((everywhere.outputs.argmax(-1) == labels).mean()),
        "instructions": float(counted.instructions.mean()),
        "weight_bytes": report.weight_bytes,
        "layers": [
            {"operator": layer.operator, "encoding": layer.encoding, "live": layer.live}
            for layer in report.layers
            if layer.encoding
        ],
    }
