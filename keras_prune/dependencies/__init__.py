"""What hangs together in a model: units that can only be cut together, and who reads them."""

from keras_prune.dependencies.dissection import dissect, graph_to_follow

__all__ = ["dissect", "graph_to_follow"]
