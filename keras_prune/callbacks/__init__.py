"""What users hand to `fit()`."""

from keras_prune.callbacks.prune_callback import PruneCallback

__all__ = ["PruneCallback"]
