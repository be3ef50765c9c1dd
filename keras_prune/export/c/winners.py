"""WinnerTakeAll as a call of its int8 kernel."""

import numpy as np

from keras_prune.export.c.reductions import one_to_one, same_scale
from keras_prune.export.c.steps import SCRATCH, Step
from keras_prune.export.winner_options import KIND, Winners

SCRATCH_BYTES = 1024


def winner_take_all(node, target):
    """Lower a fused WinnerTakeAll, or the custom operator."""
    types = ("INT8", "FLOAT32")
    source, output = one_to_one(node, 1, types, types)
    if source.type != output.type:
        raise node.refuse(f"its input is {source.type}, its output {output.type}")
    if source.type == "INT8":
        same_scale(node, source, output)
    found = node.options
    if not isinstance(found, Winners) or {found.size, output.size} != {source.size}:
        raise node.refuse("its options do not fit its input and output")
    name = "winner_take_all_s8" if source.type == "INT8" else "winner_take_all_f32"
    step = Step(node.index, KIND, [source], output, f"spk_{name}__c", overwrites=(source,))
    step.sources = (f"kernels/portable/{name}.c",)
    outer, run = found.outer, found.run
    if found.groups == 1:  # one run is the least work
        outer, run = 1, outer * run
    fields = [("outer", outer), ("groups", found.groups), ("run", run)]
    fields.append(("count", found.count))
    if source.type == "INT8":
        fields.append(("zero_point", source.zero_point))
    candidates = found.outer * found.run
    if found.levels is not None:
        fields.append(("levels", step.constant("levels", "uint8_t", found.levels)))
        fields.append(("is_rising", int(_is_rising(found.levels))))
    if found.places is not None:
        candidates = len(found.places)
        fields.append(("places", step.constant("places", "int32_t", found.places)))
        fields.append(("candidates", candidates))
    step.struct("spk_winners", "winners", fields)
    step.arguments += [source, output, SCRATCH]
    if source.type == "INT8":
        step.scratch_bytes = SCRATCH_BYTES
        by_value = found.levels is None or _is_rising(found.levels)
        each, counted = (2, 5) if by_value else (7, 6)
        step.instructions = each * output.size + found.groups * (900 + counted * candidates)
    else:
        step.scratch_bytes = 4 * candidates
        step.instructions = 9 * output.size + found.groups * 31 * 5 * candidates
    return step


def _is_rising(levels):
    return bool(np.all(levels[1:] >= levels[:-1]))
