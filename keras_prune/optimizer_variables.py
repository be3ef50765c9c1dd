"""Variables that an optimizer carries through training and never saves.

Masks, and whatever else must change inside the compiled training step: JAX takes every
variable that is not the optimizer's or the model's for a constant. Keras has no variables
that are not saved, so this file reaches into the optimizer's list of variables: ours stand
in an extended copy of it, which `remove` takes away again.
"""

import keras

from keras_prune import backend, checkpoints

_SUFFIX = "keras_prune"
_NO_SLOTS = (
    "_trainable_variables",
    "_variables",
    "_model_variables_moving_average",
    "_accumulated_gradients",
)


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
    checkpoints.intercept(list(chain(optimizer)), inner, _is_ours)
    return added


def expect_state(optimizer):
    """Catch the state of ours that is loaded into an optimizer before its owner is there."""
    checkpoints.intercept(list(chain(optimizer)), host(optimizer), _is_ours)


def keep_state(optimizer, owner):
    """Save an owner's state in the checkpoints of an optimizer, and restore it from them.

    Args:
        optimizer: `keras.optimizers.Optimizer`.
        owner: Object with `state()` -> dict of arrays, and `restore(dict)`.
    """
    expect_state(optimizer)
    checkpoints.keep(host(optimizer), owner)


def forget_state(optimizer, owner):
    """Undo `keep_state`."""
    inner = host(optimizer)
    checkpoints.forget(inner, owner)
    if not any(map(_is_ours, inner._variables)):
        checkpoints.release(list(chain(optimizer)), inner)


def slots(optimizer, variable):
    """What an optimizer remembers of one weight: its momenta and their like.

    Args:
        optimizer: Built `keras.optimizers.Optimizer`.
        variable: `keras.Variable` that it trains.

    Returns:
        List of `keras.Variable` of the weight's shape. Moving averages of the weight and sums
        of gradients that wait for their step are not among them.
    """
    inner = host(optimizer)
    found = []
    for single in getattr(inner, "optimizers", [inner]):
        names = {
            key: place
            for place, key in enumerate(map(id, getattr(single, "_trainable_variables", ())))
        }
        place = names.get(id(variable))
        if place is None:
            continue
        for name, values in vars(single).items():
            parallel = isinstance(values, list) and len(values) == len(names)
            if parallel and name not in _NO_SLOTS and _is_like(values[place], variable):
                found.append(values[place])
    return found


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
    checkpoints.release(list(chain(optimizer)), inner)


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


def _is_like(value, variable):
    return isinstance(value, keras.Variable) and value.shape == variable.shape
