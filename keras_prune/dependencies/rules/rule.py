"""What a rule is, and how it is found."""

import dataclasses

import keras
import numpy as np
from keras import tree

from keras_prune.dependencies.anatomy import Anatomy, name_of
from keras_prune.dependencies.units import Signal

# From classes of layers, and names of what Keras has no public class for, to rules.
RULES = {}


@dataclasses.dataclass(eq=False)
class Call:
    """One call of a layer or operation, seen by a rule.

    Args:
        body: `Anatomy`, which the rule adds to.
        layer: `keras.layers.Layer` or other `keras.Operation`.
        args: Tuple, with `Signal`s for tensors.
        kwargs: Dict likewise.
        shapes: List of tuples without the batch axis: the shapes of the outputs.
    """

    body: Anatomy
    layer: keras.Operation
    args: tuple
    kwargs: dict
    shapes: list

    @property
    def signals(self):
        """List of the `Signal`s among the arguments."""
        return [x for x in tree.flatten((self.args, self.kwargs)) if isinstance(x, Signal)]

    @property
    def signal(self):
        """The first `Signal`."""
        return self.signals[0]

    @property
    def name(self):
        """Str. The layer's name for sentences."""
        return name_of(self.layer)

    def is_channels_axis(self):
        """Whether the units of the signal are the channels of a convolution or pooling."""
        first = getattr(self.layer, "data_format", None) == "channels_first"
        return self.signal.axis == (0 if first else len(self.signal.shape) - 1)

    def made(self, ids, constant, bordered=None):
        """The output signal of a layer whose units lie along the axis of its input's."""
        first = getattr(self.layer, "data_format", None) == "channels_first"
        axis = 0 if first else len(self.shapes[0]) - 1
        bordered = np.zeros(len(ids), bool) if bordered is None else bordered
        return Signal(self.shapes[0], axis, ids, np.asarray(constant, float), bordered)

    def closed(self, reason):
        """Outputs whose units stay, as do those of the inputs.

        Args:
            reason: Str. Goes on after the layer's name.
        """
        sentence = f"{self.name} {reason}"
        self.body.stay(self.signals, sentence)
        outputs = []
        for shape in self.shapes:
            axis = max(0, len(shape) - 1)
            ids = self.body.units.new((shape[axis] or 1) if shape else 1)
            self.body.units.protect(ids, sentence)
            outputs.append(Signal.varying(shape, axis, ids))
        return outputs


def rule(*kinds):
    """Function decorator: registers Callable(call) -> `Signal`s for some kinds of layers.

    Args:
        *kinds: Classes of layers, or names of classes: of `keras.ops`, or of layers that belong to
            one of `keras.applications`.
    """

    def decorate(function):
        RULES.update((kind, function) for kind in kinds)
        return function

    return decorate


def table():
    """Pairs (names of layers and operations, what happens to units), in the order of the rules."""
    names = {}
    for kind, function in RULES.items():
        name = f"`{kind}`" if isinstance(kind, str) else f"`{kind.__name__}`"
        names.setdefault(function, []).append(name)
    texts = {}
    for function, found in names.items():
        text = function.__doc__.splitlines()[0].rstrip(".")
        texts.setdefault(text, []).extend(found)
    return [(", ".join(found), text) for text, found in texts.items()]


def rule_of(operation):
    """The rule of a layer or operation; `None` for those that nobody knows.

    A subclass may do anything, so that only the very classes count.
    """
    kind = type(operation)
    if kind in RULES:
        return RULES[kind]
    if kind.__module__.startswith(("keras.src.ops.", "keras.src.applications.")):
        return RULES.get(kind.__name__)
    return None


def evaluate(function, values):
    """An elementwise function of constants.

    Args:
        function: Callable(tensor) -> tensor.
        values: Float array. NaN stays NaN.

    Returns:
        Float array of the same shape.
    """
    known = keras.ops.convert_to_tensor(np.nan_to_num(values), "float32")
    found = keras.ops.convert_to_numpy(keras.ops.cast(function(known), "float32"))
    return np.where(np.isnan(values), np.nan, found)


def is_elementwise(function):
    """Whether a function of tensors works on each value alone, found out by trying."""
    values = np.linspace(-3.0, 3.0, 7, dtype="float32")[None]
    try:
        whole, part = evaluate(function, values), evaluate(function, values[:, :4])
    except Exception:  # whatever it is, it is not elementwise
        return False
    return whole.shape == values.shape and np.allclose(whole[:, :4], part, equal_nan=True)


def activated(call, ids, constant, function=None):
    """Constants behind a layer's own activation.

    Args:
        call: `Call`.
        ids: Int array. The units.
        constant: Float array (len(ids),).
        function: Callable. Defaults to the layer's `activation`.

    Returns:
        Float array (len(ids),).
    """
    function = function or call.layer.activation
    if function is keras.activations.linear:
        return constant
    if not is_elementwise(function):
        name = getattr(function, "__name__", function)
        call.body.units.protect(ids, f"the activation `{name}` of {call.name} mixes all units")
        return np.full(len(ids), np.nan)
    return evaluate(function, constant)
