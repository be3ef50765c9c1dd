"""Building C programs for this machine or for a board, and running them under QEMU."""

import functools
import shutil
import subprocess

import numpy as np

from keras_prune.runtime.c_targets import HEXAGON, source_root

_SECONDS = 600


def build_program(sources, folders, target, program, flags=()):
    """Compile and link a C program.

    Args:
        sources: Iterable of paths.
        folders: Iterable of include folders.
        target: `Target`.
        program: `pathlib.Path` of the program to write.
        flags: Iterable of str. Further compiler flags.

    Raises:
        RuntimeError: If the compiler is missing or fails.
    """
    if target.board == HEXAGON:
        _build_for_hexagon(sources, folders, target, program, flags)
        return
    command = [find_tool("cc" if target.is_host else "arm-none-eabi-gcc"), "-std=c11", "-Wall"]
    command += [*target.flags, *flags, *(f"-I{folder}" for folder in folders)]
    if not target.is_host:
        boards = source_root() / "micro" / "boards"
        sources = [*sources, boards / "startup.c", boards / "semihosting.c"]
        command += [f"-I{boards}", *_link_flags(target.board, boards)]
    command += [*map(str, sources), "-o", str(program), "-lm"]
    call(command, program.parent, "The program does not compile")


def compile_objects(sources, folders, target, folder, flags=()):
    """Compile C sources for a board, so that several programs can be linked with them.

    Args:
        sources: List of paths; those of one folder are compiled together.
        folders: Iterable of include folders.
        target: `Target`.
        folder: `pathlib.Path` of an empty folder for the objects.
        flags: Iterable of str. Further compiler flags.

    Returns:
        List of paths, which `build_program` takes like sources.

    Raises:
        RuntimeError: If the compiler is missing or fails.
    """
    if target.board == HEXAGON:
        command = _hexagon_compiler(folders, target, flags)
    else:
        boards = source_root() / "micro" / "boards"
        command = [find_tool("arm-none-eabi-gcc"), "-std=c11", "-Wall", *target.flags, *flags]
        command += [f"-I{each}" for each in (*folders, boards)]
    command.append("-c")
    objects = []
    for number, parent in enumerate(dict.fromkeys(source.parent for source in sources)):
        # The compiler names an object after its source, and folders have files of one name.
        place, chosen = folder / str(number), [each for each in sources if each.parent == parent]
        place.mkdir()
        call([*command, *map(str, chosen)], place, "The program does not compile")
        objects += [place / f"{source.stem}.o" for source in chosen]
    return objects


def emulate(program, board, folder, options=()):
    """Run a program on a board of QEMU, in a folder whose files it may read and write.

    Args:
        program: Path-like.
        board: `Board`.
        folder: `pathlib.Path`.
        options: Iterable of str. Further options of QEMU.

    Returns:
        What it printed.

    Raises:
        RuntimeError: If QEMU is missing, or the program ends with an error.
    """
    if board == HEXAGON:
        command = [find_tool("qemu-hexagon"), "-cpu", "v67", *options, str(program)]
    else:
        command = [find_tool("qemu-system-arm"), "-M", board.machine, "-nographic"]
        command += ["-monitor", "none", "-serial", "none", "-kernel", str(program)]
        command += ["-semihosting-config", "enable=on,target=native", *options]
    return call(command, folder, "The program failed under QEMU")


def emulate_and_count(program, board, folder):
    """Run a program and count the instructions between its marks, see `micro/qemu_count`.

    Args:
        program: Path-like.
        board: `Board`.
        folder: `pathlib.Path`.

    Returns:
        Array of int64: one count for each time.
    """
    plugin, source = folder / "count.so", source_root() / "micro" / "qemu_count" / "count.c"
    command = [find_tool("cc"), "-O2", "-shared", "-fPIC", str(source), "-o", str(plugin)]
    call(command, folder, "The counting plugin does not compile")
    emulate(program, board, folder, ["-plugin", f"{plugin},out={folder / 'counts.txt'}"])
    return np.loadtxt(folder / "counts.txt", dtype=np.int64, ndmin=1)


def _build_for_hexagon(sources, folders, target, program, flags):
    # Clang passes its linker an option that lld does not know, so lld is called by itself.
    command, micro = _hexagon_compiler(folders, target, flags), source_root() / "micro" / "hexagon"
    objects = []
    for number, source in enumerate([*sources, micro / "startup.c", micro / "system.c"]):
        if source.suffix == ".o":
            objects.append(str(source))
            continue
        objects.append(f"{program}.{number}.o")
        built = [*command, "-c", str(source), "-o", objects[-1]]
        call(built, program.parent, "The program does not compile")
    link = [find_tool("ld.lld-19"), "-static", "--gc-sections", "-e", "_start", *objects]
    call([*link, "-o", str(program)], program.parent, "The program does not link")


def _hexagon_compiler(folders, target, flags):
    command = [find_tool("clang-19"), "-std=c11", "-Wall", "-ffreestanding", *target.flags]
    folders = (*folders, source_root() / "micro" / "hexagon")
    return [*command, *flags, *(f"-I{folder}" for folder in folders)]


def _link_flags(board, boards):
    flags = ["-ffunction-sections", "-nostartfiles", "--specs=nano.specs", "-Wl,--gc-sections"]
    for name, (origin, length) in (("FLASH", board.flash), ("RAM", board.ram)):
        flags += [f"-Wl,--defsym={name}_ORIGIN={origin}", f"-Wl,--defsym={name}_LENGTH={length}"]
    return [*flags, "-T", str(boards / "flash_and_ram.ld")]


@functools.cache
def find_tool(name):
    """Return the path of a program.

    Args:
        name: Str.

    Raises:
        RuntimeError: If it is not installed.
    """
    path = shutil.which(name)
    if path is None:
        raise RuntimeError(f"Running a C project needs `{name}`. Received: no `{name}` in PATH")
    return path


def call(command, folder, what):
    """Run a command.

    Args:
        command: List of str.
        folder: `pathlib.Path` to run it in.
        what: Str. What the error says has happened.

    Returns:
        What it wrote to standard output.

    Raises:
        RuntimeError: If it fails, or takes longer than ten minutes.
    """
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{what}: it took more than {_SECONDS} seconds.") from None
    if done.returncode != 0:
        text = (done.stderr + done.stdout).strip()[:2000]
        raise RuntimeError(f"{what}. Received: exit code {done.returncode}, {text}")
    return done.stdout
