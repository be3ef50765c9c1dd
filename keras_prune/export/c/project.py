"""Writing a C project."""

import itertools
import pathlib
import shutil

from keras_prune.export.c import emitter
from keras_prune.export.c.graph import read_graph
from keras_prune.export.c.lowering import lower
from keras_prune.export.c.measure import measure
from keras_prune.export.c.memory import alignment_for, plan_memory
from keras_prune.export.c.names import check_name
from keras_prune.export.c.report import CLayer, CProjectReport
from keras_prune.export.c.sources import project_files
from keras_prune.files import directory_atomically
from keras_prune.runtime.c_targets import find_target

_MAX_ARENA_BYTES = 1 << 30
_FORMER = {"model.c", "model.h", "main.c", "include", "kernels"}  # before all lay under src/
# What the constants of weights are called.
_WEIGHTS = ("weights", "stream", "twins", "columns", "blocks", "fours", "groups", "lanes")
_WEIGHTS += ("gated", "csr", "literals")


def export_c(tflite_path, directory, target="cortex-m4", name="model", weights_as_code=False):
    """Write a self-contained C11 project from an int8 or float32 .tflite file.

    The project computes what TFLite's reference kernels compute: bit for bit in int8, to 1e-5 in
    float32, which is for processors with a floating point unit. Pruned weights are
    kept as sparse streams where that is smaller and faster. All memory is planned ahead of time
    in one arena, which the caller of the C functions provides; nothing is allocated, nothing else
    changes, and only the kernels that the model needs are copied. The folder builds with CMake
    and make, and is a library for Arduino and PlatformIO and a module for Zephyr.

    Example:

    ```python
    report = kp.export_c("model.tflite", "model_c", target="cortex-m4")
    print(report)
    ```

    Args:
        tflite_path: Path-like. A model with one subgraph, as `export_tflite` writes it with
            `quantize="int8"` or `quantize=None`; sparse constants are welcome. int8 models may have
            float32 inputs and outputs, before QUANTIZE and behind DEQUANTIZE.
        directory: Path-like. The project's folder, new, empty, or of an earlier export, whose
            files are replaced; files beside them stay. Its parent must exist.
        target: Str. `"cortex-m0"`, `"cortex-m0plus"`, `"cortex-m3"`, `"cortex-m4"`,
            `"cortex-m7"`, `"cortex-m33"`, `"cortex-m55"`, `"hexagon"` or `"host"`: decides
            between dense and sparse weights and the kernels, and the compiler flags. Defaults to
            `"cortex-m4"`.
        name: Str. What the functions, the macros (in capitals) and the files in C are called:
            lower-case letters, digits and underscores. Models of one program need names of their
            own. Defaults to `"model"`.
        weights_as_code: Bool, or list of ints. `True` makes the weights of int8 dense layers -
            for Hexagon those of convolutions - instructions wherever that takes the fewest of them:
            fast, and about seven bytes of flash for a weight that is not zero, three on Hexagon. A
            list does so only for the operators that have these numbers in the report. For
            Cortex-M4, M7, M33 and Hexagon. Defaults to `False`.

    Returns:
        A `CProjectReport` with flash, RAM and one row a layer.

    Raises:
        ValueError: If an argument is wrong, the file is broken, or an operator or its use is not
            supported; the message names the operator and its index. No file is written then.
    """
    chosen = find_target(target)
    check_name(name)
    path, directory = pathlib.Path(tflite_path), pathlib.Path(directory).resolve()
    _check_directory(directory)
    graph = read_graph(path)
    steps = lower(graph, chosen, weights_as_code)
    plan = plan_memory(graph, steps, alignment_for(chosen))
    if plan.arena_bytes > _MAX_ARENA_BYTES:
        raise ValueError(
            f"The model needs more than {_MAX_ARENA_BYTES} bytes of RAM. "
            f"Received: tflite_path={path}, arena={plan.arena_bytes} bytes"
        )
    twins = [step.twin for step in steps if step.twin]
    used = [source for step in [*steps, *twins] for source in step.sources]
    kernels = project_files([*used, *emitter.headers_of(steps)])
    sources = [source for source in kernels if source.endswith(".c")]
    texts = emitter.render(name, path.stem, chosen, graph, steps, plan, sources)
    files = {place: text.encode() for place, text in texts.items()} | kernels
    with directory_atomically(directory) as folder:
        for place, data in files.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_bytes(data)
        report = _report(chosen, steps, plan, measure(folder, name, sources, steps, chosen))
        readme = emitter.render_readme(name, path.stem, chosen, graph, report, sorted(files))
        (folder / "README.md").write_text(readme)
        _keep_other_files(directory, folder)
    return report


def _check_directory(directory):
    if not directory.parent.is_dir() or (directory.exists() and not directory.is_dir()):
        raise ValueError(
            "Argument `directory` must be a new or existing folder inside an existing one. "
            f"Received: directory={directory}"
        )
    if directory.exists() and any(directory.iterdir()) and not _is_project(directory):
        raise ValueError(
            "Argument `directory` must be a new or empty folder, or one that an earlier export "
            f"wrote: this one holds other files. Received: directory={directory}"
        )


def _is_project(directory):
    return any(map(_is_ours, directory.glob("src/*.h"))) or _is_former(directory)


def _is_former(directory):
    return any(map(_is_ours, directory.glob("model.h")))


def _is_ours(header):
    return "Written by keras-prune" in header.read_text(errors="replace")


def _keep_other_files(old, new):
    """Copy what an export never writes, such as a `build` folder, into the new project."""
    ours = {entry.name for entry in new.iterdir()}
    if old.exists() and _is_former(old):
        ours |= _FORMER
    for entry in old.iterdir() if old.exists() else ():
        if entry.name in ours:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, new / entry.name, symlinks=True)
        else:
            shutil.copy2(entry, new / entry.name, follow_symlinks=False)


def _report(target, steps, plan, measured):
    operators = itertools.groupby(steps, key=lambda step: step.index)
    layers = tuple(_layer(list(parts)) for _, parts in operators)
    constants = emitter.unique_constants(steps)
    weights = sum(c.bytes for c in constants if c.name.startswith(_WEIGHTS))
    as_code = sum(step.code.bytes for step in steps if step.code)
    return CProjectReport(
        target=target.name,
        weight_bytes=weights + as_code,
        dense_weight_bytes=sum(layer.dense_bytes for layer in layers),
        constant_bytes=sum(constant.bytes for constant in constants) - weights,
        code_bytes=measured.code_bytes and measured.code_bytes - as_code,
        arena_bytes=plan.arena_bytes,
        scratch_bytes=max((step.scratch_bytes for step in steps), default=0),
        stack_bytes=measured.stack_bytes,
        layers=layers,
    )


def _layer(parts):
    step = parts[-1]
    weights = step.weights
    return CLayer(
        index=step.index,
        operator=step.kind,
        output_shape=step.output.shape,
        kernel=step.kernel,
        encoding=weights.encoding if weights else "",
        sparsity=weights.zeros / weights.count if weights else 0.0,
        dense_bytes=weights.dense_bytes if weights else 0,
        stored_bytes=weights.stored_bytes if weights else 0,
        macs=step.macs,
        instructions=sum(part.instructions for part in parts),
        live=step.inputs[0].live if weights else 1.0,
    )
