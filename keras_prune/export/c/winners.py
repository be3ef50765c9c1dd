"""WinnerTakeAll as a call of its int8 kernel."""

from keras_prune.export.c.reductions import one_to_one, same_scale
from keras_prune.export.c.steps import SCRATCH, Step
from keras_prune.export.winner_pattern import KIND, Winners

SCRATCH_BYTES = 1024


def winner_take_all(node, target):
    """Lower a fused WinnerTakeAll, or the custom operator."""
    source, output = one_to_one(node)
    same_scale(node, source, output)
    found = node.options
    if not isinstance(found, Winners) or {found.size, output.size} != {source.size}:
        raise node.refuse("its options do not fit its input and output")
    step = Step(node.index, KIND, [source], output, "spk_winner_take_all_s8__c")
    step.overwrites = (source,)
    step.sources = ("kernels/portable/winner_take_all_s8.c",)
    fields = [("outer", found.outer), ("groups", found.groups), ("run", found.run)]
    fields += [("count", found.count), ("zero_point", source.zero_point)]
    candidates = found.outer * found.run
    if found.levels is not None:
        fields.append(("levels", step.constant("levels", "uint8_t", found.levels)))
    if found.places is not None:
        candidates = len(found.places)
        fields.append(("places", step.constant("places", "int32_t", found.places)))
        fields.append(("candidates", candidates))
    step.struct("spk_winners", "winners", fields)
    step.arguments += [source, output, SCRATCH]
    step.scratch_bytes = SCRATCH_BYTES
    step.instructions = 7 * output.size + found.groups * (900 + 6 * candidates)
    return step
