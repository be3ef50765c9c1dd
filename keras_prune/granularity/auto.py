"""Auto: for every layer the shape that the kernels of a device run fastest."""

import math
import re

import keras

from keras_prune.granularity.block import Block
from keras_prune.granularity.granularity import GRANULARITIES, Granularity
from keras_prune.granularity.kernel_speeds import COLUMNS, SPEEDS
from keras_prune.granularity.nm import NM
from keras_prune.granularity.this_machine import this_machine
from keras_prune.granularity.unstructured import Unstructured

TARGETS = tuple(SPEEDS)
# Blocks at the edges of a kernel are padded: a shape fits where that adds no more than this.
_MOST_PADDING = 0.15
# A window keeps whole numbers of weights: a shape fits where it keeps no less than this share of
# what was asked, and no more.
_LEAST_KEPT = 0.75
# The runtimes of PCs and phones are as fast with smaller layers as anybody.
_SMALL_DENSE = {"inputs": 64, "outputs": 16}
_FEW_CHANNELS = 4


@GRANULARITIES.register()
class Auto(Granularity):
    """The shape that a device's kernels run fastest, chosen for every layer.

    Of the shapes that have been measured on the target for a layer of that kind, type and
    sparsity, the fastest counts; a finer one, which costs less accuracy, is taken if it is no
    more than `margin` slower. For microcontrollers and DSPs, whose programs lie in flash memory,
    speed over bytes counts instead. docs/shapes.md has the figures.

    A layer takes single weights, and the report says why, where no shape is faster (recurrent
    layers, embeddings, transposed and depthwise convolutions) or none was measured (grouped
    convolutions on all targets but `"x86-avx512"`), where the runtime's own kernels are as fast
    (small dense layers, convolutions of few channels), and where its sizes, or those of its
    groups, fill no block.

    n of every m inputs are taken only where the sparsity of each layer is known before pruning
    (`"uniform"`, `"erk"`, `kp.PerLayer`), with the largest n that reaches it. Under a schedule
    the windows thin out step by step.

    Example:

    ```python
    kp.PruneCallback(0.9, granularity="auto", target="x86-avx512", quantize="int8")
    kp.PruneCallback(0.9, granularity=kp.Auto("cortex-m4"))       # the same, as an object
    ```

    Args:
        target: Str. `"x86-avx512"`, `"x86-avx2"`, `"aarch64"`, `"host"` for which of them this
            machine is, a Cortex-M such as `"cortex-m4"`, or `"hexagon"`.
        quantize: `None` or `"int8"`, as in `kp.export_tflite`: whether the file will be float32
            or int8. Cortex-M and Hexagon take the shapes of int8 programs. Defaults to `None`.
        margin: Float in [0, 1). How much slower than the fastest a finer shape may be. Defaults
            to `0.15`.
    """

    def __init__(self, target, quantize=None, margin=0.15):
        if not isinstance(target, str) or target not in (*SPEEDS, "host"):
            raise ValueError(
                'Invalid value for argument `target`. Expected "host" or one of '
                f"{list(TARGETS)}. Received: target={target!r}"
            )
        if quantize not in (None, "int8"):
            raise ValueError(
                "Invalid value for argument `quantize`. Expected None, for a float32 file, or "
                f'"int8". Received: quantize={quantize!r}'
            )
        self.target = this_machine() if target == "host" else target
        self.quantize = quantize
        self.margin = _check_margin(margin)

    def of(self, weight):
        if weight.granularity is None:
            weight.granularity, weight.note = self.choose(weight)
        return weight.granularity

    def settle(self, weights, asked, sparsity):
        for weight, share in zip(weights, asked, strict=True):
            known = sparsity if share is None else share
            weight.granularity, weight.note = self.choose(weight, known, windows=share is not None)
            weight.aim = share

    def amount(self, weight, sparsity):
        made = self.of(weight).sparsity
        return sparsity if made is None or not weight.aim else made * sparsity / weight.aim

    def choose(self, weight, sparsity=COLUMNS[0], windows=False):
        """Choose the shape of one kernel.

        Args:
            weight: `PrunableWeight`.
            sparsity: Float in [0, 1). Defaults to `0.8`.
            windows: Bool. Whether n of every m inputs may be chosen. Defaults to `False`.

        Returns:
            Tuple (granularity, reason): a `Granularity` and a str.
        """
        kind = layer_kind(weight)
        speeds = SPEEDS[self.target]
        speeds = speeds.get("int8" if self.quantize else "float32", speeds["int8"]).get(kind)
        reason = self._reason(weight, kind, speeds)
        if reason:
            return Unstructured(), reason
        shape = weight.view_shape
        column = min(range(len(COLUMNS)), key=lambda i: abs(COLUMNS[i] - sparsity))
        fitting = []
        for speed in speeds:
            granularity = shape_of(speed.shape, shape[2], sparsity if windows else None)
            if granularity is not None and _fits(granularity, shape, weight.groups):
                fitting.append((speed, granularity))
        if all(granularity == Unstructured() for _, granularity in fitting) and _either(speeds):
            sizes = f"{shape[0]} outputs by {shape[2]} inputs"
            return Unstructured(), f"do not fill {_either(speeds)}: {sizes}"
        enough = (1.0 - self.margin) * max(speed.merit(column) for speed, _ in fitting)
        finest = (pair for pair in fitting if pair[0].merit(column) >= enough)
        speed, granularity = next(finest)
        return granularity, _praise(speed, column)

    def _reason(self, weight, kind, speeds):
        """Why no shape is worth anything in a kernel, or `None`."""
        if kind not in ("dense", "pointwise", "conv", "grouped"):
            return f"{self.target} runs no shape of it faster: {kind}"
        if speeds is None and kind == "grouped":
            return f"no shape of it was measured on {self.target}: grouped convolution"
        if speeds is None:
            return f"dense layers of {self.target} take any zeros"
        outputs, _, inputs = weight.view_shape
        if self.target.startswith("cortex"):
            return None
        few = outputs < _SMALL_DENSE["outputs"] or inputs < _SMALL_DENSE["inputs"]
        if kind == "dense" and few:
            return f"too small for blocks: {outputs} outputs by {inputs} inputs"
        if kind in ("pointwise", "conv") and inputs <= _FEW_CHANNELS:
            return f"too few input channels for blocks: {inputs}"
        return None


