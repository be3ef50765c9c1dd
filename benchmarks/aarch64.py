"""Instructions of the kernels for 64-bit Arm: `python -m benchmarks.aarch64`.

QEMU counts what a call of a kernel executes for a whole layer: packing of the inputs,
requantisation and stores included. Every sparse kernel stands beside the dense kernel of this
project for the same instruction set, whose outputs with the same weights it must give. Counts
are not times: they say nothing about caches, and a look-up in a table of four vectors is one
instruction that takes several cycles.
"""

import argparse
import pathlib
import tempfile

import numpy as np

from benchmarks import results
from keras_prune.runtime.c_targets import source_root
from keras_prune.runtime.emulator import call, find_tool

NAME = "aarch64"
LIBRARIES = "/usr/aarch64-linux-gnu"  # for the emulator: where the program's C library is
COMPILER = ("clang-19", "--target=aarch64-linux-gnu", "-O3")
# Height and width, input channels, output channels, window.
POINTWISE_FLOAT, POINTWISE_INT8 = (8, 256, 128, 1), (8, 256, 64, 1)
WINDOW, CONNECTED, WIDE = (14, 128, 128, 3), (1, 1024, 256, 1), (1, 4096, 256, 1)
ANY = ("0.2:1:1", "0.1:1:1", "0.05:1:1")


def blocks(rows, cols):
    """Patterns with 80, 90 and 95 % zeros, in blocks of weights."""
    return tuple(f"{density}:{rows}:{cols}" for density in (0.2, 0.1, 0.05))


def balanced(*kept, of):
    """Patterns that leave so many weights of every `of` neighbours."""
    return tuple(f"{n}/{of}:1:1" for n in kept)


FOURS, TALL = blocks(1, 4), blocks(16, 4)
OF_32, OF_64 = balanced(6, 3, 2, of=32), balanced(12, 8, 4, of=64)
# Operator and type, instruction set of the dense kernel, layers, and sparse kernels with the
# patterns that they are for.
FAMILIES = (
    (
        "conv2d_f32",
        "neon",
        (POINTWISE_FLOAT, WINDOW),
        {
            "blocks4x1__neon": blocks(4, 1),
            "blocks2x1__neon": blocks(2, 1),
            "blocks1x1__neon": ANY,
        },
    ),
    (
        "conv2d_s8",
        "neondot",
        (POINTWISE_INT8, WINDOW),
        {"blocks1x4__neondot": FOURS, "quads__neondot": ANY},
    ),
    ("conv2d_s8", "neoni8mm", (POINTWISE_INT8, WINDOW), {"blocks1x4__neondot": FOURS}),
    ("conv2d_s8", "neon", (POINTWISE_INT8, WINDOW), {"pairs__neon": ANY}),
    (
        "fully_connected_f32",
        "neon",
        (CONNECTED, WIDE),
        {
            "blocks16x1__neon": blocks(16, 1),
            "blocks8x1__neon": blocks(8, 1),
            "windows__neon": OF_32,
        },
    ),
    (
        "fully_connected_s8",
        "neondot",
        (CONNECTED, WIDE),
        {"blocks16x4__neondot": TALL, "windows__neondot": OF_64},
    ),
    (
        "fully_connected_s8",
        "neon",
        (CONNECTED, WIDE),
        {"blocks16x4__neon": TALL, "windows__neon": OF_64},
    ),
)


