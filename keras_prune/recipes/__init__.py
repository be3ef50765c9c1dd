"""Published systems, each put together from the parts."""

from keras_prune.recipes.activation_density import train_with_activation_density
from keras_prune.recipes.channels_report import ChannelsReport
from keras_prune.recipes.density_report import DensityReport, DensityRound
from keras_prune.recipes.discrimination_aware import discrimination_aware_prune
from keras_prune.recipes.iterative import iterative_prune
from keras_prune.recipes.joint_pruning import joint_prune
from keras_prune.recipes.joint_report import JointPruningReport, JointStage
from keras_prune.recipes.lottery import lottery_ticket
from keras_prune.recipes.mask_studies import (
    compare_activation_masks,
    density_while_pruning,
    sampling_curve,
)
from keras_prune.recipes.round_report import PruningRound, RoundsReport
from keras_prune.recipes.study_report import StudyReport, StudyRow
from keras_prune.recipes.winner_rates import search_winner_rates
from keras_prune.recipes.winner_report import WinnerRatesReport

__all__ = [
    "ChannelsReport",
    "DensityReport",
    "DensityRound",
    "JointPruningReport",
    "JointStage",
    "PruningRound",
    "RoundsReport",
    "StudyReport",
    "StudyRow",
    "WinnerRatesReport",
    "compare_activation_masks",
    "density_while_pruning",
    "discrimination_aware_prune",
    "iterative_prune",
    "joint_prune",
    "lottery_ticket",
    "sampling_curve",
    "search_winner_rates",
    "train_with_activation_density",
]
