"""The activations of a layer: what comes out behind the non-linearity that follows it."""

import keras

# What may stand between a kernel and its non-linearity.
_BETWEEN = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
    keras.layers.Dropout,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
    keras.layers.Add,
    keras.layers.Average,
    keras.layers.Multiply,
)
_ACTIVATIONS = (
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ELU,
    keras.layers.Softmax,
)


def activation_call(call, consumers, outputs):
    """Find the call that makes the activations of a layer: the first non-linearity behind it.

    Nothing but normalization, scaling, dropout or a sum may stand in between, and nothing else
    may read what does. Where there is no such non-linearity, the activations are what the next
    layer of another kind reads. Layers that mask activations count as non-linearities, and where
    one follows another, the last makes the activations.

    Args:
        call: `Call` of the layer.
        consumers: Dict, see `CallGraph.consumers`.
        outputs: Set of ids of the tensors that the model returns.

    Returns:
        Tuple (`Call`, is_output, is_nonlinear): its first output holds the activations; whether
        they become an output of the model, and whether they stand behind a non-linearity.
    """
    done = not _is_linear(call.operation)
    while id(tensor := call.outputs[0]) not in outputs:
        following = consumers.get(id(tensor), ())
        if len(following) != 1 or following[0].outputs[0].shape != tensor.shape:
            return call, False, done
        masked = getattr(following[0].operation, "masks_activations", False)
        if done and not masked:
            return call, False, done
        done = done or masked or is_activation(following[0].operation)
        if not done and not _is_between(following[0].operation):
            return call, False, False
        call = following[0]
    return call, True, done


def _is_linear(layer):
    return getattr(layer, "activation", None) in (None, keras.activations.linear)


def is_activation(operation):
    """True for non-linearities, layers or operations."""
    if isinstance(operation, keras.layers.Layer):
        return isinstance(operation, _ACTIVATIONS) and not _is_linear_activation(operation)
    return _in_snake_case(operation) in dir(keras.activations)


def _is_linear_activation(layer):
    return isinstance(layer, keras.layers.Activation) and _is_linear(layer)


def _is_between(operation):
    if isinstance(operation, keras.layers.Layer):
        known = isinstance(operation, _BETWEEN) or getattr(operation, "scales_channels", False)
        return known or _is_linear_activation(operation)
    return _in_snake_case(operation) in ("add", "multiply")


def _in_snake_case(operation):
    name = type(operation).__name__
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
