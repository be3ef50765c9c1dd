"""The sizes of a network's layers: units of dense ones, filters of convolutions."""


def sizes_of(model, places, widths=None):
    """The sizes that a network has, of the layers that may be shrunk.

    Args:
        model: Built `keras.Model`.
        places: `Places` of the model. A layer whose activations are an output of the model
            keeps its size, and so do layers that share a name.
        widths: Dict with the names of the layers, or `None` for all that have a size.

    Returns:
        A dict from layer names to ints.

    Raises:
        ValueError: If no layer may be shrunk, or `widths` names one that cannot be.
    """
    layers = {id(layer): (layer, place) for place in places.found for layer in place.layers}
    names = [layer.name for layer, _ in layers.values()]
    found = {
        layer.name: size_of(layer)
        for layer, place in layers.values()
        if size_of(layer) is not None and not place.dense and names.count(layer.name) == 1
    }
    if widths is None:
        if not found:
            raise ValueError(
                "The model has no layer that may be shrunk: one with `units` or `filters` whose "
                f"activations can be counted. Received: model={model.name}"
            )
        return found
    strange = [name for name in widths if name not in found]
    if strange or not widths:
        raise ValueError(
            f"`widths` must name layers that may be shrunk, some of {list(found)}. "
            f"Received: {strange or widths}"
        )
    return {name: found[name] for name in widths}


def check_sizes(model, widths):
    """Refuse a network that has not the sizes it was asked for.

    Args:
        model: `keras.Model`.
        widths: Dict from layer names to ints.
    """
    sizes = {layer.name: size_of(layer) for layer in model._flatten_layers()}
    wrong = {name: sizes.get(name) for name, width in widths.items() if sizes.get(name) != width}
    if wrong:
        raise ValueError(
            "`model_fn` must name its layers, and give each the size that `widths` has for it. "
            f"Expected { ({name: widths[name] for name in wrong}) }. Received: {wrong}"
        )


def size_of(layer):
    """Int or `None`. The units or filters of a layer."""
    for name in ("filters", "units"):
        size = getattr(layer, name, None)
        if isinstance(size, int):
            return size
    return None
