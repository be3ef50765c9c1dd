"""From a dense TensorFlow Lite file to a sparse one that every stock runtime loads."""

import pathlib
import tempfile

from keras_prune.export.custom_operators import use_custom_operators
from keras_prune.export.export_report import ExportReport
from keras_prune.export.flatbuffer import parse_model, read_model, serialize_model
from keras_prune.export.profiles import check_profile
from keras_prune.export.rewrite import Rewrite
from keras_prune.export.verify import largest_difference, verify_delegated, verify_files
from keras_prune.files import write_atomically


def sparsify_tflite(src, dst, profile="portable", representative_data=None):
    """Rewrite the constant weights of a TensorFlow Lite file as sparse tensors.

    Every weight takes the smallest of many sparse encodings and stays dense where none is
    smaller, or where some runtime could not read it. The new file then runs beside the old one, in
    LiteRT's default and in its reference kernels, and is written only if the outputs agree:
    integers exactly, floats within 1e-5.

    Example:

    ```python
    report = kp.sparsify_tflite("pruned.tflite", "sparse.tflite")
    print(report)
    ```

    Args:
        src: Path-like. The file to read.
        dst: Path-like. The file to create or replace; may be the same.
        profile: Str. `"portable"`: every runtime runs it at full speed; 8-bit FULLY_CONNECTED stays
            dense. `"small"`: also that one, at the price of XNNPACK's kernel for it.
            `"f32-fc-fast"`: float FULLY_CONNECTED pruned in blocks of 1x4 runs sparse in the
            stock runtimes. Defaults to `"portable"`.
        representative_data: Array (samples, ...), or dict of input name to array, or `None`.
            Inputs to compare on, besides random ones.

    Returns:
        An `ExportReport`.

    Raises:
        ValueError: If the file is broken, does not run in LiteRT as it is, or if the sparse file
            computes something else. Nothing is written then.
    """
    check_profile(profile)
    check_destination(dst)
    model = read_model(src)
    original = pathlib.Path(src).read_bytes()
    inputs = representative_data
    if inputs is not None and not isinstance(inputs, dict):
        inputs = {"input": inputs}
    report = ExportReport(pathlib.Path(dst), profile)
    emit(model, original, src, report, inputs)
    return report


def emit(model, original, name, report, inputs=None, custom_operators=False):
    """Make a model sparse, check it against its original bytes, write it and fill in the report.

    Args:
        model: `ModelT`, parsed from `original`. Changed.
        original: Bytes of the dense file.
        name: Path-like. The dense file's name for error messages.
        report: `ExportReport` with path and profile. Changed.
        inputs: Dict of input name to array (samples, ...) or `None`.
        custom_operators: Bool. See `export_tflite`. Defaults to `False`.

    Raises:
        ValueError: As `sparsify_tflite`.
    """
    try:
        rewrite = Rewrite(model, report.profile)
    except ValueError as error:
        raise ValueError(f"{error}, path={name}") from None
    twin = original
    if rewrite.changes_kernels:
        rewrite.raise_versions()
        twin = serialize_model(model)
    rewrite.apply()
    report.tensors = rewrite.reports
    sparse = serialize_model(model) if report.sparse_tensors else original
    _verify(original, twin, sparse, name, report, inputs)
    if custom_operators:
        sparse = _with_custom_operators(sparse, name, report, inputs)
    report.measure(original, sparse)
    write_atomically(report.path, sparse)


def _verify(original, twin, sparse, name, report, inputs):
    # Where an operator moves to another kernel, the two kernels may round differently; so
    # the sparse file must equal the dense one with the same kernels, and the rest is told.
    parse_model(sparse)
    with tempfile.TemporaryDirectory(prefix="keras_prune_") as folder:
        files = {"dense": original, "twin": twin, "sparse": sparse}
        paths = {kind: pathlib.Path(folder, f"{kind}.tflite") for kind in files}
        for kind, data in files.items():
            paths[kind].write_bytes(data)
        found = verify_files(paths["twin"], paths["sparse"], name, inputs)
        report.max_difference, report.samples = found.max_difference, found.samples
        report.notes += found.notes
        if twin is not original:
            gap = largest_difference(paths["dense"], paths["sparse"], name, inputs)
            report.max_difference = max(gap, report.max_difference)
        if report.max_difference > found.max_difference:
            report.notes.append(
                "sparse 8-bit FULLY_CONNECTED does not run in XNNPACK's kernels, which round "
                "differently: outputs there differ from the dense file's by up to "
                f"{report.max_difference:g}"
            )


def _with_custom_operators(stock, name, report, inputs):
    model = parse_model(stock)
    count = use_custom_operators(model)
    if count == 0:
        report.notes.append("no custom operator was used: the file has no WinnerTakeAll")
        return stock
    custom = serialize_model(model)
    with tempfile.TemporaryDirectory(prefix="keras_prune_") as folder:
        paths = [pathlib.Path(folder, f"{kind}.tflite") for kind in ("stock", "custom")]
        for path, data in zip(paths, (stock, custom), strict=True):
            path.write_bytes(data)
        verify_delegated(*paths, name, inputs)
    operators = "1 custom operator" if count == 1 else f"{count} custom operators"
    report.notes.append(f"{operators}: only the delegate and `export_c` run this file")
    return custom


def check_destination(path):
    """Raise a `ValueError` if a file of that name cannot be written."""
    path = pathlib.Path(path)
    if not path.parent.is_dir():
        raise ValueError(f"The folder to write to does not exist. Received: path={path}")
    if path.is_dir():
        raise ValueError(f"The file to write is a folder. Received: path={path}")
