"""Layers with behaviour of their own."""

from keras_prune.layers.parameter_free_shortcut import ParameterFreeShortcut

__all__ = ["ParameterFreeShortcut"]
