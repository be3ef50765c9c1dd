"""What each kind of layer does to units."""

from keras_prune.dependencies.rules import (  # noqa: F401  (they register themselves)
    attention,
    convolutions,
    dense,
    elementwise,
    merging,
    normalization,
    pooling,
    recurrent,
    shapes,
)
from keras_prune.dependencies.rules.rule import RULES, Call, rule_of

__all__ = ["RULES", "Call", "rule_of"]
