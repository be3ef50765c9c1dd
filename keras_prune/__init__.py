"""Neural networks that are small and fast where they run.

Train with `PruneCallback`, export a sparse .tflite file with `export_tflite`, run
it faster with the delegate of `load_delegate`, or as plain C with `export_c`.
"""

import importlib

__version__ = "0.1.0"

# Where the public names live. They are imported when first used: the command line looks
# into a .tflite file without waiting for Keras. `__init__.pyi` says the same to type checkers.
_HOMES = {
    "allocation": ("ERK", "Allocation", "Global", "PerLayer", "Threshold", "Uniform"),
    "analysis.activation_histograms": ("ActivationHistogram", "activation_histograms"),
    "analysis.collapse": ("layer_collapse",),
    "analysis.connectivity": ("EffectiveSparsityReport", "effective_sparsity"),
    "analysis.measured_density": ("ActivationReport", "activation_density"),
    "analysis.tangent_kernel": ("ntk",),
    "analysis.tangent_report": ("TangentKernelReport",),
    "callbacks.activation_density": ("ActivationDensity", "UnitCounts"),
    "callbacks.feature_boosting_schedule": ("FeatureBoostingSchedule",),
    "callbacks.prune_callback": ("PruneCallback",),
    "callbacks.regularize_callback": ("RegularizeCallback",),
    "callbacks.skip_policy": ("SkipPolicy",),
    "criteria": (
        "OBD",
        "SNIP",
        "APoZ",
        "BatchNormScale",
        "Criterion",
        "FPGM",
        "GraSP",
        "GreedyMagnitude",
        "Magnitude",
        "Movement",
        "Random",
        "Sensitivity",
        "Taylor",
    ),
    "export.c": ("CProjectReport", "export_c"),
    "export.explain": ("Explanation", "explain"),
    "export.export_report": ("ExportReport",),
    "export.sparsify": ("sparsify_tflite",),
    "export.strip": ("strip",),
    "export.tflite": ("export_tflite",),
    "granularity": (
        "NM",
        "Auto",
        "Block",
        "Channel",
        "Column",
        "Filter",
        "Granularity",
        "Kernel",
        "Layer",
        "Row",
        "Shape",
        "Unstructured",
        "Vector",
        "granularity_for",
    ),
    "layers": (
        "ActivationThreshold",
        "ChannelScale",
        "ClusteredConv2D",
        "FeatureBoosting",
        "ParameterFreeShortcut",
        "SkipController",
        "SkipGate",
        "SqueezeExcite",
        "WinnerTakeAll",
    ),
    "model_cost": ("CostReport", "cost"),
    "model_sparsity": ("SparsityReport", "sparsity"),
    "one_shot": ("prune",),
    "pruner": ("Pruner",),
    "pruning_report": ("PruningReport",),
    "recipes": (
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
    ),
    "reconstruction": (
        "choose_removal",
        "obs_prune",
        "obs_remove",
        "obs_saliency",
        "prune_channels",
        "prune_layerwise",
        "prune_woodfisher",
    ),
    "regrowth": ("DNS", "SET", "STE", "Regrowth", "RigL", "SoftPruning"),
    "regularizers": (
        "ADMM",
        "GroupLasso",
        "Penalty",
        "PlateauPruning",
        "ProximalGroupLasso",
        "ProximalL1",
        "ProximalL2",
        "SensitivityDriven",
        "SlimmingPenalty",
        "ToleranceReport",
        "prune_to_tolerance",
    ),
    "runtime.benchmark": ("BenchmarkReport", "benchmark"),
    "runtime.c_project": ("run_c_project",),
    "runtime.delegate": ("load_delegate",),
    "schedules": (
        "ConstantSparsity",
        "Iterative",
        "OneShot",
        "PolynomialDecay",
        "RandomDecay",
        "Schedule",
    ),
    "surgery": (
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
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

_MODULES = ("criteria", "layers")

__all__ = [*_MODULES, *sorted(_HOME_OF)]


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"keras_prune.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted([*globals(), *__all__])
