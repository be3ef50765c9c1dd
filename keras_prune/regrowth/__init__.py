"""How pruned weights may come back."""

from keras_prune.regrowth.dns import DNS
from keras_prune.regrowth.regrowth import REGROWTHS, MaskUpdate, Regrowth
from keras_prune.regrowth.rigl import RigL
from keras_prune.regrowth.soft import SoftPruning
from keras_prune.regrowth.sparse_evolution import SET
from keras_prune.regrowth.straight_through import STE

__all__ = [
    "DNS",
    "REGROWTHS",
    "SET",
    "STE",
    "MaskUpdate",
    "Regrowth",
    "RigL",
    "SoftPruning",
]
