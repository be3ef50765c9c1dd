"""What matters: a score for every weight."""

from keras_prune.criteria.criterion import CRITERIA, Criterion
from keras_prune.criteria.data_criterion import DataCriterion, check_positive
from keras_prune.criteria.grasp import GraSP
from keras_prune.criteria.magnitude import Magnitude
from keras_prune.criteria.movement import Movement
from keras_prune.criteria.obd import OBD
from keras_prune.criteria.random import Random
from keras_prune.criteria.sensitivity import Sensitivity
from keras_prune.criteria.snip import SNIP
from keras_prune.criteria.taylor import Taylor

__all__ = [
    "CRITERIA",
    "OBD",
    "SNIP",
    "Criterion",
    "DataCriterion",
    "GraSP",
    "Magnitude",
    "Movement",
    "Random",
    "Sensitivity",
    "Taylor",
    "check_positive",
]
