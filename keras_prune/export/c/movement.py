"""Operators that only move elements, as copies from one grid of places to another.

Where elements lie is asked from numpy: an operator is done on an array of the input's shape, and
the strides of the view that comes out tell where its elements are.
"""

import dataclasses

import numpy as np

from keras_prune.export.c.graph import ELEMENT_BYTES, check_activation
from keras_prune.export.c.reductions import same_scale
from keras_prune.export.c.steps import Step
from keras_prune.export.moves import MOVES

COPY = "kernels/portable/copy.c"
MAX_AXES = 5


def places(tensor):
    """Return an array in the place of a tensor: its views know where elements lie."""
    return np.empty(tensor.shape, f"V{ELEMENT_BYTES[tensor.type]}")


def temporary(node, like, shape, number=0):
    """Return a tensor between the steps of one operator; `number` tells several apart."""
    index = -1 - (2 * node.index + number)
    return dataclasses.replace(like, index=index, shape=shape, data=None)


def copy_step(node, source, output, moved, place, part=0):
    """Return the step that copies elements of one tensor into another.

    Args:
        node: `Node` that is lowered.
        source: `Tensor` that is read; may be a constant.
        output: `Tensor` that is written.
        moved: View of `places(source)`: the elements to copy.
        place: View of `places(output)` of as many elements: where they go.
        part: Int. The number of the step among those of the node.

    Returns:
        A `Step`, without a kernel where the output is all of the input as it lies.
    """
    item = moved.itemsize
    axes = _merged(list(zip(moved.shape, moved.strides, place.strides, strict=True)))
    run = item
    if axes and axes[-1][1:] == (item, item):
        run *= axes.pop()[0]
    if len(axes) > MAX_AXES:
        raise node.refuse(f"a copy over more than {MAX_AXES} axes is not supported")
    step = Step(node.index, node.kind, [], output, part=part)
    step.inputs = [source] if source.data is None else []
    if run == source.bytes == output.bytes and step.inputs:
        return step
    counts, steps_from, steps_to = zip(*([(1, 0, 0)] * (MAX_AXES - len(axes)) + axes), strict=True)
    step.kernel, step.sources = "spk_copy__c", (COPY,)
    fields = [
        ("run", run), ("count", list(counts)), ("from", list(steps_from)), ("to", list(steps_to)),
        ("from_first", _offset(moved)), ("to_first", _offset(place)),
    ]  # fmt: skip
    step.struct("spk_copy", "copy", fields)
    step.arguments += [step.operand("values", source), output]
    runs = moved.size * item // run
    step.instructions = (7 if run in (1, 4) else 30 + run) * runs
    return step


def move(node, target):
    """Lower TRANSPOSE, STRIDED_SLICE and SLICE."""
    source, output = _ends(node)
    if any(each is None or each.data is None for each in node.inputs[1:]):
        raise node.refuse("all its inputs but the first must be constants")
    try:
        moved = MOVES[node.kind](places(source), node)
    except (ValueError, IndexError, TypeError, AttributeError):
        raise node.refuse("its constants do not fit its input") from None
    if _wide(moved.shape) != _wide(output.shape):
        raise node.refuse(f"its output must have shape {moved.shape}, not {output.shape}")
    moved = moved.reshape(output.shape)
    return copy_step(node, source, output, moved, places(output))


def concatenation(node, target):
    """Lower CONCATENATION: one copy an input."""
    if getattr(node.options, "fusedActivationFunction", 0):
        raise node.refuse("a fused activation is not supported")
    return _gathered(node, _neighbours, getattr(node.options, "axis", 0))


def pack(node, target):
    """Lower PACK: one copy an input."""
    return _gathered(node, _slices, getattr(node.options, "axis", 0))


def split(node, target):
    """Lower SPLIT: one copy an output, all of one shape."""
    if len({tensor.shape for tensor in node.outputs}) != 1:
        raise node.refuse("its outputs must have one shape")
    return _scattered(node, node.input(1), _neighbours, _constant(node, 0, 1)[0])


