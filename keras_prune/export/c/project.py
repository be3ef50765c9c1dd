"""Writing a C project."""

import itertools
import pathlib
import shutil

from keras_prune.export.c import emitter
from keras_prune.export.c.graph import read_graph
from keras_prune.export.c.lowering import lower
from keras_prune.export.c.measure import measure
from keras_prune.export.c.memory import plan_memory
from keras_prune.export.c.report import CLayer, CProjectReport
from keras_prune.export.c.sources import project_files
from keras_prune.files import directory_atomically
from keras_prune.runtime.c_targets import find_target

_MAX_ARENA_BYTES = 1 << 30
_WEIGHTS = ("weights", "stream", "columns", "gated")  # what their constants are called


def export_c(tflite_path, directory, target="cortex-m4"):
    """Write a self-contained C11 project from an int8 .tflite file.

    The project computes what TFLite's reference kernels compute, bit for bit. Pruned weights are
    kept as sparse streams where that is smaller and faster. All memory is planned ahead of time
    in one static arena; nothing is allocated, and only the kernels that the model needs are
    copied.

    Example:

    ```python
    report = kp.export_c("model.tflite", "model_c", target="cortex-m4")
    print(report)
    ```

    Args:
        tflite_path: Path-like. An int8 model with one subgraph, as
            `export_tflite(..., quantize="int8")` writes it; sparse constants are welcome. float32
            inputs and outputs are supported behind QUANTIZE and DEQUANTIZE.
        directory: Path-like. The project's folder, new, empty, or of an earlier export, whose
            files are replaced; files beside them stay. Its parent must exist.
        target: Str. `"cortex-m0"`, `"cortex-m0plus"`, `"cortex-m3"`, `"cortex-m4"`,
            `"cortex-m7"`, `"cortex-m33"`, `"cortex-m55"` or `"host"`: decides between dense and
            sparse weights, and the compiler flags. Defaults to `"cortex-m4"`.

    Returns:
        A `CProjectReport` with flash, RAM and one row a layer.

    Raises:
        ValueError: If the file is broken, or an operator or its use is not supported; the message
            names the operator and its index. No file is written then.
    """
    chosen = find_target(target)
    path, directory = pathlib.Path(tflite_path), pathlib.Path(directory).resolve()
    _check_directory(directory)
    graph = read_graph(path)
    steps = lower(graph, chosen)
    plan = plan_memory(graph, steps)
    if plan.arena_bytes > _MAX_ARENA_BYTES:
        raise ValueError(
            f"The model needs more than {_MAX_ARENA_BYTES} bytes of RAM. "
            f"Received: tflite_path={path}, arena={plan.arena_bytes} bytes"
        )
    kernels = project_files({source for step in steps for source in step.sources})
    sources = [name for name in kernels if name.endswith(".c")]
    files = emitter.render(path.stem, chosen, graph, steps, plan, sources)
    with directory_atomically(directory) as folder:
        for name, text in files.items():
            (folder / name).write_text(text)
        for name, data in kernels.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        report = _report(chosen, steps, plan, measure(folder, sources, steps, chosen))
        names = sorted([*files, *kernels])
        readme = emitter.render_readme(path.stem, chosen, graph, report, names)
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
    header = directory / "model.h"
    return header.is_file() and "Written by keras-prune" in header.read_text(errors="replace")


def _keep_other_files(old, new):
    """Copy what an export never writes, such as a `build` folder, into the new project."""
    ours = {entry.name for entry in new.iterdir()} | {"kernels", "include"}
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
    return CProjectReport(
        target=target.name,
        weight_bytes=weights,
        dense_weight_bytes=sum(layer.dense_bytes for layer in layers),
        constant_bytes=sum(constant.bytes for constant in constants) - weights,
        code_bytes=measured.code_bytes,
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
