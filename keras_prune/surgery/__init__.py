"""Zero units become smaller stock layers; and other operations on the layers of a model."""

from keras_prune.surgery.batch_norm import recalibrate_batch_norm
from keras_prune.surgery.plan import ShrinkPlan, plan_shrink
from keras_prune.surgery.resizing import replace, resize
from keras_prune.surgery.shrinking import shrink

__all__ = ["ShrinkPlan", "plan_shrink", "recalibrate_batch_norm", "replace", "resize", "shrink"]
