"""What an export did, tensor by tensor and in total."""

import dataclasses
import gzip
import pathlib

from keras_prune.tables import render_table


@dataclasses.dataclass
class TensorReport:
    """What became of one weight.

    Args:
        name: Str. The tensor's name in the file.
        operator: Str. The operators that read it.
        shape: Tuple of int. In TensorFlow Lite's order: (units, inputs), (outputs, height, width,
            inputs).
        dtype: Str.
        sparsity: Float. The fraction of zeros.
        dense_bytes: Int.
        sparse_bytes: Int. Values and indices; equals `dense_bytes` where it stayed dense.
        encoding: Str. `"dense"`, or the levels (D dense, S sparse), their order, and the form.
        reason: Str. Why it stayed dense, or empty.
    """

    name: str
    operator: str
    shape: tuple
    dtype: str
    sparsity: float
    dense_bytes: int
    sparse_bytes: int
    encoding: str = "dense"
    reason: str = ""


@dataclasses.dataclass
class ExportReport:
    """What `export_tflite` and `sparsify_tflite` return; prints as a table.

    Args:
        path: Path of the file that was written.
        profile: Str. Which sparse forms were allowed; `"dense"` if none was asked for.
        quantize: Str or `None`.
        tensors: List of `TensorReport`.
        dense_bytes: Int. Size of the file with dense weights.
        sparse_bytes: Int. Size of the file that was written.
        dense_gzip_bytes: Int. The same two, compressed with gzip level 9.
        sparse_gzip_bytes: Int.
        max_difference: Float. The largest difference between an output of the sparse file and
            the dense file in LiteRT, over all samples and both sets of kernels.
        samples: Int. How many inputs were compared.
        notes: List of str. What else is worth knowing.
    """

    path: pathlib.Path
    profile: str
    quantize: str | None = None
    tensors: list = dataclasses.field(default_factory=list)
    dense_bytes: int = 0
    sparse_bytes: int = 0
    dense_gzip_bytes: int = 0
    sparse_gzip_bytes: int = 0
    max_difference: float = 0.0
    samples: int = 0
    notes: list = dataclasses.field(default_factory=list)

    def measure(self, dense, sparse):
        """Set the four sizes from the bytes of the two files."""
        self.dense_bytes, self.sparse_bytes = len(dense), len(sparse)
        self.dense_gzip_bytes = len(gzip.compress(dense, 9, mtime=0))
        self.sparse_gzip_bytes = len(gzip.compress(sparse, 9, mtime=0))

    @property
    def sparse_tensors(self):
        """The tensors that are stored sparse."""
        return [tensor for tensor in self.tensors if tensor.encoding != "dense"]

    def to_dict(self):
        """Return everything as a dict that JSON can hold."""
        return {**dataclasses.asdict(self), "path": str(self.path)}

    def __str__(self):
        columns = ["tensor", "operator", "shape", "type", ">zeros", ">dense B", ">sparse B", "as"]
        table = render_table(
            f"{self.path} (profile {self.profile})",
            columns,
            [_row(tensor) for tensor in self.tensors],
            _totals(self.tensors),
            width=140,
        )
        lines = [
            table,
            f"File: {self.dense_bytes} bytes dense, {self.sparse_bytes} now"
            f" ({_percent(self.sparse_bytes, self.dense_bytes)});"
            f" gzip {self.dense_gzip_bytes} and {self.sparse_gzip_bytes}"
            f" ({_percent(self.sparse_gzip_bytes, self.dense_gzip_bytes)}).",
            f"Largest difference to the dense file over {self.samples} inputs:"
            f" {self.max_difference:g}.",
        ]
        return "\n".join(lines + [f"Note: {note}." for note in self.notes])


def short_name(name):
    """Shorten a tensor's name, which the converter joins from many, to its last part."""
    last = name.rpartition(";")[2] or name
    return last if len(last) <= 40 else f"...{last[-37:]}"


def _row(tensor):
    return (
        short_name(tensor.name),
        tensor.operator,
        "x".join(map(str, tensor.shape)),
        tensor.dtype.lower(),
        f"{tensor.sparsity:.1%}",
        tensor.dense_bytes,
        tensor.sparse_bytes,
        f"dense: {tensor.reason}" if tensor.reason else tensor.encoding,
    )


def _totals(tensors):
    dense = sum(tensor.dense_bytes for tensor in tensors)
    sparse = sum(tensor.sparse_bytes for tensor in tensors)
    return ("total", "", "", "", "", dense, sparse, "")


def _percent(part, whole):
    return f"{part / whole:.0%}" if whole else "-"
