"""Which layers make the outputs of a model."""

import keras

from keras_prune.weights import is_kernel


def output_layers(model):
    """Find the layers whose kernels make the outputs: the logits, before any activation.

    The search goes back from the outputs, through layers without kernels and into nested
    models, to the first layers with kernels.

    Args:
        model: Built `keras.Model`.

    Returns:
        Set of ids of layers, sublayers too. Empty for subclassed models, which have no graph.
    """
    return kernel_layers_behind(_outputs(model))


def kernel_layers_behind(tensors):
    """Find the layers whose kernels make some tensors of a Functional model.

    Args:
        tensors: Iterable of `KerasTensor`.

    Returns:
        Set of ids of layers, sublayers too: from each tensor back to the first with kernels.
    """
    found, seen = set(), set()
    waiting = list(tensors)
    while waiting:
        tensor = waiting.pop()
        operation, node, _ = tensor._keras_history
        if id(tensor) in seen or operation is None:
            continue
        seen.add(id(tensor))
        inner = _outputs(operation)
        if inner:
            waiting += inner
        elif any(map(is_kernel, getattr(operation, "variables", ()))):
            found |= {id(layer) for layer in operation._flatten_layers()}
        else:
            waiting += operation._inbound_nodes[node].input_tensors
    return found


def _outputs(operation):
    if not isinstance(operation, keras.Model):
        return ()
    return getattr(operation, "outputs", None) or ()
