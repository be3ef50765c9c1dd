"""Keras layers with behaviour of their own at run time."""

from keras_prune.layers.channel_scale import ChannelScale

__all__ = ["ChannelScale"]
