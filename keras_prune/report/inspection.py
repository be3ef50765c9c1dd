"""What is in a model file: weights, zeros, bytes and multiply-accumulates."""

import dataclasses
import gzip
import pathlib

import numpy as np

from keras_prune.export.constants import constant_weights
from keras_prune.export.export_report import short_name
from keras_prune.export.flatbuffer import (
    operator_name,
    read_model,
    text,
    type_name,
)
from keras_prune.export.sparse_encoding import nbytes
from keras_prune.export.sparse_parameters import from_schema
from keras_prune.report.tflite_macs import multiply_accumulates
from keras_prune.tables import render_table

KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")


@dataclasses.dataclass
class WeightRow:
    """One weight of a file.

    Args:
        name: Str.
        kind: Str. The operators or the layer that use it.
        shape: Tuple of int.
        dtype: Str.
        sparsity: Float. The fraction of zeros.
        stored_bytes: Int. What it takes in the file, sparse indices included.
        encoding: Str. `"dense"` or how it is stored sparse.
        macs: Int or `None`. Multiply-accumulates for one example; `None` where unknown.
        sparse_macs: Int or `None`. Those whose weight is not zero.
    """

    name: str
    kind: str
    shape: tuple
    dtype: str
    sparsity: float
    stored_bytes: int
    encoding: str
    macs: int | None
    sparse_macs: int | None


@dataclasses.dataclass
class FileReport:
    """What `inspect_file` returns; prints as a table.

    Args:
        path: Path of the file.
        format: Str. `"TensorFlow Lite"` or `"Keras"`.
        weights: List of `WeightRow`.
        file_bytes: Int.
        gzip_bytes: Int. Compressed with gzip level 9.
        operators: Dict of operator or layer kind to count.
    """

    path: pathlib.Path
    format: str
    weights: list
    file_bytes: int
    gzip_bytes: int
    operators: dict

    @property
    def sparsity(self):
        """The fraction of zeros among all listed weights."""
        sizes = [int(np.prod(row.shape)) for row in self.weights]
        zeros = sum(row.sparsity * size for row, size in zip(self.weights, sizes, strict=True))
        return zeros / sum(sizes) if sizes else 0.0

    def total(self, field):
        """Sum a field of the weights, where it is known."""
        return sum(getattr(row, field) or 0 for row in self.weights)

    def to_dict(self):
        """Return everything as a dict that JSON can hold."""
        totals = {name: self.total(name) for name in ("stored_bytes", "macs", "sparse_macs")}
        total = {"sparsity": self.sparsity, **totals}
        return {**dataclasses.asdict(self), "path": str(self.path), "total": total}

    def __str__(self):
        columns = ["weight", "in", "shape", "type", ">zeros", ">bytes", ">MACs", ">sparse MACs"]
        totals = [f"{self.total(name):,}" for name in ("stored_bytes", "macs", "sparse_macs")]
        table = render_table(
            f"{self.path} ({self.format})",
            [*columns, "stored"],
            [_cells(row) for row in self.weights],
            ("total", "", "", "", f"{self.sparsity:.1%}", *totals, ""),
            width=140,
        )
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.operators.items())
        return f"{table}\nFile: {self.file_bytes:,} bytes, gzip {self.gzip_bytes:,}. Has {kinds}."


def inspect_file(path):
    """List the weights of a Keras or TensorFlow Lite file.

    Example:

    ```python
    print(inspect_file("model.tflite"))
    ```

    Args:
        path: Path-like. A `.keras`, `.h5` or TensorFlow Lite file.

    Returns:
        A `FileReport`.

    Raises:
        ValueError: If the file cannot be read.
    """
    path = pathlib.Path(path)
    if path.suffix.lower() in KERAS_SUFFIXES:
        return _inspect_keras(path)
    model = read_model(path)
    kinds = [operator_name(model, o) for graph in model.subgraphs for o in graph.operators]
    try:
        rows = [_tflite_row(model, weight) for weight in constant_weights(model)]
    except ValueError as error:
        raise ValueError(f"{error}, path={path}") from None
    return _report(path, "TensorFlow Lite", rows, kinds)


