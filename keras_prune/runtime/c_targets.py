"""The processors that C projects are made for, and where their C sources lie."""

import dataclasses
import pathlib


@dataclasses.dataclass(frozen=True)
class Board:
    """A machine that QEMU emulates: its name and where code and data lie in it.

    `HEXAGON` is no whole machine: its programs call an operating system, which QEMU answers.
    """

    machine: str
    flash: tuple = ()  # origin, length
    ram: tuple = ()


@dataclasses.dataclass(frozen=True)
class Target:
    """A processor: its compiler flags and the board that runs it; the host has neither.

    `long_multiply` tells whether it multiplies 32 x 32 -> 64 bits in one instruction, `dsp`
    whether it has Arm's DSP extension, `vectors` is the vector unit that has kernels of its own:
    `"hvx"`, `"mve"`, or empty.
    """

    name: str
    flags: tuple = ()
    board: Board | None = None
    long_multiply: bool = True
    dsp: bool = False
    vectors: str = ""

    @property
    def is_host(self):
        """True for the machine that runs this program."""
        return self.board is None


_MEGABYTE = 1 << 20
_MPS2_M3 = Board("mps2-an385", (0, 4 * _MEGABYTE), (0x20000000, 4 * _MEGABYTE))
_MPS2_M4 = dataclasses.replace(_MPS2_M3, machine="mps2-an386")
_MPS2_M7 = dataclasses.replace(_MPS2_M3, machine="mps2-an500")
_MPS2_M33 = Board("mps2-an505", (0x10000000, 4 * _MEGABYTE), (0x38000000, 4 * _MEGABYTE))
MICROBIT = Board("microbit", (0, 256 << 10), (0x20000000, 16 << 10))
_MPS3_M55 = Board("mps3-an547", (0, _MEGABYTE // 2), (0x21000000, 2 * _MEGABYTE))

HEXAGON = Board("qemu-hexagon")
# The oldest version with all that the kernels use: its code runs on those after it too.
_HEXAGON_FLAGS = ("--target=hexagon-unknown-none-elf", "-mv66", "-mhvx", "-mhvx-length=128b")


def _arm(name, board, *extra, long_multiply=True, dsp=False, vectors=""):
    flags = ("-mthumb", f"-mcpu={name}", *extra)
    return Target(name, flags, board, long_multiply, dsp, vectors)


# QEMU's Cortex-M0 board, MICROBIT, has 16 kB of RAM: programs for it run on a Cortex-M3, whose
# instructions include its own.
TARGETS = {
    target.name: target
    for target in (
        _arm("cortex-m0", _MPS2_M3, long_multiply=False),
        _arm("cortex-m0plus", _MPS2_M3, long_multiply=False),
        _arm("cortex-m3", _MPS2_M3),
        _arm("cortex-m4", _MPS2_M4, "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", dsp=True),
        _arm("cortex-m7", _MPS2_M7, "-mfloat-abi=hard", "-mfpu=fpv5-d16", dsp=True),
        _arm("cortex-m33", _MPS2_M33, "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16", dsp=True),
        _arm("cortex-m55", _MPS3_M55, "-mfloat-abi=hard", dsp=True, vectors="mve"),
        Target("hexagon", _HEXAGON_FLAGS, HEXAGON, vectors="hvx"),
        Target("host"),
    )
}


def find_target(name):
    """Return the target of that name.

    Args:
        name: Str, e.g. `"cortex-m4"`.

    Returns:
        A `Target`.

    Raises:
        ValueError: If there is none.
    """
    if not isinstance(name, str) or name not in TARGETS:
        raise ValueError(
            f"Invalid value for argument `target`. Expected one of {sorted(TARGETS)}. "
            f"Received: target={name!r}"
        )
    return TARGETS[name]


def source_root():
    """Return the folder of the C sources: inside the package, or beside it in a checkout.

    Returns:
        A `pathlib.Path`.

    Raises:
        FileNotFoundError: If neither is there.
    """
    package = pathlib.Path(__file__).resolve().parents[1]
    for root in (package / "tflite_kernels", package.parent / "tflite_kernels"):
        if (root / "include" / "spk" / "kernels_s8.h").is_file():
            return root
    raise FileNotFoundError(
        "The C sources of the kernels are missing from the installation. "
        f"Received: package={package}"
    )
