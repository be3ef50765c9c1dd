"""State of ours in the checkpoints of an optimizer, where stock Keras does not look for it.

Variables that `optimizer_variables` adds are hidden from the optimizer's own part of a
checkpoint, so that every checkpoint stays a stock one. What cannot be found again in the
zeros of the weights stands beside it, in a group of the same HDF5 file.
"""

import contextlib

import numpy as np

_GROUP = "keras_prune"
_OWNERS = "_keras_prune_owners"
_LOADED = "_keras_prune_loaded"


def intercept(optimizers, inner, is_ours):
    """Make optimizers write and read their state as if they had no variables of ours.

    Args:
        optimizers: List of optimizers, outermost first: one and those it wraps.
        inner: The optimizer that holds the variables.
        is_ours: Callable(variable) -> bool.
    """
    for optimizer in optimizers:
        outermost = optimizer is optimizers[0]
        for name, also in (("save_own_variables", _save), ("load_own_variables", _load)):
            original = getattr(type(optimizer), name)

            def stock(store, original=original, optimizer=optimizer, also=also, ours=outermost):
                with _hidden(inner, is_ours):
                    original(optimizer, store)
                if ours and hasattr(store, "h5_file"):
                    also(inner, store.h5_file)

            vars(optimizer)[name] = stock


def release(optimizers, inner):
    """Undo `intercept`, unless somebody's state is still kept."""
    if vars(inner).get(_OWNERS):
        return
    for optimizer in optimizers:
        vars(optimizer).pop("save_own_variables", None)
        vars(optimizer).pop("load_own_variables", None)
    vars(inner).pop(_LOADED, None)


def keep(inner, owner):
    """Save an owner's state with an optimizer's, and hand it what was read before it came.

    Args:
        inner: The optimizer that `intercept` got.
        owner: Object with `state()` -> dict of arrays, and `restore(dict)`.
    """
    owners = vars(inner).setdefault(_OWNERS, [])
    owners.append(owner)
    loaded = vars(inner).get(_LOADED, [])
    if len(loaded) >= len(owners):
        owner.restore(loaded[len(owners) - 1])


def forget(inner, owner):
    """Save an owner's state no longer."""
    owners = vars(inner).get(_OWNERS, [])
    if owner in owners:
        owners.remove(owner)


def _save(inner, file):
    for index, owner in enumerate(vars(inner).get(_OWNERS, ())):
        group = file.require_group(f"{_GROUP}/{index}")
        for key, array in owner.state().items():
            group[key] = array


def _load(inner, file):
    stored = file.get(_GROUP, {})
    loaded = [_arrays(stored[str(index)]) for index in range(len(stored))]
    vars(inner)[_LOADED] = loaded
    for owner, state in zip(vars(inner).get(_OWNERS, ()), loaded, strict=False):
        owner.restore(state)


def _arrays(group):
    found = {}

    def visit(name, item):
        if hasattr(item, "shape"):
            found[name] = np.array(item)

    group.visititems(visit)
    return found


@contextlib.contextmanager
def _hidden(inner, is_ours):
    everything = inner._variables
    vars(inner)["_variables"] = [v for v in everything if not is_ours(v)]
    try:
        yield
    finally:
        vars(inner)["_variables"] = everything
