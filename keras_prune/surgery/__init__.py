"""Zero units become smaller stock layers; and other operations on the layers of a model."""

from keras_prune.surgery.activation_masks import attach_activation_masks
from keras_prune.surgery.batch_norm import recalibrate_batch_norm
from keras_prune.surgery.depthwise import approximate_by_depthwise
from keras_prune.surgery.filter_groups import approximate_by_groups
from keras_prune.surgery.kernel_clusters import cluster_kernels, expand_clusters
from keras_prune.surgery.plan import ShrinkPlan, plan_shrink
from keras_prune.surgery.replacement_report import ReplacementReport
from keras_prune.surgery.resizing import replace, resize
from keras_prune.surgery.shrinking import shrink
from keras_prune.surgery.static_thresholds import static_thresholds

__all__ = [
    "ReplacementReport",
    "ShrinkPlan",
    "approximate_by_depthwise",
    "approximate_by_groups",
    "attach_activation_masks",
    "cluster_kernels",
    "expand_clusters",
    "plan_shrink",
    "recalibrate_batch_norm",
    "replace",
    "resize",
    "shrink",
    "static_thresholds",
]