def split_v(node, target):
    """Lower SPLIT_V: one copy an output."""
    axis, sizes = _constant(node, 2, 1)[0], _constant(node, 1, len(node.outputs))
    for size, tensor in zip(sizes, node.outputs, strict=True):
        rank = len(tensor.shape)
        if -rank <= axis < rank and size not in (-1, tensor.shape[axis]):
            raise node.refuse(f"its sizes {sizes} are not those of its outputs")
    return _scattered(node, node.input(0), _neighbours, axis)


def unpack(node, target):
    """Lower UNPACK: one copy an output."""
    return _scattered(node, node.input(0), _slices, getattr(node.options, "axis", 0))


def _gathered(node, parts_of, axis):
    # Many inputs, one output.
    if not node.inputs or len(node.outputs) != 1:
        raise node.refuse("it needs inputs and one output")
    output = node.outputs[0]
    _check(node, [*node.inputs, output])
    if all(tensor.data is not None for tensor in node.inputs):
        raise node.refuse("only constant inputs are not supported")
    parts = parts_of(node, places(output), axis, node.inputs)
    return [
        copy_step(node, tensor, output, places(tensor), part, at)
        for at, (tensor, part) in enumerate(zip(node.inputs, parts, strict=True))
    ]


def _scattered(node, source, parts_of, axis):
    # One input, many outputs.
    _check(node, [source, *node.outputs])
    if source.data is not None:
        raise node.refuse("a constant input is not supported")
    parts = parts_of(node, places(source), axis, node.outputs)
    return [
        copy_step(node, source, tensor, part, places(tensor), at)
        for at, (tensor, part) in enumerate(zip(node.outputs, parts, strict=True))
    ]


def _check(node, tensors):
    for tensor in tensors:
        check_activation(node, tensor, (node.outputs[0].type,))
        if tensor.type == "INT8":
            same_scale(node, tensor, tensors[0])


def _neighbours(node, whole, axis, tensors):
    # Views of a whole that lie one behind the other along an axis, as large as the tensors.
    _check_axis(node, axis, whole)
    sizes = [tensor.shape[axis] if len(tensor.shape) == whole.ndim else 0 for tensor in tensors]
    parts = np.split(whole, np.cumsum(sizes)[:-1], axis)
    return _fitting(node, parts, tensors)


def _slices(node, whole, axis, tensors):
    # Views of a whole, one an index of the axis.
    _check_axis(node, axis, whole)
    return _fitting(node, list(np.moveaxis(whole, axis, 0)), tensors)


def _fitting(node, parts, tensors):
    shapes, expected = ([each.shape for each in group] for group in (tensors, parts))
    if shapes != expected:
        raise node.refuse(f"its parts need shapes {expected}, not {shapes}")
    return parts


def _check_axis(node, axis, whole):
    if not -whole.ndim <= axis < whole.ndim:
        raise node.refuse(f"axis {axis} does not fit shape {whole.shape}")


def _constant(node, position, count):
    tensor = node.input(position)
    if tensor is None or tensor.data is None or tensor.type != "INT32" or tensor.size != count:
        raise node.refuse(f"its input {position} must be a constant of {count} INT32 values")
    return tensor.data.reshape(-1).tolist()


def _ends(node):
    if not node.inputs or len(node.outputs) != 1:
        raise node.refuse("it needs an input and one output")
    source, output = node.inputs[0], node.outputs[0]
    _check(node, [source, output])
    if source.data is not None:
        raise node.refuse("a constant input is not supported")
    return source, output


def _wide(shape):
    return [size for size in shape if size != 1]


def _offset(view):
    whole = view
    while isinstance(whole.base, np.ndarray):
        whole = whole.base
    first, start = (each.__array_interface__["data"][0] for each in (view, whole))
    return first - start


def _merged(axes):
    # (size, step from, step to) of every axis; neighbours that one step serves become one.
    found = []
    for size, steps_from, steps_to in axes:
        if size == 1:
            continue
        if found and found[-1][1:] == (size * steps_from, size * steps_to):
            found[-1] = (found[-1][0] * size, steps_from, steps_to)
        else:
            found.append((size, steps_from, steps_to))
    return found