def load_keras(path):
    """Load a Keras model from a file.

    Args:
        path: Path-like. A `.keras` or `.h5` file.

    Returns:
        A `keras.Model`, not compiled.

    Raises:
        ValueError: If the file is missing or broken, or has layers that are not known.
    """
    import keras

    if not pathlib.Path(path).is_file():
        raise ValueError(f"There is no such file. Received: path={path}")
    try:
        return keras.saving.load_model(path, compile=False)
    # A broken file fails in zipfile, h5py, json or any layer's constructor.
    except Exception as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), "?")
        raise ValueError(
            f"Keras cannot load the file: {reason[:200].rstrip('.')}. Received: path={path}"
        ) from None


def _tflite_row(model, weight):
    tensor = weight.tensor
    operators = dict.fromkeys(operator_name(model, operator) for operator, _ in weight.readers)
    stored, encoding = len(model.buffers[tensor.buffer].data), "dense"
    if tensor.sparsity is not None:
        layout, levels = from_schema(tensor.sparsity, weight.array.shape)
        stored, encoding = stored + nbytes(np.zeros(0), levels), str(layout)
    counts = [
        multiply_accumulates(model, operator, weight) for operator in _consumers(model, weight)
    ]
    counts = [count for count in counts if count is not None]
    return WeightRow(
        name=text(tensor.name),
        kind=", ".join(operators),
        shape=tuple(weight.array.shape),
        dtype=type_name(tensor).lower(),
        sparsity=weight.sparsity,
        stored_bytes=stored,
        encoding=encoding,
        macs=sum(macs for macs, _ in counts) if counts else None,
        sparse_macs=sum(macs for _, macs in counts) if counts else None,
    )


def _consumers(model, weight):
    # Behind DENSIFY stand the operators that compute with the weight.
    for operator, _ in weight.readers:
        if operator_name(model, operator) != "DENSIFY":
            yield operator
            continue
        for reader in weight.subgraph.operators:
            if len(operator.outputs) and operator.outputs[0] in reader.inputs:
                yield reader


def _inspect_keras(path):
    from keras_prune.model_cost import cost

    model = load_keras(path)
    try:
        layers = cost(model).layers
    except ValueError as error:
        raise ValueError(f"{error}, path={path}") from None
    weights = {}
    for variable in model.weights:
        weights.setdefault(variable.path.rpartition("/")[0], []).append(variable)
    rows = [_keras_row(layer, weights) for layer in layers]
    return _report(path, "Keras", rows, [type(layer).__name__ for layer in model.layers])


def _keras_row(layer, weights):
    kernels = [variable for variable in weights.get(layer.path, ()) if len(variable.shape) > 1]
    shape = tuple(kernels[0].shape) if len(kernels) == 1 else (layer.params,)
    dtype = str(kernels[0].dtype) if kernels else "float32"
    return WeightRow(
        name=layer.path,
        kind=layer.layer,
        shape=shape,
        dtype=dtype,
        sparsity=1 - layer.nonzero_params / max(layer.params, 1),
        stored_bytes=layer.params * np.dtype("float16" if "16" in dtype else dtype).itemsize,
        encoding="dense",
        macs=layer.macs,
        sparse_macs=layer.sparse_macs,
    )


def _report(path, kind, rows, kinds):
    data = path.read_bytes()
    counts = {name: kinds.count(name) for name in dict.fromkeys(kinds)}
    compressed = len(gzip.compress(data, 9, mtime=0))
    return FileReport(path, kind, rows, len(data), compressed, counts)


def _cells(row):
    counts = ["?" if count is None else f"{count:,}" for count in (row.macs, row.sparse_macs)]
    shape = "x".join(map(str, row.shape))
    zeros = f"{row.sparsity:.1%}"
    name, stored = (row.name, f"{row.stored_bytes:,}")
    return (short_name(name), row.kind, shape, row.dtype, zeros, stored, *counts, row.encoding)
