"""From a Keras model to a sparse TensorFlow Lite file."""

import pathlib

import keras
import numpy as np

from keras_prune.export.converter import convert, fixed_batch
from keras_prune.export.export_report import ExportReport
from keras_prune.export.flatbuffer import parse_model, serialize_model
from keras_prune.export.live_inputs import record_live_inputs
from keras_prune.export.profiles import check_profile
from keras_prune.export.recurrent_layers import finish_lstms
from keras_prune.export.representative_data import samples_of
from keras_prune.export.sparsify import check_destination, emit
from keras_prune.export.strip import strip
from keras_prune.export.zeros import check_zeros

CHECKED_SAMPLES = 8
RECORDED_SAMPLES = 64


def export_tflite(
    model,
    path,
    quantize=None,
    representative_data=None,
    sparse=True,
    profile="portable",
    custom_operators=False,
):
    """Convert a pruned Keras model to a sparse TensorFlow Lite file.

    The model is stripped of everything that only training needs, converted for a batch of one
    by TensorFlow's own converter, and its weights are rewritten as sparse tensors where that makes
    the file smaller. Before the file appears it has run beside the dense one and given the same
    outputs. It runs in every stock TensorFlow Lite and LiteRT runtime.

    Example:

    ```python
    kp.prune(model, 0.8)
    report = kp.export_tflite(model, "model.tflite", quantize="int8",
                              representative_data=x_train[:200])
    print(report)
    ```

    Args:
        model: `keras.Model`, built, from any backend.
        path: Path-like. The file to create or replace.
        quantize: `None` for float32, `"int8"` for 8-bit weights, activations, inputs and outputs,
            or `"dynamic"` for 8-bit weights. Defaults to `None`.
        representative_data: Inputs that `"int8"` finds its ranges with: array (samples, ...), list
            or dict of arrays for several inputs, or an iterable of batches such as a
            `tf.data.Dataset`; at most 1000 samples are used. The file also remembers how many
            inputs of its dense layers were zero on them, which `export_c` chooses kernels by.
            Defaults to `None`.
        sparse: Bool. Whether to make the weights sparse. Defaults to `True`.
        profile: Str. Which sparse forms to use, see `sparsify_tflite`. Defaults to `"portable"`.
        custom_operators: Bool. Whether a `kp.WinnerTakeAll` becomes one custom operator instead
            of stock ones: faster, but only `kp.load_delegate` and `kp.export_c` run such a file.
            Defaults to `False`.

    Returns:
        An `ExportReport`.

    Raises:
        ValueError: If an argument is wrong, the model cannot be converted, or the file does not
            compute what it should. Nothing is written then.
    """
    _check_arguments(model, quantize, representative_data, profile)
    if not isinstance(custom_operators, bool):
        raise ValueError(
            "Argument `custom_operators` must be `True` or `False`. "
            f"Received: custom_operators={custom_operators!r}"
        )
    check_destination(path)
    stripped = fixed_batch(strip(model))
    samples = None
    if representative_data is not None:
        samples = samples_of(representative_data, stripped.inputs)
    data = convert(stripped, quantize, samples)
    parsed = parse_model(data)
    report = ExportReport(pathlib.Path(path), profile if sparse else "dense", quantize)
    state_notes = finish_lstms(parsed)
    report.notes += check_zeros(stripped, parsed) + state_notes
    if samples:
        note = record_live_inputs(parsed, _inputs(stripped, samples[:RECORDED_SAMPLES]))
        report.notes += [note] if note else []
    if samples or state_notes:
        data = serialize_model(parsed)
    checked = _inputs(stripped, samples[:CHECKED_SAMPLES]) if samples else None
    emit(parsed, data, path, report, checked, custom_operators)
    return report


def _check_arguments(model, quantize, representative_data, profile):
    if not isinstance(model, keras.Model):
        raise ValueError(
            f"Argument `model` must be a `keras.Model`. Received: model of type {type(model)}"
        )
    if not model.built:
        raise ValueError(
            f"Build the model or call it once before exporting. Received: model={model.name!r}"
        )
    if quantize not in (None, "int8", "dynamic"):
        raise ValueError(
            "Invalid value for argument `quantize`. Expected one of None, "
            f'"int8", "dynamic". Received: quantize={quantize!r}'
        )
    if quantize == "int8" and representative_data is None:
        raise ValueError(
            'Argument `quantize="int8"` needs `representative_data`, some typical inputs to find '
            "the ranges of the activations. Received: representative_data=None"
        )
    check_profile(profile)


def _inputs(model, samples):
    columns = zip(*samples, strict=True)
    return {
        tensor.name: np.stack(column) for tensor, column in zip(model.inputs, columns, strict=True)
    }
