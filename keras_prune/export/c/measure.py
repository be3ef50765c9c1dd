"""Code and stack bytes of a project, asked from the compiler of its target."""

import dataclasses
import pathlib
import re
import shutil
import subprocess
import tempfile


@dataclasses.dataclass(frozen=True)
class Measured:
    """Bytes of machine code, and an upper bound of the stack; `None` where unknown."""

    code_bytes: int | None
    stack_bytes: int | None


def measure(folder, name, kernels, steps, target):
    """Compile a project's files and read what the compiler says about them.

    Args:
        folder: `pathlib.Path` of the project.
        name: Str. What its names begin with.
        kernels: List of kernel sources in it.
        steps: List of `Step`.
        target: `Target`.

    Returns:
        A `Measured`; all unknown for the host, and where the cross compiler is missing or fails.
    """
    compiler, size = shutil.which("arm-none-eabi-gcc"), shutil.which("arm-none-eabi-size")
    if target.is_host or compiler is None or size is None:
        return Measured(None, None)
    command = [compiler, *target.flags, "-std=c11", "-O3", "-fstack-usage", "-Isrc"]
    frames, objects = {}, []
    with tempfile.TemporaryDirectory() as temporary:
        for number, source in enumerate([f"src/{name}.c", *kernels]):
            built = pathlib.Path(temporary) / f"{number}.o"
            sections = ["-ffunction-sections"] if objects else []  # the model's stay together
            done = subprocess.run(
                [*command, *sections, "-c", source, "-o", str(built)],
                cwd=folder,
                capture_output=True,
            )
            if done.returncode != 0:
                return Measured(None, None)
            objects.append(str(built))
            frames[source] = _frames(built.with_suffix(".su"))
            frames[source]["assembly"] = _assembly_frames(folder / source)
        # What nothing calls, such as kernels for other machines, is not linked.
        linked = pathlib.Path(temporary) / "linked.o"
        link = [compiler, *target.flags, "-r", "-nostdlib", "-Wl,--gc-sections"]
        link += [f"-Wl,--entry={name}_invoke", *objects, "-o", str(linked)]
        if subprocess.run(link, capture_output=True).returncode != 0:
            return Measured(None, None)
        code = _code_bytes(size, linked)
    model = frames.pop(f"src/{name}.c")
    return Measured(code, _stack_bytes(frames, steps, model) + model[f"{name}_invoke"])


def _code_bytes(size, built):
    done = subprocess.run([size, "-A", "-d", str(built)], capture_output=True, text=True)
    rows = (line.split() for line in done.stdout.splitlines())
    return sum(int(row[1]) for row in rows if len(row) == 3 and row[0].startswith(".text"))


def _frames(path):
    # Lines are "file:line:column:function<TAB>bytes<TAB>kind".
    rows = (line.split("\t") for line in path.read_text().splitlines())
    return {row[0].rsplit(":", 1)[-1]: int(row[1]) for row in rows}


def _assembly_frames(path):
    # The compiler does not see what naked functions take.
    return sum(int(size) for size in re.findall(r'"sub sp, sp, #(\d+)', path.read_text()))


def _stack_bytes(kernels, steps, model):
    # No kernel recurses: all frames of a step's sources together are an upper bound.
    deepest = 0
    for step in steps:
        inside = sum(sum(kernels[f"src/{source}"].values()) for source in step.sources)
        inside += step.code.stack_bytes if step.code else 0
        deepest = max(deepest, inside + model.get(step.function, 0))
    return deepest
