"""Other widths, with fresh weights."""

import keras
import numpy as np

from keras_prune.dependencies import dissect, graph_to_follow
from keras_prune.layer_names import layers_by_name
from keras_prune.surgery.rebuilding import rebuild
from keras_prune.surgery.shrinking import copy_layer, copy_smaller, shapes_of_inputs


def resize(model, widths):
    """Make the same model with fewer units a layer, and fresh initial weights.

    Layers whose units can only be cut together, as those that meet in a residual sum, get the
    width of the one that is named.

    Example:

    ```python
    small = kp.resize(model, {"conv1": 12, "fc1": 100})
    ```

    Args:
        model: Built `keras.Model`. It stays as it is.
        widths: Dict from names of layers to ints: units, filters or heads, at most as many as
            now. Layers in nested models that share a name have those of `kp.plan_shrink`.

    Returns:
        A `keras.Model` that is not compiled, Functional where the model was subclassed.

    Raises:
        ValueError: If a layer is unknown, its units must stay, or layers that belong together
            are given different widths.
    """
    body = dissect(model)
    roots = body.units.roots(range(len(body.units)))
    parts = body.parts_by_name()
    removed = np.zeros(len(roots), bool)
    for name, width in widths.items():
        part = parts.get(name)
        if part is None:
            raise ValueError(
                f"No layer of that name has units that can be cut. Expected some of "
                f"{sorted(parts)}. Received: {name!r}"
            )
        whole = isinstance(width, (int, np.integer)) and not isinstance(width, bool)
        if not whole or not 1 <= width <= len(part.made):
            raise ValueError(
                f"The width of layer `{name}` must be an integer from 1 to {len(part.made)}. "
                f"Received: {name}={width!r}"
            )
        removed[roots[part.made[width:]]] = True
    removed = removed[roots]
    _check(body, parts, widths, removed)

    def keep(ids):
        return ~removed[ids]

    return rebuild(
        body.graph,
        lambda operation: copy_smaller(body, operation, keep),
        lambda inner: shapes_of_inputs(body, inner, keep),
    )


def _check(body, parts, widths, removed):
    for name, part in parts.items():
        for unit in part.made[removed[part.made]]:
            reason = body.units.protected.get(body.units.find(int(unit)))
            if reason is not None:
                raise ValueError(
                    f"The units of layer `{name}` must stay: {reason}. "
                    f"Received: widths={dict(widths)}"
                )
        left = int((~removed[part.made]).sum())
        if left < 1 or (name in widths and left != widths[name]):
            raise ValueError(
                f"Layer `{name}` would be left with {left} units, because it can only be cut "
                f"together with another that has another width. Received: widths={dict(widths)}"
            )


def replace(model, layers):
    """Copy a model with other layers in the place of some, and its weights in all others.

    Example:

    ```python
    keras_model = kp.replace(model, {"conv2": [depthwise, pointwise]})
    ```

    Args:
        model: Built Functional or Sequential `keras.Model`, or one that can be traced. It stays
            as it is.
        layers: Dict from names of layers to a `keras.layers.Layer`, or a list of them that are
            called one after the other; an empty list leaves the layer out. They are used as
            they are, with their weights if they are built; the layer itself, to which others are
            added, is copied. Layers in nested models that share a name go by their paths, with a
            number where these are the same too: "conv (2)".

    Returns:
        A `keras.Model` that is not compiled.

    Raises:
        ValueError: If a layer is unknown, or the new layers do not fit in its place.
    """
    graph = graph_to_follow(model)
    named = layers_by_name(graph._flatten_layers(include_self=False))
    unknown = sorted(set(layers) - set(named))
    if unknown:
        raise ValueError(
            f"The model has no layers {unknown}. Expected some of {sorted(named)}. "
            f"Received: layers={sorted(layers)}"
        )
    return replace_layers(graph, {named[name]: new for name, new in layers.items()})


def replace_layers(graph, layers):
    """`replace` for layers themselves instead of their names.

    Args:
        graph: `keras.Model` with a graph, see `Anatomy.graph`.
        layers: Dict from layers or other operations of it to what takes their places.

    Returns:
        A `keras.Model` that is not compiled.
    """
    pairs = []

    def copied(operation):
        if not isinstance(operation, keras.layers.Layer):
            return operation
        copy = copy_layer(operation)
        pairs.append((operation, copy))
        return copy

    def make(operation):
        new = layers.get(operation, operation)
        new = list(new) if isinstance(new, (list, tuple)) else [new]
        return [copied(operation) if part is operation else part for part in new]

    try:
        new = rebuild(graph, make)
        for operation, copy in pairs:
            copy.set_weights(operation.get_weights())
    except ValueError as error:
        raise ValueError(
            f"The new layers do not fit in the place of the old ones: {error} "
            f"Received: layers={sorted(layer.name for layer in layers)}"
        ) from error
    return new
