"""The shape that lives or dies: single weights, blocks, n of every m, slices of the kernel.

A granularity sees scores as an array (outputs, positions, inputs), see `weights.py`, and
answers with a boolean array of that shape: True = keep. Slices see the full view instead:
(groups, outputs, *window, inputs).
"""

import re

from keras_prune.granularity.block import Block
from keras_prune.granularity.granularity import GRANULARITIES, Granularity
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
    "keep_units",
]


def get(identifier):
    """Turn `"unstructured"`, `"1x4"`, `"2:4"` or an object into a `Granularity`."""
    if isinstance(identifier, str):
        if shape := re.fullmatch(r"(\d+)x(\d+)", identifier):
            return Block(*map(int, shape.groups()))
        if pattern := re.fullmatch(r"(\d+):(\d+)", identifier):
            return NM(*map(int, pattern.groups()))
    return GRANULARITIES.get(identifier)
