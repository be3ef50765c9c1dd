"""How much of each layer: one sparsity for all, one threshold over all, or by rule or table."""

from keras_prune.allocation.allocation import ALLOCATIONS, Allocation
from keras_prune.allocation.erk import ERK
from keras_prune.allocation.global_threshold import Global
from keras_prune.allocation.per_layer import PerLayer
from keras_prune.allocation.threshold import Threshold
from keras_prune.allocation.uniform import Uniform

__all__ = ["ALLOCATIONS", "ERK", "Allocation", "Global", "PerLayer", "Threshold", "Uniform"]
