"""The statistics of `BatchNormalization`, estimated anew on data."""

import contextlib

import keras

from keras_prune import backend
from keras_prune.reconstruction.batches import batches_of


def recalibrate_batch_norm(model, data, batch_size=128):
    """Estimate the moving mean and variance of every `BatchNormalization` anew, in place.

    After a cut, and after any pruning at once, the statistics are those of another network. A
    pass over a few hundred batches, with each batch's own statistics as in training, brings back
    much of the accuracy before any weight is trained. All batches count the same.

    Example:

    ```python
    small = kp.shrink(model)
    kp.recalibrate_batch_norm(small, x_train[:10_000])
    ```

    Args:
        model: Built `keras.Model`.
        data: Inputs like those of the training: an array, a tuple (x, y) (y is ignored), or an
            iterable of such batches.
        batch_size: Int. Samples in a batch, where `data` are arrays. Defaults to `128`.

    Returns:
        The number of layers that were calibrated.

    Raises:
        ValueError: If there is no data, or data of another kind. The model is as it was then.
    """
    batches = batches_of(data, batch_size)
    backend.sync_state(model)
    layers = [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization) and layer.built
    ]
    with contextlib.ExitStack() as stack:
        for layer in layers:
            stack.enter_context(_training(layer))
        for number, (x, _) in enumerate(batches):
            for layer in layers:
                layer.momentum = number / (number + 1)  # the first batch replaces what was there
            model(x, training=False)
    return len(layers)


@contextlib.contextmanager
def _training(layer):
    """Context in which a normalization works as in training, whatever the model does."""
    call, momentum, trainable = layer.call, layer.momentum, layer.trainable
    vars(layer)["call"] = lambda x, training=None, mask=None: call(x, training=True, mask=mask)
    layer.trainable = True  # a frozen one would use its statistics
    try:
        yield
    finally:
        del vars(layer)["call"]
        layer.momentum, layer.trainable = momentum, trainable
