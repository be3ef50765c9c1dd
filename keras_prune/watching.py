"""Watching the methods of single objects, where watchers may come and go in any order."""

import dataclasses
import functools
from collections.abc import Callable

_LINK = "_keras_prune_link"


@dataclasses.dataclass(eq=False)
class _Link:
    """One watcher of a method.

    Args:
        inner: Callable. What stood there before.
        owner: Object that watches.
        own: Bool. Whether the object had such an attribute of its own before all watchers.
    """

    inner: Callable
    owner: object
    own: bool


def watch(target, name, watcher, owner):
    """Put a watcher before a method of one object.

    Args:
        target: Object.
        name: Str. The method.
        watcher: Callable(inner, args, kwargs) -> result. `inner` is the method without it.
        owner: Object that watches; `unwatch` knows it again.
    """
    before = getattr(target, name)
    links = _links(target, name)
    own = links[-1].own if links else name in vars(target)
    link = _Link(before, owner, own)

    @functools.wraps(before)
    def watched(*args, **kwargs):
        return watcher(link.inner, args, kwargs)

    setattr(watched, _LINK, link)  # in the place of the one that `wraps` has copied
    vars(target)[name] = watched


def unwatch(target, name, owner):
    """Take an owner's watchers of a method away; those of others stay."""
    functions, function = [], vars(target).get(name)
    while hasattr(function, _LINK):
        functions.append(function)
        function = getattr(function, _LINK).inner
    if not functions:
        return
    own = getattr(functions[-1], _LINK).own
    left = [one for one in functions if getattr(one, _LINK).owner is not owner]
    for outer in reversed(left):
        getattr(outer, _LINK).inner = function
        function = outer
    if left or own:
        vars(target)[name] = function
    else:
        del vars(target)[name]


def _links(target, name):
    found, function = [], vars(target).get(name)
    while hasattr(function, _LINK):
        found.append(getattr(function, _LINK))
        function = found[-1].inner
    return found
