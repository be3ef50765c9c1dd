"""Building and running an exported C project: on this machine, or emulated by QEMU."""

import dataclasses
import pathlib
import re
import tempfile

import numpy as np

from keras_prune.runtime.c_targets import HEXAGON, find_target, source_root
from keras_prune.runtime.emulator import build_program, call, emulate_and_count


@dataclasses.dataclass(frozen=True, eq=False)
class CProjectRun:
    """What a run gave.

    `outputs` has one row an inference; for a model of several outputs it is a tuple of such
    arrays. `instructions` counts every inference exactly, on Hexagon in packets of
    instructions; `None` on the host.
    """

    outputs: object
    instructions: np.ndarray | None


def run_c_project(directory, inputs, target="host", flags=("-O3",)):
    """Build a project of `export_c` and run it on given inputs.

    Under QEMU the inputs are read and the outputs written by semihosting, and a plugin counts
    the instructions of every inference.

    Example:

    ```python
    kp.export_c("model.tflite", "model_c")
    run = run_c_project("model_c", images, target="cortex-m4")
    run.outputs.argmax(axis=1), run.instructions.mean()
    ```

    Args:
        directory: Path-like. The project's folder.
        inputs: Array of shape `(n, ...)`, int8 or float32 as the model takes it: one row an
            inference. For a model of several inputs, a tuple of such arrays.
        target: Str. `"host"` (needs `cc`), a Cortex-M name as `export_c` takes it (needs
            `arm-none-eabi-gcc`, newlib and `qemu-system-arm`) or `"hexagon"` (needs `clang-19`,
            `ld.lld-19` and `qemu-hexagon`). Defaults to `"host"`.
        flags: Tuple of str. Further compiler flags. Defaults to `("-O3",)`.

    Returns:
        A `CProjectRun`.

    Raises:
        ValueError: If the folder holds no project, or the inputs do not fit the model.
        RuntimeError: If a tool is missing, or the build or the run fails.
    """
    return run_on_target(directory, inputs, find_target(target), flags)


def run_on_target(directory, inputs, target, flags=("-O3",)):
    """Do what `run_c_project` does, for a `Target` with a board of one's choice."""
    directory = pathlib.Path(directory).resolve()
    name, header = _read_header(directory)
    data = _input_bytes(_ends(header, "INPUT"), inputs)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        (folder / "inputs.bin").write_bytes(data)
        program = folder / "program"
        _build(directory, name, target, program, flags)
        if target.is_host:
            call([str(program)], folder, "The program failed")
            counts = None
        else:
            counts = emulate_and_count(program, target.board, folder)
        written = (folder / "outputs.bin").read_bytes()
    return CProjectRun(_outputs(_ends(header, "OUTPUT"), written), counts)


def _read_header(directory):
    headers = {path.stem: path.read_text() for path in directory.glob("src/*.h")}
    if len(headers) != 1:
        raise ValueError(
            "Argument `directory` must be a folder that `export_c` wrote. "
            f"Received: directory={directory}"
        )
    return headers.popitem()


def _ends(header, kind):
    # (dtype, size) of every input or output, from the macros of the header.
    macro = rf"^#define \w+_{kind}_\d+"
    types = re.findall(rf"{macro}\(arena\) \(\((?:const )?(\w+) \*", header, re.MULTILINE)
    sizes = re.findall(rf"{macro}_SIZE (\d+)$", header, re.MULTILINE)
    dtypes = {
        "int8_t": np.dtype(np.int8),
        "int16_t": np.dtype(np.int16),
        "float": np.dtype(np.float32),
    }
    return [(dtypes[each], int(size)) for each, size in zip(types, sizes, strict=True)]


def _input_bytes(ends, inputs):
    arrays = inputs if isinstance(inputs, tuple) else (inputs,)
    arrays = [np.asarray(array) for array in arrays]
    received = [(array.dtype.name, array.shape) for array in arrays]
    fits = len(arrays) == len(ends) and all(
        array.dtype == dtype and array.ndim and array.size == len(array) * size
        for array, (dtype, size) in zip(arrays, ends, strict=True)
    )
    if not fits or len({len(array) for array in arrays}) != 1 or len(arrays[0]) == 0:
        wanted = ", ".join(f"{dtype.name} (n, {size})" for dtype, size in ends)
        raise ValueError(
            f"Argument `inputs` must have one row an inference: {wanted}. "
            f"Received: inputs={received}"
        )
    rows = zip(*arrays, strict=True)
    return b"".join(np.ascontiguousarray(each).tobytes() for row in rows for each in row)


def _outputs(ends, written):
    record = np.dtype([(f"output{i}", dtype, (size,)) for i, (dtype, size) in enumerate(ends)])
    rows = np.frombuffer(written, record)
    arrays = tuple(rows[name].copy() for name in record.names)
    return arrays if len(arrays) > 1 else arrays[0]


def _build(directory, name, target, program, flags):
    run = source_root() / "micro" / "run"
    files = "files_semihosting.c"
    if target.is_host or target.board == HEXAGON:
        files = "files_host.c" if target.is_host else "files_system.c"
    sources = [*sorted(directory.glob("src/**/*.c")), run / "main.c", run / files]
    names = [f'-DHEADER="{name}.h"', f"-DCALL(x)={name}_##x", f"-DVALUE(x)={name.upper()}_##x"]
    build_program(sources, [directory / "src", run], target, program, [*flags, *names])
