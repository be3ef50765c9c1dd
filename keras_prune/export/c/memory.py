"""Ahead-of-time memory plan: where in one static arena every tensor lies."""

import dataclasses

ALIGNMENT = 16
_VECTOR = 128  # of Hexagon's, which stores whole ones only to such places
_FOREVER = 1 << 30
_ROUNDS = 16


@dataclasses.dataclass
class Buffer:
    """Memory that is needed from step `first` to step `last`, both included."""

    size: int
    first: int
    last: int
    offset: int = -1

    def overlaps_in_time(self, other):
        """True if both are needed at the same step."""
        return self.first <= other.last and other.first <= self.last


def place(buffers):
    """Give every buffer an offset so that none that live together overlap.

    Greedy: one buffer after the other, each into the lowest gap that is free while it lives
    (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020,
    https://arxiv.org/abs/2001.03288). Several orders are tried: from the largest to the smallest,
    from where most is live at once, and each of them with the buffer that ended highest brought to
    the front, again and again. The smallest arena is kept.

    Example:

    ```python
    >>> a, b, c = Buffer(100, 0, 1), Buffer(50, 1, 2), Buffer(100, 2, 3)
    >>> place([a, b, c])
    162
    ```

    Args:
        buffers: List of `Buffer`. Their `offset` is set, in multiples of `ALIGNMENT`.

    Returns:
        The size of the arena in bytes.
    """
    bound = lower_bound(buffers)
    best, offsets = None, []
    for order in _orders(buffers):
        for _ in range(_ROUNDS):
            size = _place_in_order(order)
            if best is None or size < best:
                best, offsets = size, [buffer.offset for buffer in buffers]
            highest = max(order, key=lambda each: each.offset + each.size, default=None)
            if size <= bound or highest is order[0]:
                break
            order = [highest, *(each for each in order if each is not highest)]
    for buffer, offset in zip(buffers, offsets, strict=True):
        buffer.offset = offset
    return best


def lower_bound(buffers):
    """Return the most bytes that live at one step: no arena is smaller."""
    return max((_live_bytes(buffers, each.first) for each in buffers), default=0)


def _live_bytes(buffers, step):
    return sum(each.size for each in buffers if each.first <= step <= each.last)


def _orders(buffers):
    by_size = sorted(buffers, key=lambda each: (-each.size, each.first))
    steps = sorted({each.first for each in buffers}, key=lambda at: -_live_bytes(buffers, at))
    busiest = [each for at in steps for each in by_size if each.first <= at <= each.last]
    return [by_size, list({id(each): each for each in busiest}.values())]


def _place_in_order(buffers):
    placed = []
    for buffer in buffers:
        offset = 0
        neighbours = [other for other in placed if other.overlaps_in_time(buffer)]
        for other in sorted(neighbours, key=lambda each: each.offset):
            if offset + buffer.size <= other.offset:
                break
            offset = max(offset, _aligned(other.offset + other.size))
        buffer.offset = offset
        placed.append(buffer)
    return max((buffer.offset + buffer.size for buffer in placed), default=0)


@dataclasses.dataclass(frozen=True)
class MemoryPlan:
    """Offsets in the arena: `tensors` by tensor index, `scratch` by step position."""

    tensors: dict
    scratch: dict
    arena_bytes: int


def alignment_for(target):
    """Return the alignment in bytes of the arena, and of what lies in it, on a `Target`."""
    return _VECTOR if target.vectors == "hvx" else ALIGNMENT


def plan_memory(graph, steps, alignment=ALIGNMENT):
    """Plan the arena for a list of steps.

    Inputs live from the start to their last use, outputs until the end, states always. A step
    without a kernel (RESHAPE) shares its input's memory; a step that may overwrite an input takes
    its memory if nothing reads it later.

    Args:
        graph: `Graph`.
        steps: List of `Step`.
        alignment: Int. A multiple of `ALIGNMENT`. Defaults to `ALIGNMENT`.

    Returns:
        A `MemoryPlan`.
    """
    last_read = _last_reads(graph, steps)
    buffers, owner = {}, {}
    for tensor in graph.inputs:
        buffers[tensor.index] = Buffer(tensor.bytes, -1, last_read.get(tensor.index, -1))
        owner[tensor.index] = tensor.index
    for tensor in (state for step in steps for state in step.states):
        buffers[tensor.index] = Buffer(tensor.bytes, -1, _FOREVER)
        owner[tensor.index] = tensor.index
    scratch = {}
    for at, step in enumerate(steps):
        output = step.output
        kept = _memory_to_take(step, at, buffers, owner)
        if output.index in owner:
            kept = owner[output.index]
        elif kept is None:
            kept = output.index
            buffers[kept] = Buffer(output.bytes, at, at)
        owner[output.index] = kept
        buffer = buffers[kept]
        buffer.last = max(buffer.last, at, last_read.get(output.index, at))
        if step.scratch_bytes:
            scratch[at] = Buffer(step.scratch_bytes, at, at)
    placed = [*buffers.values(), *scratch.values()]
    if alignment > ALIGNMENT:  # multiples of it end at multiples of it
        for buffer in placed:
            buffer.size = -(-buffer.size // alignment) * alignment
    arena_bytes = place(placed)
    return MemoryPlan(
        {index: buffers[kept].offset for index, kept in owner.items()},
        {at: buffer.offset for at, buffer in scratch.items()},
        arena_bytes,
    )


def _last_reads(graph, steps):
    # The position of the last step that reads a tensor, by tensor index.
    last = {tensor.index: at for at, step in enumerate(steps) for tensor in step.inputs}
    return last | {tensor.index: _FOREVER for tensor in graph.outputs}


def _memory_to_take(step, at, buffers, owner):
    # The buffer of an input that the output may have, or None.
    if not step.kernel:
        return owner[step.inputs[0].index]
    for tensor in step.overwrites:
        kept = owner[tensor.index]
        if buffers[kept].last == at and tensor.bytes == step.output.bytes:
            return kept
    return None


def _aligned(offset):
    return -(-offset // ALIGNMENT) * ALIGNMENT
