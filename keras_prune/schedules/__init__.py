"""When: which sparsity holds at which step of training."""

from keras_prune.schedules.constant import ConstantSparsity
from keras_prune.schedules.iterative import Iterative
from keras_prune.schedules.one_shot import OneShot
from keras_prune.schedules.polynomial import PolynomialDecay
from keras_prune.schedules.random_decay import RandomDecay
from keras_prune.schedules.schedule import SCHEDULES, Schedule

__all__ = [
    "SCHEDULES",
    "ConstantSparsity",
    "Iterative",
    "OneShot",
    "PolynomialDecay",
    "RandomDecay",
    "Schedule",
]
