"""A model without any trace of pruning but its zeros."""

import keras

from keras_prune import backend
from keras_prune.dependencies import graph_to_follow
from keras_prune.layers import ChannelScale, ClusteredConv2D
from keras_prune.masks import MaskConstraint
from keras_prune.surgery.compiled_copy import uncompiled
from keras_prune.surgery.resizing import replace_layers

_OWN = (ChannelScale, ClusteredConv2D)


def strip(model):
    """Copy a model into stock layers without masks, with the same outputs and exact zeros.

    Layers of this package become what does the same: `kp.ClusteredConv2D` a `Conv2D`,
    `kp.ChannelScale` a `Rescaling` whose factors no longer train. `kp.ParameterFreeShortcut`, which
    nothing stock does, stays.

    A trained model needs no stripping before it is saved or exported: `kp.PruneCallback`
    leaves nothing behind. `strip` makes the copy that is free even while training goes on,
    for instance in a callback that exports after every epoch. The copy is not compiled.

    Example:

    ```python
    stripped = kp.strip(model)
    stripped.save("model.keras")
    ```

    Args:
        model: Built `keras.Model`. It stays as it is.

    Returns:
        A `keras.Model`. A subclassed model that cannot be copied (it lacks a `get_config`) is
        returned itself when nothing is attached to it.

    Raises:
        ValueError: If the model cannot be copied and masks are attached to it.
    """
    if not isinstance(model, keras.Model):
        raise ValueError(f"Expected a `keras.Model`. Received: model={model}")
    backend.sync_state(model)
    try:
        with uncompiled(model):
            copy = keras.models.clone_model(model)
        if not copy.built:
            copy.build_from_config(model.get_build_config())
        copy.set_weights(model.get_weights())
    except (NotImplementedError, TypeError, ValueError) as error:
        if not any(isinstance(v.constraint, MaskConstraint) for v in model.trainable_variables):
            return model
        raise ValueError(
            "A model that cannot be copied from its `get_config` cannot be stripped while a "
            f"pruner is attached. Received: model={model.name} of class {type(model).__name__}"
        ) from error
    own = [layer for layer in copy._flatten_layers() if isinstance(layer, _OWN)]
    if not own:
        return copy
    return replace_layers(graph_to_follow(copy), {layer: layer.stock() for layer in own})
