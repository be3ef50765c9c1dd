"""Variables that an optimizer carries through training and never saves.

Masks, and whatever else must change inside the compiled training step: JAX takes every
variable that is not the optimizer's or the model's for a constant. Keras has no variables
that are not saved, so this file reaches into the optimizer's list of variables: ours stand
in an extended copy of it, which `remove` takes away again.
"""

import contextlib

from keras_prune import backend

_SUFFIX = "keras_prune"


def chain(optimizer):
    """The optimizer and those it wraps (`LossScaleOptimizer`), outermost first."""
    while optimizer is not None:
        yield optimizer
        optimizer = getattr(optimizer, "inner_optimizer", None)


def host(optimizer):
    """The innermost optimizer: JAX hands its variables, and no others, to a constraint."""
    return list(chain(optimizer))[-1]


def averages(optimizer):
    """Dict from the id of a weight to its moving average, where the optimizer keeps some."""
    found = {}
    if optimizer is None:
        return found
    inner = host(optimizer)
    for single in getattr(inner, "optimizers", [inner]):  # `MultiOptimizer` holds several
        if single.built and single.use_ema:
            values = single._model_variables_moving_average
            for variable, average in zip(single._trainable_variables, values, strict=True):
                if average is not None:
                    found[id(variable)] = average
    return found


def add(optimizer, weights, initializer="ones"):
    """Give an optimizer a variable for each weight, hidden from its checkpoints.

    Args:
        optimizer: Built `keras.optimizers.Optimizer`.
        weights: List of `keras.Variable`.
        initializer: Str. `"ones"` or `"zeros"`. Defaults to `"ones"`.

    Returns:
        List of `keras.Variable`, of the weights' shapes and dtypes.
    """
    inner = host(optimizer)
    if not isinstance(inner._variables, _Extended):
        _replace(inner, _Extended(inner._variables))
    with backend.optimizer_scope(inner):
        added = [inner.add_variable_from_reference(v, _SUFFIX, initializer) for v in weights]
    for wrapper in chain(optimizer):
        _hide_in_checkpoints(wrapper, inner)
    return added


def remove(optimizer, variables):
    """Take variables out of an optimizer; without any it is as it was before `add`."""
    inner = host(optimizer)
    ids = {id(variable) for variable in variables}
    inner._tracker.stored_ids["variables"] -= ids
    left = [variable for variable in inner._variables if id(variable) not in ids]
    if any(map(_is_ours, left)):
        _replace(inner, _Extended(left, inner._variables.stock))
        return
    stock = inner._variables.stock
    same = list(map(id, stock)) == list(map(id, left))
    _replace(inner, stock if same else left)
    for wrapper in chain(optimizer):
        vars(wrapper).pop("save_own_variables", None)
        vars(wrapper).pop("load_own_variables", None)


class _Extended(list):
    """The variables of an optimizer and ours.

    A copy, because TensorFlow refuses to save an object whose list of variables has shrunk.
    """

    def __init__(self, variables, stock=None):
        super().__init__(variables)
        self.stock = variables if stock is None else stock


def _replace(inner, variables):
    vars(inner)["_variables"] = variables
    is_variable, _ = inner._tracker.config["variables"]
    inner._tracker.config["variables"] = (is_variable, variables)


def _is_ours(variable):
    return variable.name.endswith(_SUFFIX)


def _hide_in_checkpoints(optimizer, inner):
    """Make an optimizer write and read its state as if it had no variables of ours."""
    for name in ("save_own_variables", "load_own_variables"):
        original = getattr(type(optimizer), name)

        def stock(store, original=original):
            with _hidden(inner):
                return original(optimizer, store)

        vars(optimizer)[name] = stock


@contextlib.contextmanager
def _hidden(inner):
    everything = inner._variables
    vars(inner)["_variables"] = [v for v in everything if not _is_ours(v)]
    try:
        yield
    finally:
        vars(inner)["_variables"] = everything
