"""What users hand to `fit()`."""

from keras_prune.callbacks.activation_density import ActivationDensity, UnitCounts
from keras_prune.callbacks.feature_boosting_schedule import FeatureBoostingSchedule
from keras_prune.callbacks.prune_callback import PruneCallback
from keras_prune.callbacks.regularize_callback import RegularizeCallback
from keras_prune.callbacks.skip_policy import SkipPolicy

__all__ = [
    "ActivationDensity",
    "FeatureBoostingSchedule",
    "PruneCallback",
    "RegularizeCallback",
    "SkipPolicy",
    "UnitCounts",
]
