"""What matters: a score for every weight."""

from keras_prune.criteria.criterion import CRITERIA, Criterion
from keras_prune.criteria.magnitude import Magnitude
from keras_prune.criteria.random import Random

__all__ = ["CRITERIA", "Criterion", "Magnitude", "Random"]
