"""Which layers a model calls, and with what shapes."""

import contextlib

import keras
import numpy as np
from keras import tree


def example_input(model, input_shape=None, open_size=None):
    """Zeros for one example, in the structure of the model's inputs.

    Args:
        model: Built `keras.Model`.
        input_shape: Tuple of ints without the batch axis, or a list or dict of them.
            Defaults to the model's own input shape.
        open_size: Int or `None`. What to take for sizes that the shape leaves open. Defaults to
            `None`: they are refused.

    Returns:
        An array (1, ...), or the model's structure of them.

    Raises:
        ValueError: If the shape is unknown or leaves a size open.
    """
    shapes, dtypes = own_inputs(model)
    if input_shape is not None:
        shapes = _without_batch(input_shape)
        if dtypes is None or len(tree.flatten(dtypes)) == 1:
            dtypes = tree.map_shape_structure(lambda _: (tree.flatten(dtypes) + [None])[0], shapes)
    elif shapes is None:
        raise ValueError(
            "The model does not tell the shape of its inputs: pass `input_shape`. "
            f"Received: model={model.name}, input_shape=None"
        )

    def zeros(shape):
        shape = tuple(open_size if size is None else size for size in shape)
        if any(size is None for size in shape):
            raise ValueError(
                "The model leaves a size of its input open: pass `input_shape` without the batch "
                f"axis. Received: input_shape={shape}"
            )
        return np.zeros((1, *shape), "float32")

    arrays = tree.map_shape_structure(zeros, shapes)
    flat = [
        keras.ops.cast(array, dtype or "float32")
        for array, dtype in zip(tree.flatten(arrays), tree.flatten(dtypes), strict=True)
    ]
    return tree.pack_sequence_as(arrays, flat)


def record_calls(model, layers, inputs):
    """Run a model once and note the shapes of some layers' calls.

    Args:
        model: Built `keras.Model`.
        layers: Iterable of `keras.layers.Layer`, each part of the model.
        inputs: What to call the model with.

    Returns:
        Dict from `id(layer)` to a list with one pair (input shape, output shape) a call.
    """
    calls = {id(layer): [] for layer in layers}
    with contextlib.ExitStack() as stack:
        for layer in layers:
            for name in ("call", "quantized_call"):
                stack.enter_context(observed(layer, name, _shapes_into(calls[id(layer)])))
        model(inputs, training=False)
    return calls


def _shapes_into(calls):
    return lambda inputs, outputs: calls.append((tuple(inputs.shape), tuple(outputs.shape)))


@contextlib.contextmanager
def observed(layer, name, observe):
    """Context in which every call of a layer is shown to `observe`.

    Args:
        layer: `keras.layers.Layer`.
        name: Str. The method to watch, `"call"` as a rule.
        observe: Callable(first input tensor, first output tensor).
    """
    original = getattr(layer, name)

    def call(*args, **kwargs):
        outputs = original(*args, **kwargs)
        observe(tree.flatten((args, kwargs))[0], tree.flatten(outputs)[0])
        return outputs

    previous = vars(layer).get(name)
    vars(layer)[name] = call
    try:
        yield
    finally:
        if previous is None:
            del vars(layer)[name]
        else:
            vars(layer)[name] = previous


def own_inputs(model):
    """The shapes and dtypes of a model's inputs, as far as it knows them."""
    if isinstance(model, keras.Sequential) and model.built:
        specs = model.inputs[0]
    elif hasattr(model, "operations"):
        specs = model.input
    else:
        shapes = (model.get_build_config() or {}).get("input_shape")
        if shapes is None:
            return None, None
        return tree.map_shape_structure(lambda shape: tuple(shape)[1:], shapes), None
    shapes = tree.map_structure(lambda spec: tuple(spec.shape[1:]), specs)
    return shapes, tree.map_structure(lambda spec: spec.dtype, specs)


def _without_batch(shapes):
    """Drop the batch axis where a shape begins with it, as in (None, 28, 28, 1)."""

    def drop(shape):
        shape = tuple(shape)
        return shape[1:] if shape and shape[0] is None else shape

    return tree.map_shape_structure(drop, shapes)
