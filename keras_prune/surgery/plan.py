"""What can be cut from a model: found out before anything is touched."""

import dataclasses
import math

import keras
import numpy as np

from keras_prune.dependencies import dissect
from keras_prune.dependencies.anatomy import Anatomy
from keras_prune.surgery.reasons import reasons_to_stay
from keras_prune.surgery.selection import Selection, select
from keras_prune.tables import render_table

# Channels that the kernels of a device take at once.
_MULTIPLES = {"aarch64": 8, "x86": 8, "cortex-m": 4}


@dataclasses.dataclass(eq=False)
class ShrinkPlan:
    """What `kp.shrink` would cut. `print` shows a table.

    Args:
        model: `keras.Model`.
        widths: Dict from names of layers to pairs (units now, units after the cut).
        kept: Dict from names of layers to dicts from sentences to numbers of units: why units
            whose weights are all zero stay.
        inputs: List with one int array an input of the model: the features that stay.
        body: What hangs together in the model.
        selection: Which of it goes.
    """

    model: keras.Model
    widths: dict
    kept: dict
    inputs: list
    body: Anatomy = dataclasses.field(repr=False)
    selection: Selection = dataclasses.field(repr=False)

    def __str__(self):
        rows = [(name, before, after) for name, (before, after) in self.widths.items()]
        table = render_table(f"Units of {self.model.name}", ["layer", ">now", ">then"], rows)
        remarks = [
            f"{name}: {count} zero {'units stay' if count > 1 else 'unit stays'}: {text}."
            for name, texts in self.kept.items()
            for text, count in texts.items()
        ]
        return "\n".join([table, *remarks])


def plan_shrink(model, round_to=1, min_width=1, exact=True, cut_inputs=False, target=None):
    """Find out which units of a model can be cut, and why others cannot.

    Example:

    ```python
    kp.prune(model, 0.5, granularity="filter")
    print(kp.plan_shrink(model))
    ```

    Args:
        model: Built `keras.Model`. It stays as it is.
        round_to: See `kp.shrink`. Defaults to `1`.
        min_width: See `kp.shrink`. Defaults to `1`.
        exact: See `kp.shrink`. Defaults to `True`.
        cut_inputs: See `kp.shrink`. Defaults to `False`.
        target: See `kp.shrink`. Defaults to `None`.

    Returns:
        A `kp.ShrinkPlan`.

    Raises:
        ValueError: If an argument is wrong or the model cannot be followed.
    """
    _check(model, round_to, min_width)
    round_to = math.lcm(round_to, _multiple(target))
    body = dissect(model, exact, cut_inputs)
    chosen = select(body, round_to, min_width)
    stays = ~chosen.removed
    widths = {
        name: (len(part.made), int(stays[part.made].sum()))
        for name, part in body.parts_by_name().items()
    }
    kept = reasons_to_stay(body, chosen)
    inputs = [np.flatnonzero(stays[signal.ids]) for signal in body.inputs]
    return ShrinkPlan(model, widths, kept, inputs, body, chosen)


def _multiple(target):
    """Int. The multiple that widths should be of on a device."""
    for prefix, multiple in _MULTIPLES.items():
        if target is None or str(target).startswith(prefix):
            return 1 if target is None else multiple
    raise ValueError(
        f"Unknown target. Expected a name that begins with one of {sorted(_MULTIPLES)}. "
        f"Received: target={target!r}"
    )


def _check(model, round_to, min_width):
    if not isinstance(model, keras.Model):
        raise ValueError(f"Expected a `keras.Model`. Received: model={model}")
    if not model.built:
        raise ValueError(
            "The model has no weights yet. Build it first: call it on a batch, or "
            f"`model.build(input_shape)`. Received: model={model.name}"
        )
    for name, value in (("round_to", round_to), ("min_width", min_width)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(
                f"Argument `{name}` must be an integer of at least 1. Received: {name}={value!r}"
            )
