"""The target that this machine is."""

import pathlib
import platform


def this_machine():
    """Str. The target of `kp.Auto` whose kernels the delegate runs here."""
    if platform.machine() in ("aarch64", "arm64"):
        return "aarch64"
    try:
        flags = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return "x86-avx2"
    return "x86-avx512" if "avx512_vnni" in flags else "x86-avx2"
