"""Variables that a model carries through its compiled steps and never saves.

JAX hands a step the variables of the model and of the optimizer and takes all others for
constants; what a forward pass changes must be the model's. Keras carries the state of random
number generators with the model, and it is no weight: neither `get_weights` nor any saved file
has it. Ours stand among these states, in an extended copy of the list that `remove` takes away.
"""

import keras

_LIST = "_seed_generators"
SUFFIX = "keras_prune_carried"


class _Carrier:
    """Holds one variable where a model keeps its random number generators."""

    def __init__(self, state):
        self.state = state


class _Extended(list):
    """The random number generators of a model and ours.

    A copy, because TensorFlow refuses to save an object whose list has shrunk.
    """

    def __init__(self, entries, stock):
        super().__init__(entries)
        self.stock = stock


def add(model, shape, dtype, scope):
    """Let a model carry a variable, zero at first.

    Args:
        model: Built `keras.Model`.
        shape: Tuple of ints.
        dtype: Str.
        scope: Context manager in which variables of the model are made. Where replicas share a
            step, each adds to a copy of its own, and reading gives the sum.

    Returns:
        `keras.Variable`.
    """
    with scope:
        variable = keras.Variable(
            "zeros",
            shape=shape,
            dtype=dtype,
            trainable=False,
            aggregation="sum",
            synchronization="on_read",
            name=SUFFIX,
        )
    entries = vars(model)[_LIST]
    stock = getattr(entries, "stock", entries)
    vars(model)[_LIST] = _Extended([*entries, _Carrier(variable)], stock)
    return variable


def remove(model, variable):
    """Take a variable away; without any the model is as it was before `add`."""
    entries = vars(model)[_LIST]
    left = [entry for entry in entries if entry.state is not variable]
    ours = any(isinstance(entry, _Carrier) for entry in left)
    vars(model)[_LIST] = _Extended(left, entries.stock) if ours else entries.stock


def is_carried(variable):
    """True for variables that came from `add`."""
    return variable.name == SUFFIX
