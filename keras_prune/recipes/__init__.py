"""Published systems, each put together from the parts."""

from keras_prune.recipes.activation_density import train_with_activation_density
from keras_prune.recipes.density_report import DensityReport, DensityRound
from keras_prune.recipes.iterative import iterative_prune
from keras_prune.recipes.lottery import lottery_ticket
from keras_prune.recipes.round_report import PruningRound, RoundsReport

__all__ = [
    "DensityReport",
    "DensityRound",
    "PruningRound",
    "RoundsReport",
    "iterative_prune",
    "lottery_ticket",
    "train_with_activation_density",
]
