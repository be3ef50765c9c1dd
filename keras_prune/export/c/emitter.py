"""The files of a C project as text."""

import functools
import json
import types

import numpy as np

from keras_prune import __version__
from keras_prune.export.c.graph import Tensor
from keras_prune.export.c.memory import alignment_for
from keras_prune.export.c.steps import SCRATCH, Constant

_C_TYPES = {"INT8": "int8_t", "INT16": "int16_t", "FLOAT32": "float"}
# One layout for all: Arduino compiles every source under src/, the others are told where to look.
_TEMPLATES = {
    "src/{name}.h": "header.h",
    "src/{name}.c": "source.c",
    "examples/host/main.c": "host.c",
    "examples/sketch/sketch.ino": "sketch.ino",
    "CMakeLists.txt": "CMakeLists.txt",
    "{toolchain}": "{toolchain}",
    "Makefile": "Makefile",
    "library.properties": "library.properties",
    "library.json": "library.json",
    "zephyr/module.yml": "module.yml",
    "zephyr/CMakeLists.txt": "zephyr.cmake",
    "zephyr/Kconfig": "Kconfig",
}
# What the sources compile without, under GCC and Clang.
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow")
WARNINGS += ("-Wundef", "-Wvla", "-Wcast-align", "-Wstrict-prototypes", "-Wmissing-prototypes")

# What takes weights that are instructions: Arm cores, and Hexagon.
_CODE_FOR = (
    "defined(__thumb2__) && defined(__ARM_FEATURE_DSP) && !defined(__ARM_BIG_ENDIAN)",
    "defined(__HVX__)",
)

# Keeps Clang from vectorising with gathers and scatters of MVE (see docs/decisions.md).
GATHER_FLAGS = ("-mllvm", "-enable-arm-maskedgatscat=false")


def render(name, title, target, graph, steps, plan, kernels):
    """Render the generated files of a project, all but its README.

    Args:
        name: Str. What all names in C begin with.
        title: Str. What the comments call the model.
        target: `Target`.
        graph: `Graph`.
        steps: List of `Step`.
        plan: `MemoryPlan`.
        kernels: List of the kernel source paths.

    Returns:
        A dict from file name to text.
    """
    stands_for = _representatives(steps)
    toolchain = "hexagon.cmake" if target.vectors == "hvx" else "arm-none-eabi.cmake"
    inputs = [_end(tensor) for tensor in graph.inputs]
    outputs = [_end(tensor) for tensor in graph.outputs]
    context = {
        **_names(name, title, target),
        "flags": " ".join(target.flags or ("-mthumb", "-mcpu=cortex-m4")),
        "flags_for": "cortex-m4" if target.is_host else target.name,
        "warnings": " ".join(WARNINGS),
        "gather_flags": " ".join(GATHER_FLAGS) if target.vectors == "mve" else "",
        "toolchain": toolchain,
        "arena_bytes": plan.arena_bytes,
        "inputs": inputs,
        "outputs": outputs,
        "ends": [
            {"kind": "INPUT", "const": "", "tensors": inputs},
            {"kind": "OUTPUT", "const": "const ", "tensors": outputs},
        ],
        "input_offsets": [plan.tensors[tensor.index] for tensor in graph.inputs],
        "output_offsets": [plan.tensors[tensor.index] for tensor in graph.outputs],
        "constants": unique_constants(step for step in steps if not step.code),
        "has_code": any(step.code for step in steps),
        "code_for": _CODE_FOR[target.vectors == "hvx"],
        "code_unit": "packets" if target.vectors == "hvx" else "instructions",
        "calls": [
            _call(at, step, plan, stands_for) for at, step in enumerate(steps) if step.kernel
        ],
        "headers": [header.removeprefix("include/") for header in headers_of(steps)],
        "states": [
            (plan.tensors[state.index], state.bytes, state.zero_point)
            for state in dict.fromkeys(state for step in steps for state in step.states)
            if state.zero_point
        ],
        "kernel_sources": kernels,
        "sources": [f"src/{name}.c", *kernels],
        "platformio": json.dumps(_platformio(name, title, target), indent=2),
    }
    return {
        path.format(**context): _template(template.format(**context)).render(context)
        for path, template in _TEMPLATES.items()
    }


def render_readme(name, title, target, graph, report, files):
    """Render README.md, which quotes the report."""
    table = "\n".join(f"    {line}".rstrip() for line in str(report).splitlines())
    ends = {"inputs": graph.inputs, "outputs": graph.outputs}
    return _template("README.md").render(
        **_names(name, title, target), report=table, files=files, **ends
    )


def _names(name, title, target):
    return {
        "name": name,
        "NAME": name.upper(),
        "title": _comment(title),
        "target": target.name,
        "version": __version__,
        "alignment": alignment_for(target),
    }


def _platformio(name, title, target):
    return {
        "name": name,
        "version": __version__,
        "description": f"{_comment(title)}: a neural network in plain C, written by "
        f"keras-prune for {target.name}.",
        "headers": f"{name}.h",
        "frameworks": "*",
        "platforms": "*",
        "build": {"srcDir": "src", "includeDir": "src", "flags": ["-O3"], "libArchive": True},
    }


