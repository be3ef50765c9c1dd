"""What a training in rounds remembers: in memory, or in a directory that survives a kill."""

import hashlib
import io
import json
import pathlib

import numpy as np

from keras_prune.files import write_atomically
from keras_prune.recipes.round_checks import make_directory

_NAMES = ("initial", "rewind", "progress", "backup")
_FORMAT = "keras_prune rounds 2"
_DIGEST = 32  # bytes of SHA-256 before the arrays


class RoundStore:
    """Keeps a few records, each some arrays and some JSON-able values.

    In a directory every record is a file that is replaced in one step, so that whatever
    moment a process dies at, the next one finds the old record or the new one.

    Args:
        directory: Path-like or `None`. It is made where it is missing. `None` keeps the
            records in memory.
    """

    def __init__(self, directory=None):
        self.directory = None if directory is None else pathlib.Path(directory)
        self._records = {}
        if self.directory is not None:
            self._open()

    def _open(self):
        make_directory(self.directory)
        for name in _NAMES:  # what a killed process was about to write
            for left in self.directory.glob(f".{name}.rounds.*"):
                left.unlink()
        strangers = {path.name for path in self.directory.iterdir()}
        if strangers and not self._path("initial").exists():
            raise ValueError(
                "`directory` holds files, but none of a training in rounds; name a new or an "
                f"empty one. Received: directory={str(self.directory)!r} with {sorted(strangers)}"
            )

    def save(self, name, arrays, values):
        """Replace a record.

        Args:
            name: Str. One of "initial", "rewind", "progress" and "backup".
            arrays: Dict from str to numpy array.
            values: JSON-able dict.
        """
        if self.directory is None:
            self._records[name] = (dict(arrays), json.dumps(values))
            return
        buffer = io.BytesIO()
        text = np.frombuffer(json.dumps([_FORMAT, values]).encode(), np.uint8)
        np.savez(buffer, values=text, **{f"arrays/{key}": arrays[key] for key in arrays})
        content = buffer.getvalue()
        write_atomically(self._path(name), hashlib.sha256(content).digest() + content)

    def load(self, name):
        """Read a record.

        Returns:
            Tuple (arrays, values), or `None` where there is none.

        Raises:
            ValueError: If the file is damaged.
        """
        if self.directory is None:
            arrays, values = self._records.get(name, (None, None))
            return None if arrays is None else (dict(arrays), json.loads(values))
        path = self._path(name)
        if not path.exists():
            return None
        content = path.read_bytes()
        try:
            return _read(content)
        except Exception as error:  # numpy and zipfile raise many kinds over foreign bytes
            raise ValueError(
                f"A file of a training in rounds is damaged ({error}). Delete its directory to "
                f"begin anew. Received: {str(path)!r}"
            ) from error

    def delete(self, name):
        """Forget a record, if it is there."""
        self._records.pop(name, None)
        if self.directory is not None:
            self._path(name).unlink(missing_ok=True)

    def _path(self, name):
        return self.directory / f"{name}.rounds"


def _read(content):
    if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
        raise ValueError("its bytes are not those that were written")
    with np.load(io.BytesIO(content[_DIGEST:]), allow_pickle=False) as file:
        kind, values = json.loads(file["values"].tobytes().decode())
        if kind != _FORMAT:
            raise ValueError(f"its format is {kind!r}")
        start = "arrays/"
        arrays = {key[len(start) :]: file[key] for key in file.files if key.startswith(start)}
    return arrays, values
