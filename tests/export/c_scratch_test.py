"""The exporter's sizes of scratch memory are those that the kernels themselves tell."""

import pathlib

import numpy as np

from keras_prune.export.c import armv7em, armv7em_depthwise, code_layers, tile_cost
from keras_prune.export.c.convolutions import depthwise_scratch
from keras_prune.export.c.dense_layers import widened_bytes
from keras_prune.export.c.gated_convolutions import Sizes
from keras_prune.runtime.c_targets import TARGETS, source_root
from keras_prune.runtime.emulator import build_program, emulate
from tests.export.c_model_builder import needs_qemu

FIELDS = (
    "batch", "in_h", "in_w", "in_c", "out_h", "out_w", "out_c", "kernel_h", "kernel_w", "stride_h",
    "stride_w", "dilation_h", "dilation_w", "pad_top", "pad_left",
)  # fmt: skip


def random_window(rng):
    """A window of a depthwise convolution, which is one of a convolution too."""
    kernel_h, kernel_w = (int(n) for n in rng.integers(1, 5, 2))
    w = {"batch": int(rng.integers(1, 3)), "in_c": int(rng.integers(1, 12))}
    w["out_c"] = w["in_c"] * int(rng.integers(1, 3))
    w |= {"kernel_h": kernel_h, "kernel_w": kernel_w}
    w |= {name: int(rng.integers(1, 3)) for name in ("stride_h", "stride_w")}
    w |= {name: int(rng.choice([1, 1, 2])) for name in ("dilation_h", "dilation_w")}
    w |= {"in_h": int(rng.integers(1, 30)), "in_w": int(rng.integers(1, 30))}
    w |= {"pad_top": int(rng.integers(0, kernel_h)), "pad_left": int(rng.integers(0, kernel_w))}
    w["out_h"] = -(-w["in_h"] // w["stride_h"])
    w["out_w"] = -(-w["in_w"] // w["stride_w"])
    return w


def expected_sizes(w):
    """What scratch_sizes.c prints for a window, by the exporter's formulas."""
    columns = w["kernel_h"] * w["kernel_w"] * w["in_c"]
    most_in, most_out = (-(-w[name] // 2) for name in ("in_c", "out_c"))
    pixels = (w["in_h"] * w["in_w"], w["out_h"] * w["out_w"])
    gated = Sizes(*pixels, most_in, most_out, w["in_c"], w["out_c"])
    portable = depthwise_scratch(w)
    depthwise = portable
    if armv7em_depthwise.is_suited(w):
        depthwise = armv7em_depthwise.scratch_bytes(w, portable)
    return [
        tile_cost.TILE_BYTES * columns,
        armv7em.scratch_bytes(w),
        armv7em.scratch_bytes(w),
        armv7em.scratch_bytes(w, 4),
        armv7em.scratch_bytes(w, 8),
        gated.scratch_bytes(301, 77),
        portable,
        depthwise,
        widened_bytes(w["in_c"]),
        widened_bytes(w["in_c"]),
        code_layers.scratch_bytes(w["out_c"], w["in_c"], False),
        code_layers.scratch_bytes(w["out_c"], w["in_c"], True),
        2 * widened_bytes(w["in_c"]),
    ]


@needs_qemu
def test_the_formulas_are_those_of_the_kernels(tmp_path):
    rng = np.random.default_rng(0)
    windows = [random_window(rng) for _ in range(300)]
    lines = [", ".join(f".{name} = {w[name]}" for name in FIELDS) for w in windows]
    (tmp_path / "windows.h").write_text("".join(f"{{{line}}},\n" for line in lines))
    root = source_root()
    sources = [pathlib.Path(__file__).with_name("scratch_sizes.c")]
    sources += [root / "micro" / "boards" / "syscalls.c"]
    sources += [
        p for f in ("portable", "armv7em", "reference") for p in root.glob(f"kernels/{f}/*_s8*.c")
    ]
    target = TARGETS["cortex-m4"]
    build_program(sources, [tmp_path, root / "include", root], target, tmp_path / "sizes", ["-O1"])
    printed = emulate(tmp_path / "sizes", target.board, tmp_path).split("\n")
    got = [[int(n) for n in line.split()] for line in printed if line]
    assert got == [expected_sizes(w) for w in windows]
