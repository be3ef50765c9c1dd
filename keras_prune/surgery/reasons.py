"""Why units stay all of whose weights are zero."""

import numpy as np

from keras_prune.dependencies.anatomy import name_of
from keras_prune.weights import is_kernel


def reasons_to_stay(body, chosen):
    """Sentences about zero units that stay.

    Args:
        body: `Anatomy`.
        chosen: `Selection`.

    Returns:
        Dict from layers' names to dicts from sentences to numbers of units.
    """
    found = {}
    for part in body.parts.values():
        if part.made is None:
            continue
        for unit in part.made[dead_units(body, part) & ~chosen.removed[part.made]]:
            text = _reason(body, chosen, int(unit))
            texts = found.setdefault(part.layer.name, {})
            texts[text] = texts.get(text, 0) + 1
    return found


def dead_units(body, part):
    """Which units of a layer have no weight but zeros.

    Args:
        body: `Anatomy`.
        part: `Part` with units of its own.

    Returns:
        Bool array (units,). False for all where no kernel makes the units.
    """
    alive, found = np.zeros(len(part.made), bool), False
    for variable, axes in part.axes.values():
        own = [axis for axis, ids in axes.items() if np.isin(ids, part.made).all()]
        if is_kernel(variable) and own:
            axis, found = max(own), True  # a recurrent kernel reads its units along the first
            values = np.moveaxis(body.numpy(variable), axis, 0)
            nonzero = (values != 0.0).reshape(len(values), -1).any(axis=1)
            alive |= np.isin(part.made, axes[axis][nonzero])
    return ~alive & found


def _reason(body, chosen, unit):
    root = body.units.find(unit)
    if root in body.units.protected:
        return body.units.protected[root]
    if unit in body.remarks:
        return body.remarks[unit]
    if chosen.hindered[unit] >= 0:
        reader = body.readers[chosen.hindered[unit]]
        if chosen.padded[unit]:
            return f"{name_of(reader.layer)} pads, and what it reads there is not zero"
        return f"{name_of(reader.layer)} reads something there that varies"
    return "the width is rounded up"
