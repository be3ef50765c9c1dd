"""CONV_2D between gates: only live channels are computed, where that is faster."""

import dataclasses

from keras_prune.export.c import arithmetic, convolutions
from keras_prune.export.c.steps import SCRATCH, Step
from keras_prune.export.c.weighted import (
    PORTABLE,
    Candidate,
    bias_of,
    ends_of,
    pack_stream,
    requantization,
    take_best,
    weights_of,
)
from keras_prune.export.c.windows import convolution_window

_SOURCES = (f"{PORTABLE}/gated_s8.c", "kernels/reference/mul_s8.c")
# Instructions to gather and scatter, counted on a Cortex-M4: an input value, a weight of a dense
# row, a pair of a stream that is kept, one that is looked at, a channel, an output.
_INPUT, _WEIGHT, _PAIR, _SKIPPED, _CHANNEL, _OUTPUT = 5, 5, 10, 8, 40, 32


def gated_conv2d(node, target):
    """Lower CONV_2D behind or before a gate, with its MUL: in one step, or all channels in two."""
    gated = node.options
    steps = [convolutions.conv2d(gated.convolution, target)]
    if gated.multiplication is not None:
        steps += arithmetic.mul(gated.multiplication, target)
    step = _live_only(node, gated, target)
    whole = sum(each.instructions for each in steps)
    return [step] if step.instructions < whole else steps


def _live_only(node, gated, target):
    convolution = gated.convolution
    source, maps = ends_of(convolution)
    output = node.outputs[0]
    weights = weights_of(convolution, rank=4, channel_axis=0)
    channels, kernel_h, kernel_w, depth = weights.shape
    fields, pixels = convolution_window(convolution, source, weights, maps)
    matrix = weights.data.reshape(channels, -1)
    most_in = gated.inputs.most if gated.inputs else depth
    most_out = gated.outputs.most if gated.outputs else channels
    sizes = Sizes(source.shape[1] * source.shape[2], pixels, most_in, most_out, depth, channels)
    gates = [each.tensor if each else None for each in (gated.inputs, gated.outputs)]
    inputs = [source, *(gate for gate in gates if gate is not None)]
    macs = pixels * kernel_h * kernel_w * most_in * most_out
    step = Step(node.index, node.kind, inputs, output, macs=macs)
    choices = _candidates(weights.data, target, sizes, dict(fields))
    best, stored = take_best(step, matrix, list(choices))
    small, weight_bytes = choices[best]
    step.structs.append(("spk_window2d", "window", fields))
    bias = bias_of(step, convolution, matrix)
    requantization(step, convolution, source, weights, maps, channels, matrix)
    if gated.multiplication is not None:
        (product,) = arithmetic.mul(gated.multiplication, target)
        step.structs += product.structs
    step.arguments = []
    step.struct(
        "spk_gated",
        "gated",
        [
            ("window", "&window"),
            ("requant", "&requant"),
            ("mul", "&mul" if gated.multiplication is not None else "NULL"),
            ("in_zero", gates[0].zero_point if gates[0] else 0),
            ("most_in", most_in),
            ("most_out", most_out),
            ("weight_bytes", weight_bytes),
            ("kernel_scratch", small.scratch_bytes),
        ],
    )
    ends = [gate if gate is not None else "NULL" for gate in gates]
    step.arguments += [small.kernel, source, ends[0], stored, bias, ends[1], output, SCRATCH]
    return step


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Pixels and channels, of which at most `most_in` and `most_out` are live."""

    in_pixels: int
    pixels: int
    most_in: int
    most_out: int
    depth: int
    channels: int

    def scratch_bytes(self, weights, kernel):
        """What `spk_conv2d_s8_gated__c_scratch` gives."""
        parts = [4 * self.most_out] * 3 + [2 * self.most_in, 2 * self.most_out, 2 * self.depth]
        parts += [self.most_out, self.in_pixels * self.most_in if self.most_in < self.depth else 0]
        parts += [self.pixels * self.most_out if self.most_out < self.channels else 0]
        return sum(-(-part // 4) * 4 for part in (*parts, weights, kernel))

    def gathering(self):
        """Instructions besides those for the weights."""
        inputs = _INPUT * self.in_pixels * self.most_in if self.most_in < self.depth else 0
        outputs = _OUTPUT * self.pixels * self.most_out if self.most_out < self.channels else 0
        return inputs + outputs + _CHANNEL * (self.most_out + self.most_in)


def _candidates(weights, target, sizes, window):
    # From a candidate to that for the smaller convolution, and the bytes of its weights.
    whole = weights.reshape(len(weights), -1)
    window |= {"in_c": sizes.most_in, "out_c": sizes.most_out}
    part = weights[: sizes.most_out, :, :, : sizes.most_in].reshape(sizes.most_out, -1)
    found = {}
    for small in convolutions.candidates(part, target, window, sizes.pixels):
        if small.encoding == "dense":
            values, weight_bytes = whole.reshape(-1), part.size
            gathering = _WEIGHT * part.size
        elif small.encoding == "stream":
            values = pack_stream(whole)
            weight_bytes = _largest_rows(values, sizes.most_out)
            gathering = _PAIR * small.values.size / 2 + _SKIPPED * values.size / 2
        else:
            continue
        name = f"conv2d_s8_gated_{small.encoding}"
        candidate = Candidate(
            f"gated_{small.encoding}",
            f"spk_{name}__c",
            (*small.sources, f"{PORTABLE}/{name}.c", *_SOURCES),
            values,
            small.instructions + sizes.gathering() + gathering,
            sizes.scratch_bytes(weight_bytes, small.scratch_bytes),
        )
        found[candidate] = small, weight_bytes
    return found


def _largest_rows(stream, count):
    # Bytes of so many rows of a stream, two for each pair and two for their number.
    rows, at = [], 0
    while at < stream.size:
        rows.append(2 + 2 * (int(stream[at]) | int(stream[at + 1]) << 8))
        at += rows[-1]
    return sum(sorted(rows)[-count:])
