"""MEAN, SUM, REDUCE_MAX and REDUCE_MIN over any axes."""

import numpy as np

from keras_prune.export.c.movement import copy_step, places, temporary
from keras_prune.export.c.quantization import mean_multiplier
from keras_prune.export.c.reductions import (
    MAX_SUM,
    REFERENCE,
    one_to_one,
    same_scale,
    sums_fours,
)
from keras_prune.export.c.steps import Step


def reduction_of(node, types=("INT8",)):
    """Return input, output, (outer, reduced, inner), and the steps that make the input lie so."""
    axes = node.inputs[1] if len(node.inputs) == 2 else None
    if axes is None or axes.data is None or axes.type != "INT32":
        raise node.refuse("its axes must be a constant of INT32 values")
    source, output = one_to_one(node, 2, types, types)
    axes = _axes(node, source, axes.data.reshape(-1).tolist())
    kept = [axis for axis in range(len(source.shape)) if axis not in axes]
    if output.size != _product(source, kept):
        raise node.refuse(f"input {source.shape} does not reduce to output {output.shape}")
    # An axis of size 1 lies anywhere; so the others between decide.
    between = [axis for axis in kept if axes and axes[0] < axis < axes[-1]]
    if not any(source.shape[axis] > 1 for axis in between):
        before = [axis for axis in kept if axes and axis < axes[0]]
        return source, output, _sizes(source, before, axes), []
    moved = places(source).transpose(*kept, *axes)
    gathered = temporary(node, source, moved.shape)
    steps = [copy_step(node, source, gathered, moved, places(gathered))]
    return gathered, output, _sizes(source, kept, axes), steps


def mean(node, target):
    """Lower MEAN."""
    source, output, sizes, steps = reduction_of(node)
    outer, reduced, inner = sizes
    if reduced > MAX_SUM:
        raise node.refuse(f"a mean of {reduced} values overflows its sum")
    try:
        multiplier, shift = mean_multiplier(source.scale, output.scale, reduced)
    except ValueError as error:
        raise node.refuse(str(error)) from None
    fields = [
        ("outer", outer), ("reduced", reduced), ("inner", inner),
        ("input_zero_point", source.zero_point), ("output_zero_point", output.zero_point),
        ("multiplier", multiplier), ("shift", shift),
    ]  # fmt: skip
    fours = sums_fours(target, source.size)
    isa = "armv7em" if fours else "ref"
    step = Step(node.index, node.kind, [source], output, f"spk_mean_s8__{isa}", part=len(steps))
    step.sources = (f"{REFERENCE}/mean_s8.c",)
    if fours:
        step.sources += ("kernels/armv7em/mean_s8.c",)
    step.struct("spk_mean", "mean", fields)
    step.arguments += [source, output]
    step.instructions = (2 if fours else 8) * source.size + 40 * output.size
    return [*steps, step]


def total(node, target):
    """Lower SUM; in float32 as LiteRT's default kernel, whose reference is for uint8 only."""
    source, output, (outer, reduced, inner), steps = reduction_of(node)
    if reduced > 1 << 16:
        raise node.refuse(f"a sum of {reduced} values has more digits than a float32")
    with np.errstate(over="ignore"):
        scale = source.scale / output.scale
        offset = np.float32(output.zero_point) - np.float32(source.zero_point * reduced) * scale
    if not (np.isfinite(scale) and np.isfinite(offset)):
        raise node.refuse("the scales of its input and output are too far apart")
    fields = [
        ("outer", outer), ("reduced", reduced), ("inner", inner),
        # Hexadecimal keeps every bit of the float32.
        ("scale", f"{float(scale).hex()}f"), ("offset", f"{float(offset).hex()}f"),
    ]  # fmt: skip
    step = Step(node.index, node.kind, [source], output, "spk_sum_s8__c", part=len(steps))
    step.sources = ("kernels/portable/sum_s8.c",)
    step.struct("spk_sum", "sum", fields)
    step.arguments += [source, output]
    step.instructions = 8 * source.size + 40 * output.size
    return [*steps, step]


def extreme(node, target):
    """Lower REDUCE_MAX and REDUCE_MIN."""
    source, output, sizes, steps = reduction_of(node)
    same_scale(node, source, output)
    name = f"{node.kind.lower()}_s8"
    step = Step(node.index, node.kind, [source], output, f"spk_{name}__c", part=len(steps))
    step.sources = (f"kernels/portable/{name}.c",)
    step.arguments += [*map(str, sizes), source, output]
    step.instructions = 8 * source.size + 20 * output.size
    return [*steps, step]


def _sizes(source, before, axes):
    outer, reduced = _product(source, before), _product(source, axes)
    return outer, reduced, source.size // (outer * reduced)


def _axes(node, source, axes):
    # The reduced axes in order; those of size 1 do not count.
    rank = len(source.shape)
    if any(not -rank <= axis < rank for axis in axes):
        raise node.refuse(f"axes {axes} do not fit shape {source.shape}")
    return sorted({axis % rank for axis in axes if source.shape[axis] > 1})


def _product(tensor, axes):
    return int(np.prod([tensor.shape[axis] for axis in axes], dtype=np.int64))
