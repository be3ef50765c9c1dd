"""Names that tell the layers of a model apart."""

import collections


def layers_by_name(layers):
    """Name layers so that no two have the same name.

    A layer whose name another one has goes by its path, and where nested models give two layers
    one path too, by the path and a number: "block/conv (2)".

    Args:
        layers: Iterable of `keras.layers.Layer` or other operations. One that comes again counts
            once.

    Returns:
        Dict from str to layers, in their order.
    """
    layers = list(dict.fromkeys(layers))
    counts = collections.Counter(layer.name for layer in layers)
    paths = [
        layer.name if counts[layer.name] == 1 else getattr(layer, "path", None) or layer.name
        for layer in layers
    ]
    counts, seen, found = collections.Counter(paths), collections.Counter(), {}
    for layer, path in zip(layers, paths, strict=True):
        seen[path] += 1
        found[path if counts[path] == 1 else f"{path} ({seen[path]})"] = layer
    return found