def layer_kind(weight):
    """What a kernel's layer is to the kernels: `"dense"`, `"pointwise"`, `"conv"`, or another name.

    Args:
        weight: `PrunableWeight`.

    Returns:
        Str.
    """
    layers, layer = keras.layers, weight.layer
    flat = (layers.Conv1D, layers.Conv2D, layers.SeparableConv1D, layers.SeparableConv2D)
    if weight.groups > 1 and weight.view_shape[2] == 1:
        return "depthwise"
    if weight.groups > 1:
        return "grouped" if isinstance(layer, flat) else f"grouped {type(layer).__name__}"
    if isinstance(layer, (layers.Dense, layers.EinsumDense)):
        return "dense"
    if isinstance(layer, flat):
        return "pointwise" if math.prod(weight.window) == 1 else "conv"
    return type(layer).__name__


def shape_of(name, inputs, sparsity):
    """The granularity that a name of the table stands for, at a sparsity.

    Args:
        name: Str. `"unstructured"`; `"4x1"`: blocks; `"n:32"`: as many of every 32 inputs;
            `"4n:128"`: a multiple of four of every 128; `"n:32 of 4"`: as many of every 32 groups
            of four.
        inputs: Int. The inputs of the kernel.
        sparsity: Float in [0, 1), or `None` where it is not known before pruning.

    Returns:
        A `Granularity`; `None` where windows cannot make that sparsity.
    """
    if name == "unstructured":
        return Unstructured()
    if blocks := re.fullmatch(r"(\d+)x(\d+)", name):
        return Block(*map(int, blocks.groups()))
    step, window, block = re.fullmatch(r"(\d*)n:(\d+)(?: of (\d+))?", name).groups()
    if sparsity is None:
        return None
    step, window, block = int(step or 1), int(window), int(block or 1)
    kept = (1.0 - sparsity) * window
    n = int(kept / step + 1e-6) * step  # down: what is asked is reached
    if not 0 < n < window or n < _LEAST_KEPT * kept:
        return None
    granularity = NM(n, window, block)
    if inputs % block or granularity.made(inputs // block) < sparsity - 1e-6:
        return None
    return granularity


def _check_margin(value):
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0.0 <= value < 1.0:
        raise ValueError(
            "Argument `margin` is how much slower a finer shape may be and must be a number in "
            f"[0, 1). Received: margin={value!r}"
        )
    return float(value)


def _fits(granularity, shape, groups):
    """Whether whole units cover a kernel (outputs, positions, inputs) and not much more.

    Kernels load several neighbouring inputs at once: blocks of them must fill the inputs. The
    outputs of a block share inputs, and so must be of one group.
    """
    rows, columns = {
        Block: lambda g: (g.r, g.c),
        NM: lambda g: (1, g.m * g.block),
        Unstructured: lambda g: (1, 1),
    }[type(granularity)](granularity)
    if isinstance(granularity, Block) and shape[2] % columns:
        return False
    if groups > 1 and shape[0] // groups % rows:
        return False
    padded = math.prod(-(-shape[axis] // size) * size for axis, size in ((0, rows), (2, columns)))
    return padded <= (1.0 + _MOST_PADDING) * shape[0] * shape[2]


def _either(speeds):
    names = [speed.shape for speed in speeds if speed.shape != "unstructured"]
    return " or ".join(names)


def _praise(speed, column):
    return f"measured {speed.speeds[column]:.1f}x dense at {COLUMNS[column]:.0%}"
