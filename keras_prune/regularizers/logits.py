"""The outputs of a model before the softmax that it ends with."""

import contextlib

import keras


@contextlib.contextmanager
def before_softmax(model):
    """Context in which a model gives the inputs of its last softmax, the logits.

    Args:
        model: `keras.Model`. The softmax is found where the model has a graph and one output:
            as the activation of its last layer or as a layer of its own.

    Yields:
        Bool. Whether there is one.
    """
    layer = _last_layer(model)
    name, identity = _softmax_of(layer)
    if name is None:
        yield False
        return
    own = vars(layer).get(name)
    vars(layer)[name] = identity
    try:
        yield True
    finally:
        if own is None:
            del vars(layer)[name]
        else:
            vars(layer)[name] = own


def _last_layer(model):
    outputs = getattr(model, "outputs", None) or ()
    if len(outputs) != 1:
        return None
    layer = outputs[0]._keras_history.operation
    return _last_layer(layer) if isinstance(layer, keras.Model) else layer


def _softmax_of(layer):
    """The attribute that makes a layer a softmax, and what takes its place."""
    if isinstance(layer, keras.layers.Softmax):
        return "call", lambda inputs, mask=None: inputs
    if getattr(layer, "activation", None) is keras.activations.softmax:
        return "activation", keras.activations.linear
    return None, None
