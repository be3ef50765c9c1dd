"""Chains of callables on a variable: what we add comes off again, whoever came in between."""

from keras_prune.masks import MaskConstraint


def insert(variable, attribute, link, below=()):
    """Put a link into the chain that a variable holds.

    Args:
        variable: `keras.Variable`.
        attribute: Str. `"constraint"` or `"regularizer"`.
        link: Callable with an attribute `inner`, which gets what stood below: another link, the
            user's own callable or `None`.
        below: Tuple of classes. Links of these, and masks, stay above it.
    """
    above, inner = None, getattr(variable, attribute)
    while isinstance(inner, (MaskConstraint, *below)):
        above, inner = inner, inner.inner
    link.inner = inner
    if above is None:
        setattr(variable, attribute, link)
    else:
        above.inner = link


def remove(variable, attribute, link):
    """Take a link out of the chain, wherever in it; nothing happens if it is not there."""
    if getattr(variable, attribute) is link:
        setattr(variable, attribute, link.inner)
        return
    above = getattr(variable, attribute)
    while above is not None:
        inner = getattr(above, "inner", None)
        if inner is link:
            above.inner = link.inner
            return
        above = inner
