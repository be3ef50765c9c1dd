"""What matters: a score for every weight."""

from keras_prune.criteria.apoz import APoZ
from keras_prune.criteria.criterion import CRITERIA, Criterion
from keras_prune.criteria.data_criterion import DataCriterion, check_positive
from keras_prune.criteria.fpgm import FPGM
from keras_prune.criteria.grasp import GraSP
from keras_prune.criteria.greedy_magnitude import GreedyMagnitude
from keras_prune.criteria.magnitude import Magnitude
from keras_prune.criteria.movement import Movement
from keras_prune.criteria.obd import OBD
from keras_prune.criteria.random import Random
from keras_prune.criteria.sensitivity import Sensitivity
from keras_prune.criteria.slimming import BatchNormScale
from keras_prune.criteria.snip import SNIP
from keras_prune.criteria.taylor import Taylor

__all__ = [
    "CRITERIA",
    "FPGM",
    "OBD",
    "SNIP",
    "APoZ",
    "BatchNormScale",
    "Criterion",
    "DataCriterion",
    "GraSP",
    "GreedyMagnitude",
    "Magnitude",
    "Movement",
    "Random",
    "Sensitivity",
    "Taylor",
    "check_positive",
]
