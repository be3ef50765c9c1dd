"""Keras layers with behaviour of their own at run time."""

from keras_prune.layers.activation_threshold import ActivationThreshold
from keras_prune.layers.channel_scale import ChannelScale
from keras_prune.layers.clustered_conv import ClusteredConv2D
from keras_prune.layers.feature_boosting import FeatureBoosting
from keras_prune.layers.parameter_free_shortcut import ParameterFreeShortcut
from keras_prune.layers.skip_gate import SkipController, SkipGate
from keras_prune.layers.squeeze_excite import SqueezeExcite
from keras_prune.layers.winner_take_all import WinnerTakeAll

__all__ = [
    "ActivationThreshold",
    "ChannelScale",
    "ClusteredConv2D",
    "FeatureBoosting",
    "ParameterFreeShortcut",
    "SkipController",
    "SkipGate",
    "SqueezeExcite",
    "WinnerTakeAll",
]
