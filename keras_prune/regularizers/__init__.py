"""Ways to sparsity that work on the weights while they train: penalties and operators."""

import keras

from keras_prune.regularizers.admm import ADMM
from keras_prune.regularizers.group_lasso import GroupLasso
from keras_prune.regularizers.loss_penalty import LossPenalty
from keras_prune.regularizers.penalty import PENALTIES, Penalty
from keras_prune.regularizers.plateau_pruning import PlateauPruning
from keras_prune.regularizers.proximal import ProximalGroupLasso, ProximalL1, ProximalL2
from keras_prune.regularizers.sensitivity_driven import SensitivityDriven
from keras_prune.regularizers.slimming import SlimmingPenalty
from keras_prune.regularizers.tolerance import ToleranceReport, prune_to_tolerance

__all__ = [
    "ADMM",
    "PENALTIES",
    "GroupLasso",
    "LossPenalty",
    "Penalty",
    "PlateauPruning",
    "ProximalGroupLasso",
    "ProximalL1",
    "ProximalL2",
    "SensitivityDriven",
    "SlimmingPenalty",
    "ToleranceReport",
    "get",
    "prune_to_tolerance",
]


def get(identifier):
    """Turn a penalty, a Keras regularizer or its name into a `Penalty`."""
    if isinstance(identifier, (str, keras.regularizers.Regularizer)):
        return LossPenalty(identifier)
    return PENALTIES.get(identifier)
