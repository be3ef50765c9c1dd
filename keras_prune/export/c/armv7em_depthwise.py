"""Depthwise convolution on Arm cores with the DSP extension: what its kernel needs and costs.

The plan is that of `kernels/armv7em/depthwise_conv2d_s8_dense.c`; the constants are instructions
counted under QEMU on a Cortex-M4, gcc -O3.
"""

import dataclasses
import math

SOURCES = tuple(
    f"kernels/armv7em/{name}.c"
    for name in ("channels_s8", "depthwise_conv2d_s8_dense", "depthwise_lines_s8")
)

_MOST_TAPS = 64
_CHANNELS = 4  # packed together
_MOST_PLANE_BYTES = 6144  # of their planes, if need be more
_CHANNEL_BYTES = 32

_TILE = 52  # per tile: requantisation and stores
_NINE_TAPS = (66, 92)  # of a tile of four, of five
_TAP = 8.3  # of a list
_WORD = 5.5  # packing
_PACKED_ROW = 10  # per row and channel
_CHANNEL = 100  # per channel and band
_LINE = 12  # per line of tiles


@dataclasses.dataclass(frozen=True)
class _Axis:
    size: int
    out: int
    kernel: int
    stride: int
    dilation: int

    @property
    def reach(self):
        return (self.kernel - 1) * self.dilation + 1


@dataclasses.dataclass(frozen=True)
class _Plan:
    nine_taps: bool
    by_5: int
    by_4: int
    lines: int
    row: int  # words of a row of a plane
    rows: int  # of a plane
    bands: int


def is_suited(w):
    """Whether the kernel computes this layer itself, and its portable twin does not."""
    return max(w["out_h"], w["out_w"]) >= 4 and w["kernel_h"] * w["kernel_w"] <= _MOST_TAPS


def scratch_bytes(w, portable):
    """Bytes of scratch; `portable` are those of the portable kernel."""
    if not is_suited(w):
        return portable
    plan = _plan(w)
    planes = 4 * _CHANNELS * plan.row * plan.rows
    taps = 8 * w["kernel_h"] * w["kernel_w"]
    return max(portable, w["out_c"] * _CHANNEL_BYTES + planes + taps + _CHANNELS)


def instructions(w):
    """Estimate the instructions of a layer."""
    plan, taps = _plan(w), w["kernel_h"] * w["kernel_w"]
    by_4, by_5 = _NINE_TAPS if plan.nine_taps else (taps * _TAP, 0)
    line = plan.by_4 * (by_4 + _TILE) + plan.by_5 * (by_5 + _TILE + 13) + _LINE
    packing = plan.bands * plan.rows * (plan.row * _WORD + _PACKED_ROW * w["stride_w"])
    channel = plan.lines * line + plan.bands * (_CHANNEL + 5 * taps)
    return w["batch"] * (w["out_c"] * channel + w["in_c"] * packing)


def _plan(w):
    line, pair = _axes(w)
    by_5 = _tiles_by_5(line, pair)
    row = (line.out + (line.reach - 1) // line.stride) * line.stride
    most = _MOST_PLANE_BYTES // (4 * _CHANNELS * row)
    lines = math.ceil(pair.out / 2)
    at_once = 1
    if most >= pair.reach:
        at_once = min((most - pair.reach) // pair.stride + 1, lines)
    return _Plan(
        nine_taps=_has_nine_taps(line, pair),
        by_5=by_5,
        by_4=math.ceil((line.out - 5 * by_5) / 4),
        lines=lines,
        row=row,
        rows=(at_once - 1) * pair.stride + pair.reach,
        bands=math.ceil(lines / at_once),
    )


def _axes(w):
    # Tiles lie along the first axis.
    x, y = (
        _Axis(*(w[f"{name}_{axis}"] for name in ("in", "out", "kernel", "stride", "dilation")))
        for axis in "wh"
    )
    along_x = y.out < 4 or (x.out >= 4 and _tiles(x, y) <= _tiles(y, x))
    return (x, y) if along_x else (y, x)


def _has_nine_taps(line, pair):
    return line.kernel == pair.kernel == 3 and line.stride == line.dilation == 1


def _tiles_by_5(line, pair):
    left = line.out % 4
    return left if _has_nine_taps(line, pair) and 5 * left <= line.out else 0


def _tiles(line, pair):
    by_5 = _tiles_by_5(line, pair)
    return math.ceil(pair.out / 2) * (by_5 + math.ceil((line.out - 5 * by_5) / 4))
