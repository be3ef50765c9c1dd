"""Several tensors become one: sums, products, concatenations."""

import functools

import keras
import numpy as np

from keras_prune.dependencies.rules.elementwise import pass_through
from keras_prune.dependencies.rules.rule import rule
from keras_prune.dependencies.units import Signal

_layers = keras.layers


def _meet(call, combine, zero_wins=False):
    """Tensors of one shape, or that broadcast to it, meet value by value.

    Args:
        call: `Call`.
        combine: Callable(array, array) -> array.
        zero_wins: Bool. Whether a zero makes the result zero whatever it meets.

    Returns:
        `Signal`.
    """
    signals, shape = call.signals, call.shapes[0]
    if any(not isinstance(x, Signal) for x in _operands(call)):
        if len(signals) == 1 and all(
            np.ndim(x) == 0 for x in _operands(call) if not isinstance(x, Signal)
        ):
            return pass_through(call, lambda x: call.layer.call(*_with(call, x)))
        return call.closed("meets a tensor that does not come out of a layer")
    first = max(signals, key=lambda signal: len(signal.ids))
    axis = first.axis - len(first.shape)  # from the last one
    for signal in signals:
        if signal.axis - len(signal.shape) != axis or len(signal.ids) != len(first.ids):
            return call.closed("meets tensors with units along different axes")
    for signal in signals:
        call.body.units.join(first.ids, signal.ids)
    constant = functools.reduce(combine, [signal.constant for signal in signals])
    bordered = np.any([signal.bordered for signal in signals], axis=0)
    constant = np.where(bordered, np.nan, constant)
    if zero_wins:
        zero = np.any([signal.constant == 0.0 for signal in signals], axis=0)
        constant = np.where(zero, 0.0, constant)
    return Signal(shape, len(shape) + axis, first.ids, constant, np.zeros(len(constant), bool))


def _operands(call):
    """The tensors and numbers that meet, of a merging layer or of an operation."""
    if isinstance(call.layer, keras.layers.Layer):
        return call.signals
    return [*call.args, *call.kwargs.values()]


def _with(call, tensor):
    return [tensor if isinstance(x, Signal) else x for x in _operands(call)]


@rule(_layers.Add, "Add")
def add(call):
    """Joins the units of its inputs; where one of two is constant, the other takes its place."""
    sums, key = call.body.sums, id(call.layer)
    sums[key] = None if key in sums else call.signals
    return _meet(call, np.add)


@rule(_layers.Subtract, "Subtract")
def subtract(call):
    """Joins the units of its inputs."""
    return _meet(call, np.subtract)


@rule("CustomScaleLayer")
def scaled_sum(call):
    """Joins the units of its inputs: a + scale * b in InceptionResNetV2."""
    return _meet(call, lambda a, b: a + call.layer.scale * b)


@rule(_layers.Average)
def average(call):
    """Joins the units of its inputs."""
    count = len(call.signals)
    return _scaled(_meet(call, np.add), count)


def _scaled(signal, count):
    if isinstance(signal, Signal):
        return signal.replace(constant=signal.constant / count)
    return signal


@rule(_layers.Maximum, "Maximum")
def maximum(call):
    """Joins the units of its inputs."""
    return _meet(call, np.maximum)


@rule(_layers.Minimum, "Minimum")
def minimum(call):
    """Joins the units of its inputs."""
    return _meet(call, np.minimum)


@rule(_layers.Multiply, "Multiply")
def multiply(call):
    """Joins the units of its inputs; one zero is enough."""
    return _meet(call, np.multiply, zero_wins=True)


@rule("Divide", "TrueDivide")
def divide(call):
    """Joins the units of its inputs."""
    return _meet(call, lambda a, b: np.full(len(a), np.nan))


@rule(_layers.Concatenate, "Concatenate")
def concatenate(call):
    """Lines the units of its inputs up, or joins them along another axis."""
    signals, shape = call.signals, call.shapes[0]
    axis = call.layer.axis - 1 if call.layer.axis > 0 else call.layer.axis + len(shape)
    if any(signal.axis != signals[0].axis for signal in signals):
        return call.closed("joins tensors with units along different axes")
    if axis == signals[0].axis:
        ids, constant, bordered = (
            np.concatenate([getattr(signal, name) for signal in signals])
            for name in ("ids", "constant", "bordered")
        )
        return Signal(shape, axis, ids, constant, bordered)
    first, *others = signals
    constant = first.settled()
    for other in others:
        call.body.units.join(first.ids, other.ids)
        constant = np.where(constant == other.settled(), constant, np.nan)
    return Signal(shape, first.axis, first.ids, constant, np.zeros(len(constant), bool))
