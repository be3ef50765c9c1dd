"""Files and folders that appear whole or not at all."""

import contextlib
import os
import pathlib
import shutil
import tempfile


def write_atomically(path, data):
    """Replace a file in one step; a reader sees the old bytes or the new ones.

    Args:
        path: Path-like. The file to replace. Its folder must exist.
        data: Bytes.
    """
    path = pathlib.Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        pathlib.Path(temporary).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def directory_atomically(path):
    """Fill a new folder that takes its name only when all went well.

    An existing folder of that name is replaced; on an error it stays as it was.

    Example:

    ```python
    with directory_atomically("project") as folder:
        (folder / "model.c").write_text(source)
    ```

    Args:
        path: Path-like. The folder to make or replace. Its parent must exist.

    Returns:
        A context manager that yields the `pathlib.Path` to write into.
    """
    path = pathlib.Path(path)
    fresh = pathlib.Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield fresh
        os.chmod(fresh, 0o777 & ~_umask())
        if path.exists():
            old = pathlib.Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.old."))
            os.replace(path, old / path.name)
            os.replace(fresh, path)
            shutil.rmtree(old)
        else:
            os.replace(fresh, path)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
