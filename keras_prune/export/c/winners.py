"""WinnerTakeAll as a call of its int8 kernel."""

from keras_prune.export.c.graph import check_activation
from keras_prune.export.c.steps import SCRATCH, Step
from keras_prune.export.winner_pattern import KIND, Winners

SCRATCH_BYTES = 1024


def winner_take_all(node, target):
    """Lower a fused WinnerTakeAll, or the custom operator."""
    source, output, found = node.inputs[0], node.outputs[0], node.options
    check_activation(node, source)
    if not isinstance(found, Winners) or output.type != "INT8" or found.size != source.size:
        raise node.refuse("its options do not fit its input")
    if output.size != source.size or (output.scale, output.zero_point) != (
        source.scale,
        source.zero_point,
    ):
        raise node.refuse("its output must have the shape, scale and zero point of its input")
    step = Step(node.index, KIND, [source], output, "spk_winner_take_all_s8__c")
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
