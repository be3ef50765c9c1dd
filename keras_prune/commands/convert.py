"""`keras-prune convert`."""

import pathlib

import numpy as np

SUMMARY = "convert a Keras or TensorFlow Lite file to a sparse .tflite"
DESCRIPTION = """\
Convert a pruned Keras model, or a TensorFlow Lite file that somebody else made, to a sparse
TensorFlow Lite file. The new file has run beside the dense one and given the same outputs before
it is written.

examples:
  keras-prune convert model.keras model.tflite
  keras-prune convert model.keras model.tflite --quantize int8 --representative-data x.npy
  keras-prune convert dense.tflite sparse.tflite --profile small
"""


def add_arguments(parser):
    """Add what the command takes to its parser."""
    parser.add_argument("source", metavar="SOURCE", help="a .keras, .h5 or .tflite file")
    parser.add_argument("destination", metavar="DESTINATION", help="the .tflite file to write")
    parser.add_argument(
        "--quantize", choices=["int8", "dynamic"], help="8-bit weights and activations, or weights"
    )
    parser.add_argument(
        "--representative-data",
        metavar="FILE",
        help=".npy file (samples, ...), or .npz file with an array for each input",
    )
    parser.add_argument(
        "--profile",
        default="portable",
        choices=["portable", "small", "f32-fc-fast"],
        help="portable: full speed in every runtime (default); small: also sparse 8-bit "
        "FULLY_CONNECTED; f32-fc-fast: float FULLY_CONNECTED pruned in blocks of 1x4 runs sparse "
        "in the stock runtimes",
    )
    parser.add_argument("--dense", action="store_true", help="keep the weights dense")
    parser.add_argument(
        "--custom-operators",
        action="store_true",
        help="WinnerTakeAll becomes one operator, for the delegate and C projects only",
    )


def run(arguments):
    """The report to print."""
    from keras_prune.export.sparsify import sparsify_tflite
    from keras_prune.export.tflite import export_tflite
    from keras_prune.report.inspection import KERAS_SUFFIXES, load_keras

    data = _load_data(arguments.representative_data)
    source, destination = pathlib.Path(arguments.source), arguments.destination
    if source.suffix.lower() in KERAS_SUFFIXES:
        model = load_keras(source)
        sparse = not arguments.dense
        return export_tflite(
            model,
            destination,
            arguments.quantize,
            data,
            sparse,
            arguments.profile,
            arguments.custom_operators,
        )
    if arguments.quantize or arguments.dense or arguments.custom_operators:
        raise ValueError(
            "Options --quantize, --dense and --custom-operators are for Keras files; a TensorFlow "
            f"Lite file keeps its types and operators. Received: SOURCE={source}"
        )
    return sparsify_tflite(source, destination, arguments.profile, data)


def _load_data(path):
    if path is None:
        return None
    try:
        data = np.load(path, allow_pickle=False)
        if isinstance(data, np.ndarray):
            return data
        with data:
            arrays = dict(data)
    # numpy has no error type of its own for files that it cannot read.
    except Exception as error:
        raise ValueError(
            f"The representative data cannot be read: {error}. Received: path={path}"
        ) from None
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays
