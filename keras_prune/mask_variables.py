"""Variables that an optimizer carries through training and never saves.

Keras has no such thing, so this file reaches into the optimizer's list of variables: the
masks stand in an extended copy of it, which `remove` takes away again.
"""

import contextlib

from keras_prune import backend

_SUFFIX = "keras_prune_mask"


def chain(optimizer):
    """The optimizer and those it wraps (`LossScaleOptimizer`), outermost first."""
    while optimizer is not None:
        yield optimizer
        optimizer = getattr(optimizer, "inner_optimizer", None)


def averages(optimizer):
    """Dict from the id of a weight to its moving average, where the optimizer keeps some."""
    found = {}
    if optimizer is None:
        return found
    host = _host(optimizer)
    for single in getattr(host, "optimizers", [host]):  # `MultiOptimizer` holds several
        if single.built and single.use_ema:
            values = single._model_variables_moving_average
            for variable, average in zip(single._trainable_variables, values, strict=True):
                if average is not None:
                    found[id(variable)] = average
    return found


def add(optimizer, weights):
    """Give an optimizer a mask of ones for each weight, hidden from its checkpoints.

    Args:
        optimizer: Built `keras.optimizers.Optimizer`.
        weights: List of `keras.Variable`.

    Returns:
        List of `keras.Variable`, of the weights' shapes and dtypes.
    """
    host = _host(optimizer)
    if not isinstance(host._variables, _Extended):
        _replace(host, _Extended(host._variables))
    with backend.optimizer_scope(host):
        masks = [host.add_variable_from_reference(v, _SUFFIX, "ones") for v in weights]
    for wrapper in chain(optimizer):
        _hide_masks_in_checkpoints(wrapper, host)
    return masks


def remove(optimizer, masks):
    """Take masks out of an optimizer; without any it is as it was before `add`."""
    host = _host(optimizer)
    ids = {id(mask) for mask in masks}
    host._tracker.stored_ids["variables"] -= ids
    left = [variable for variable in host._variables if id(variable) not in ids]
    if any(map(_is_mask, left)):
        _replace(host, _Extended(left, host._variables.stock))
        return
    stock = host._variables.stock
    same = list(map(id, stock)) == list(map(id, left))
    _replace(host, stock if same else left)
    for wrapper in chain(optimizer):
        vars(wrapper).pop("save_own_variables", None)
        vars(wrapper).pop("load_own_variables", None)


class _Extended(list):
    """The variables of an optimizer and the masks.

    A copy, because TensorFlow refuses to save an object whose list of variables has shrunk.
    """

    def __init__(self, variables, stock=None):
        super().__init__(variables)
        self.stock = variables if stock is None else stock


def _host(optimizer):
    """The innermost optimizer: JAX hands its variables, and no others, to a constraint."""
    return list(chain(optimizer))[-1]


def _replace(host, variables):
    vars(host)["_variables"] = variables
    is_variable, _ = host._tracker.config["variables"]
    host._tracker.config["variables"] = (is_variable, variables)


def _is_mask(variable):
    return variable.name.endswith(_SUFFIX)


def _hide_masks_in_checkpoints(optimizer, host):
    """Make an optimizer write and read its state as if there were no masks."""
    for name in ("save_own_variables", "load_own_variables"):
        original = getattr(type(optimizer), name)

        def stock(store, original=original):
            with _hidden(host):
                return original(optimizer, store)

        vars(optimizer)[name] = stock


@contextlib.contextmanager
def _hidden(host):
    everything = host._variables
    vars(host)["_variables"] = [v for v in everything if not _is_mask(v)]
    try:
        yield
    finally:
        vars(host)["_variables"] = everything
