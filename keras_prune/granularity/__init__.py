"""The shape that lives or dies: single weights, blocks, n of every m, slices of the kernel.

A granularity sees scores as an array (outputs, positions, inputs), see `weights.py`, and
answers with a boolean array of that shape: True = keep. Slices see the full view instead:
(groups, outputs, *window, inputs).
"""

import re

from keras_prune.granularity.auto import TARGETS, Auto
from keras_prune.granularity.block import Block
from keras_prune.granularity.granularity import GRANULARITIES, Granularity
from keras_prune.granularity.layer_shape import granularity_for
from keras_prune.granularity.nm import NM
from keras_prune.granularity.slices import (
    Channel,
    Column,
    Filter,
    Kernel,
    Layer,
    Row,
    Shape,
    Slices,
    Vector,
)
from keras_prune.granularity.unstructured import Unstructured
from keras_prune.ranking import keep_units

__all__ = [
    "GRANULARITIES",
    "NM",
    "TARGETS",
    "Auto",
    "Block",
    "Channel",
    "Column",
    "Filter",
    "Granularity",
    "Kernel",
    "Layer",
    "Row",
    "Shape",
    "Slices",
    "Unstructured",
    "Vector",
    "get",
    "granularity_for",
    "keep_units",
]


def get(identifier, target=None, quantize=None):
    """Turn `"unstructured"`, `"1x4"`, `"2:4"`, `"auto"` or an object into a `Granularity`.

    Args:
        identifier: Str or object.
        target: Str or `None`. The device of `"auto"`; nothing else takes one.
        quantize: `None` or `"int8"`. The type of the file of `"auto"`.

    Returns:
        A `Granularity`.
    """
    if isinstance(identifier, str) and identifier == "auto":
        return Auto(target, quantize)
    if target is not None or quantize is not None:
        raise ValueError(
            'Arguments `target` and `quantize` say what granularity="auto" chooses for; other '
            f"granularities take neither. Received: granularity={identifier!r}, target={target!r}, "
            f"quantize={quantize!r}"
        )
    if isinstance(identifier, str):
        if shape := re.fullmatch(r"(\d+)x(\d+)", identifier):
            return Block(*map(int, shape.groups()))
        if pattern := re.fullmatch(r"(\d+):(\d+)", identifier):
            return NM(*map(int, pattern.groups()))
    return GRANULARITIES.get(identifier)
