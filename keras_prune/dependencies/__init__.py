"""What hangs together in a model: units that can only be cut together, and who reads them."""

from keras_prune.dependencies.dissection import dissect

__all__ = ["dissect"]