def headers_of(steps):
    """Return the headers that declare the kernels of the steps, as paths of the sources."""
    kernels = [step.kernel for step in steps if step.kernel]
    floats = {kernel for kernel in kernels if "_f32_" in kernel and "_s8_" not in kernel}
    found = {"operators_f32" if kernel in floats else "kernels_s8" for kernel in kernels}
    return [f"include/spk/{name}.h" for name in sorted(found)]


def unique_constants(steps):
    """Return the constants of the project: of equal arrays, the first stands for all.

    Args:
        steps: List of `Step`.

    Returns:
        A list of `Constant`.
    """
    return list(dict.fromkeys(_representatives(steps).values()))


def _representatives(steps):
    first, chosen = {}, {}
    for step in steps:
        for constant in step.constants:
            key = (constant.c_type, constant.values.tobytes())
            if step.code:  # only some compilers see these
                key = constant
            chosen[constant] = first.setdefault(key, constant)
    return chosen


def _call(at, step, plan, stands_for):
    def argument(value, output=False):
        if isinstance(value, Constant):
            return stands_for[value].name
        if isinstance(value, Tensor):
            const = "" if output else "const "
            return f"({const}{_C_TYPES[value.type]} *)(arena + {plan.tensors[value.index]})"
        if value is SCRATCH:
            return f"arena + {plan.scratch[at]}"
        if isinstance(value, list):
            return "{" + ", ".join(str(each) for each in value) + "}"
        return str(value)

    shapes = " + ".join(_shape(tensor.shape) for tensor in step.inputs)
    twin = step.twin and _call(at, step.twin, plan, {each: each for each in step.twin.constants})
    return {
        "code": step.code,
        "twin": twin,
        "constants": step.constants,
        "function": step.function,
        "kernel": step.kernel,
        "comment": f"{step.kind}: {shapes} -> {_shape(step.output.shape)}",
        "structs": [
            (
                c_type,
                name,
                # What points into the arena is no constant expression.
                "" if any(_is_in_arena(value) for _, value in fields) else "static ",
                [(field, argument(value, value is step.output)) for field, value in fields],
            )
            for c_type, name, fields in step.structs
        ],
        "arguments": [
            argument(value, value is step.output or value in step.states)
            for value in step.arguments
        ],
    }


def _is_in_arena(value):
    return isinstance(value, Tensor) or value is SCRATCH


def _end(tensor):
    quantised = tensor.type in ("INT8", "INT16")
    return types.SimpleNamespace(
        name=tensor.name,
        c_type=_C_TYPES[tensor.type],
        shape=tensor.shape,
        size=tensor.size,
        bytes=tensor.bytes,
        scale=f"{float(tensor.scale):.9g}f" if quantised else None,
        zero_point=tensor.zero_point if quantised else None,
    )


def _template(name):
    return _environment().get_template(f"{name}.j2")


@functools.cache
def _environment():
    try:
        import jinja2
    except ImportError as error:
        raise ImportError(
            "`export_c` needs the package `jinja2`. Install it with "
            '`pip install "keras-prune[tflite]"`.'
        ) from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("keras_prune.export.c"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
    environment.filters |= {"numbers": _numbers, "comment": _comment, "shape": _shape}
    environment.filters["assembly"] = _assembly
    return environment


def _shape(shape):
    return "x".join(str(size) for size in shape) or "scalar"


def _comment(text):
    # A name from a file must not end the comment or the line it stands in.
    return "".join(c if c.isprintable() and c not in "\\?" else "_" for c in str(text))[:100]


def _numbers(values, per_line=16):
    flat = np.asarray(values).reshape(-1)
    plain = flat.dtype.kind in "iu" and flat.min(initial=0) > -(1 << 31)
    words = list(map(str if plain else _literal, flat.tolist()))
    lines = (words[at : at + per_line] for at in range(0, len(words), per_line))
    return "".join("    " + ", ".join(line) + ",\n" for line in lines)


def _assembly(lines, per_line=4):
    # C guarantees strings of 4095 characters. Packets stand alone.
    if any("{ " in line for line in lines):
        per_line = 1
    per_statement = 4000 // (per_line + 1 + max(map(len, lines), default=0)) // per_line * per_line
    for first in range(0, len(lines), min(per_statement, 128)):
        some = lines[first : first + min(per_statement, 128)]
        joined = ("; ".join(some[at : at + per_line]) for at in range(0, len(some), per_line))
        yield "".join(f'\n      "{line}\\n"' for line in joined)


def _literal(value):
    if isinstance(value, float):
        digits = f"{value:.9g}"
        return f"{digits}f" if {".", "e"} & set(digits) else f"{digits}.0f"
    # INT32_MIN has no decimal literal of type int.
    return "(-2147483647 - 1)" if value == -(1 << 31) else str(value)
