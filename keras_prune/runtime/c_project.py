"""Building and running an exported C project: on this machine, or emulated by QEMU."""

import dataclasses
import functools
import pathlib
import re
import shutil
import subprocess
import tempfile

import numpy as np

from keras_prune.runtime.c_targets import find_target, source_root

_SECONDS = 600


@dataclasses.dataclass(frozen=True, eq=False)
class CProjectRun:
    """What a run gave.

    `outputs` has one row an inference; for a model of several outputs it is a tuple of such
    arrays. `instructions` counts every inference exactly; `None` on the host.
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
        target: Str. `"host"` (needs `cc`) or a Cortex-M name as `export_c` takes it (needs
            `arm-none-eabi-gcc`, newlib and `qemu-system-arm`). Defaults to `"host"`.
        flags: Tuple of str. Further compiler flags. Defaults to `("-O3",)`.

    Returns:
        A `CProjectRun`.

    Raises:
        ValueError: If the folder holds no project, or the inputs do not fit the model.
        RuntimeError: If a tool is missing, or the build or the run fails.
    """
    chosen = find_target(target)
    directory = pathlib.Path(directory).resolve()
    name, header = _read_header(directory)
    data = _input_bytes(_ends(header, "INPUT"), inputs)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        (folder / "inputs.bin").write_bytes(data)
        program = folder / "program"
        _build(directory, name, chosen, program, flags)
        if chosen.is_host:
            _call([str(program)], folder, "The exported program failed")
            counts = None
        else:
            counts = _emulate(program, chosen, folder)
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
    dtypes = {"int8_t": np.dtype(np.int8), "float": np.dtype(np.float32)}
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
    micro = source_root() / "micro"
    sources = [*sorted(directory.glob("src/**/*.c")), micro / "run" / "main.c"]
    folders = [directory / "src", micro / "run", micro / "boards"]
    command = [_tool("cc" if target.is_host else "arm-none-eabi-gcc"), "-std=c11", "-Wall"]
    command += [f'-DHEADER="{name}.h"', f"-DCALL(x)={name}_##x", f"-DVALUE(x)={name.upper()}_##x"]
    command += [*target.flags, *flags, *(f"-I{folder}" for folder in folders)]
    if target.is_host:
        sources.append(micro / "run" / "files_host.c")
    else:
        sources.append(micro / "run" / "files_semihosting.c")
        sources += [micro / "boards" / name for name in ("startup.c", "semihosting.c")]
        command += _link_flags(target.board, micro)
    command += [*map(str, sources), "-o", str(program)]
    _call(command, program.parent, "The exported project does not compile")


def _link_flags(board, micro):
    flags = ["-ffunction-sections", "-nostartfiles", "--specs=nano.specs", "-Wl,--gc-sections"]
    for name, (origin, length) in (("FLASH", board.flash), ("RAM", board.ram)):
        flags += [f"-Wl,--defsym={name}_ORIGIN={origin}", f"-Wl,--defsym={name}_LENGTH={length}"]
    return [*flags, "-T", str(micro / "boards" / "flash_and_ram.ld")]


def _emulate(program, target, folder):
    plugin = folder / "count.so"
    source = source_root() / "micro" / "qemu_count" / "count.c"
    _call(
        [_tool("cc"), "-O2", "-shared", "-fPIC", str(source), "-o", str(plugin)],
        folder,
        "The counting plugin does not compile",
    )
    command = [_tool("qemu-system-arm"), "-M", target.board.machine, "-nographic"]
    command += ["-monitor", "none", "-serial", "none", "-kernel", str(program)]
    command += ["-semihosting-config", "enable=on,target=native"]
    command += ["-plugin", f"{plugin},out={folder / 'counts.txt'}"]
    _call(command, folder, "The exported program failed under QEMU")
    return np.loadtxt(folder / "counts.txt", dtype=np.int64, ndmin=1)


@functools.cache
def _tool(name):
    path = shutil.which(name)
    if path is None:
        raise RuntimeError(f"Running a C project needs `{name}`. Received: no `{name}` in PATH")
    return path


def _call(command, folder, what):
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{what}: it took more than {_SECONDS} seconds.") from None
    if done.returncode != 0:
        text = (done.stderr or done.stdout).strip()[:2000]
        raise RuntimeError(f"{what}. Received: exit code {done.returncode}, {text}")