def build(folder, compiler, mains):
    """Compile the kernels, and programs that call them, for 64-bit Arm under Linux.

    Args:
        folder: `pathlib.Path`. Where the programs go, by the names of their sources.
        compiler: Iterable of str. The compiler and its flags.
        mains: Iterable of str. Sources of the programs, from the folder of the C code on.
    """
    root = source_root()
    folders = ("formats", "kernels", *(f"kernels/{name}" for name in ("reference", "portable")))
    sources = [path for name in folders for path in sorted((root / name).glob("*.c"))]
    sources += sorted((root / "kernels/aarch64").glob("*.c"))
    sources += [root / "delegate" / name for name in ("cost_rule.c", "stock_cost.c")]
    command = [*compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{root}"]
    command.append(f"-I{root / 'include'}")
    call([*command, "-c", *map(str, sources)], folder, "The kernels do not compile")
    objects = [str(path) for path in sorted(folder.glob("*.o"))]
    for main in mains:
        program = folder / pathlib.Path(main).stem
        linked = [*command, str(root / main), *objects, "-o", str(program), "-lm"]
        call(linked, folder, "The program does not compile")


def count(folder, cases):
    """Instructions of each case, and the sum of its outputs, see `bench/count.c`.

    Args:
        folder: `pathlib.Path` with the program.
        cases: List of str.
    """
    plugin = folder / "plugin.so"
    source = source_root() / "micro" / "qemu_count" / "count.c"
    command = [find_tool("cc"), "-O2", "-shared", "-fPIC", str(source), "-o", str(plugin)]
    call(command, folder, "The counting plugin does not compile")
    command = [find_tool("qemu-aarch64"), "-cpu", "max", "-L", LIBRARIES]
    command += ["-plugin", f"{plugin},out={folder / 'counts.txt'}", "./count", *cases]
    sums = call(command, folder, "The program failed under QEMU").split()
    counts = np.loadtxt(folder / "counts.txt", dtype=np.int64, ndmin=1)
    return [(int(n), float(total)) for n, total in zip(counts, sums, strict=True)]


def measure(folder, family, layer):
    """Count the sparse kernels of a family for one layer, and the dense one with each's weights.

    Args:
        folder: `pathlib.Path` with the program.
        family: One of `FAMILIES`.
        layer: One of its layers.

    Returns:
        List of dicts.
    """
    operator, isa, _, kernels = family
    sizes = ":".join(map(str, layer))
    wanted = [(f"spk_{operator}_{each}", p) for each in kernels for p in kernels[each]]
    dense = f"spk_{operator}_dense__{isa}"
    cases = [f"{name}:{sizes}:{p}" for kernel, p in wanted for name in (kernel, dense)]
    found = count(folder, cases)
    measured = []
    for (kernel, pattern), ours, theirs in zip(wanted, found[::2], found[1::2], strict=True):
        if not np.isclose(ours[1], theirs[1], rtol=1e-4 if "f32" in kernel else 0):
            raise RuntimeError(f"{kernel} differs from {dense}. Received: {ours}, {theirs}")
        entry = {"kernel": kernel, "dense_kernel": dense, "layer": layer, "pattern": pattern}
        measured.append({**entry, "instructions": ours[0], "dense": theirs[0]})
    return measured


def kernels(folder):
    """The rows of the library's kernel table that are for 64-bit Arm, as Markdown.

    Args:
        folder: `pathlib.Path` with the program.
    """
    command = [find_tool("qemu-aarch64"), "-L", LIBRARIES, "./bench", "--table"]
    lines = call(command, folder, "The program failed under QEMU").splitlines()
    return "\n".join(line for n, line in enumerate(lines) if n < 2 or "| neon" in line)


def describe(layer):
    """A layer in words."""
    size, inputs, outputs, window = layer
    pixels = "" if size == 1 else f"{window}x{window}, {size}x{size}, "
    return f"{pixels}{inputs} to {outputs}"


def describe_zeros(pattern):
    """A pattern in words."""
    density, rows, cols = pattern.split(":")
    if "/" in density:
        return density.replace("/", " of ")
    shape = "" if rows == cols == "1" else f", {rows}x{cols}"
    return f"{1 - float(density):.0%}{shape}"


def table(document):
    """The Markdown of all cases."""
    rows = [
        (
            describe(case["layer"]),
            f"`{case['kernel']}`",
            describe_zeros(case["pattern"]),
            f"{case['instructions']:,}",
            f"{case['dense']:,}",
            f"{case['dense'] / case['instructions']:.2f}x",
        )
        for case in document["results"]
    ]
    columns = ["layer", "kernel", "zeros", ">instructions", ">dense kernel", ">against dense"]
    return f"{results.markdown_table(columns, rows)}\n\n{results.provenance(document)}"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    if not parser.parse_args(argv).tables_only:
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            build(folder, COMPILER, ["bench/count.c", "bench/bench.c"])
            results.write_tables("kernels_aarch64", kernels(folder))
            found = []
            for family in FAMILIES:
                for layer in family[2]:
                    found += measure(folder, family, layer)
                    print(found[-1], flush=True)
        results.save(NAME, found, compiler=" ".join(COMPILER))
    results.write_tables(NAME, table(results.load(NAME)))


if __name__ == "__main__":
    main()
