"""Select and repair in one move: what survives makes up for what goes."""

from keras_prune.reconstruction.channelwise import prune_channels
from keras_prune.reconstruction.layerwise import prune_layerwise
from keras_prune.reconstruction.obs import obs_prune, obs_remove, obs_saliency
from keras_prune.reconstruction.removal import choose_removal
from keras_prune.reconstruction.woodfisher import prune_woodfisher

__all__ = [
    "choose_removal",
    "obs_prune",
    "obs_remove",
    "obs_saliency",
    "prune_channels",
    "prune_layerwise",
    "prune_woodfisher",
]
