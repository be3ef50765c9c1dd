"""Zero units become smaller stock layers."""

import keras
import numpy as np

from keras_prune import backend
from keras_prune.surgery.optimizer_slots import carry_over, cut
from keras_prune.surgery.plan import plan_shrink
from keras_prune.surgery.rebuilding import rebuild


def shrink(model, round_to=1, min_width=1, exact=True, cut_inputs=False, target=None):
    """Copy a model without the units that do nothing: smaller stock layers, the same outputs.

    A unit goes when all that read it find a constant (the filters behind it are zero, so that
    only its bias or the beta of its `BatchNormalization` comes through) or do not look at it
    (their weights for it are zero). Units that meet, in sums and products, in normalization of
    groups or in depthwise convolutions, go together or not at all. What a removed unit still
    emitted is folded into the biases of its readers. Units that make the model's outputs stay.

    The copy is of stock layers with the names of the old ones; Sequential, Functional and nested
    models keep their form, others become Functional. If the model is compiled, so is the copy,
    with the state of the optimizer, cut likewise.

    Example:

    ```python
    kp.prune(model, 0.5, granularity="filter")
    small = kp.shrink(model)
    ```

    Args:
        model: Built `keras.Model`. It stays as it is.
        round_to: Int. Widths become multiples of it by zero units that stay. Defaults to `1`.
        min_width: Int. The fewest units that a layer keeps. Defaults to `1`.
        exact: Bool. Whether the outputs must be the same even at borders. A padding convolution
            mixes what a removed unit emitted with zeros: of all such units of a layer, one stays
            and stands in for the others, and behind a depthwise convolution all stay. With
            `False` they go, as if there were no borders. Defaults to `True`.
        cut_inputs: Bool. Whether features of the model's inputs may go, where nobody reads
            them; `kp.plan_shrink(model, cut_inputs=True).inputs` says which stay. Defaults to
            `False`.
        target: Str or `None`. The device, `"aarch64"`, `"x86-avx2"` or `"cortex-m4"` for
            instance: widths become multiples of 8, on Cortex-M of 4. Defaults to `None`.

    Returns:
        A `keras.Model`.

    Raises:
        ValueError: If an argument is wrong or the model cannot be followed.
    """
    plan = plan_shrink(model, round_to, min_width, exact, cut_inputs, target)
    return carry_out(plan)


def carry_out(plan):
    """Make the model that a `ShrinkPlan` describes."""
    body, removed = plan.body, plan.selection.removed

    def keep(ids):
        return ~removed[ids]

    values, new_biases = _folded(body, plan.selection)
    pairs = []

    def copy_of(operation):
        copy = copy_smaller(body, operation, keep, use_bias=id(operation) in new_biases)
        pairs.append((operation, copy))
        return copy

    def bypass(operation, tensors):
        """The one thing that varies in a sum, for shortcuts past a branch that is constant."""
        constant = _idle(body.sums.get(id(operation)), keep)
        if constant is None or len(tensors) != 2:
            return None
        varying, offset = tensors[constant[0]], constant[1]
        if not offset.any():
            return varying
        name = f"{operation.name}_constant"
        return keras.layers.Rescaling(1.0, offset.tolist(), name=name)(varying)

    small = rebuild(body.graph, copy_of, lambda inner: shapes_of_inputs(body, inner, keep), bypass)
    kept = {}
    for original, copy in pairs:
        if isinstance(original, keras.layers.Layer):
            kept.update(_fill(body, original, copy, keep, values, new_biases))
    if plan.model.compiled:
        carry_over(plan.model, small, kept)
    return small


def copy_smaller(body, operation, keep, use_bias=False):
    """Copy a layer or operation with the sizes that are left of it, without its weights.

    Args:
        body: `Anatomy`.
        operation: `keras.Operation`.
        keep: Callable(ids) -> bool array. The units that stay.
        use_bias: Bool. Whether the copy has a bias in any case. Defaults to `False`.

    Returns:
        A `keras.Operation`.
    """
    part = body.parts.get(id(operation))
    sizes = {name: size(keep) for name, size in part.sizes.items()} if part else {}
    if not isinstance(operation, keras.layers.Layer):
        return type(operation)(**sizes) if sizes else operation
    if use_bias:
        sizes["use_bias"] = True
    return copy_layer(operation, **sizes)


def copy_layer(layer, **changes):
    """Make a layer like another, without its weights.

    Args:
        layer: `keras.layers.Layer`.
        **changes: Arguments that are others.

    Returns:
        A `keras.layers.Layer` of the same class and name.

    Raises:
        ValueError: If the layer's `get_config` does not describe it.
    """
    if type(layer) is keras.layers.Lambda:  # its function is at hand, and need not be trusted
        shape = layer._output_shape
        return keras.layers.Lambda(
            layer.function, shape, layer.mask, layer.arguments, name=layer.name, dtype=layer.dtype
        )
    try:
        return type(layer).from_config({**layer.get_config(), **changes})
    except Exception as error:
        raise ValueError(
            f"Layer `{layer.name}` cannot be made again from its `get_config` ({error}). "
            f"Received: a layer of class {type(layer).__name__}"
        ) from error


def shapes_of_inputs(body, model, keep):
    """Shapes of the inputs of a model, or of a nested one, with the units that stay.

    Args:
        body: `Anatomy`.
        model: `keras.Model`.
        keep: Callable(ids) -> bool array. The units that stay.

    Returns:
        List of tuples with the batch axis.
    """
    shapes = []
    for tensor, signal in zip(model.inputs, body.entrances[id(model)], strict=True):
        shape = list(tensor.shape)
        if len(shape) > 1 and shape[1 + signal.axis] is not None:
            shape[1 + signal.axis] = int(keep(signal.ids).sum())
        shapes.append(tuple(shape))
    return shapes


def _idle(signals, keep):
    """Find out whether one of two tensors that are added up is constant.

    Returns:
        Tuple of the position of the other one and the constants of the units that stay; `None`
        where that is not so.
    """
    if signals is None or len(signals) != 2 or signals[0].shape != signals[1].shape:
        return None
    for position, signal in enumerate(signals):
        stays = keep(signal.ids)
        known = signal.settled()[stays]
        if not np.isnan(known).any() and signal.axis == len(signal.shape) - 1:
            return 1 - position, known
    return None


def _folded(body, chosen):
    """The values of variables that take something up.

    Returns:
        Tuple of a dict from `id(variable)` to its new array, and a dict from `id(layer)` to the
        bias of a layer that had none.
    """
    values, new_biases = {}, {}
    for reader in body.readers:
        gone = chosen.removed[reader.ids] & ~reader.varying
        sums = reader.sums(gone)
        if not sums.any():
            continue
        bias = reader.layer.bias
        if bias is None:
            width = len(body.parts[id(reader.layer)].made)
            array = new_biases.setdefault(id(reader.layer), np.zeros(width))
        else:
            array = values.setdefault(id(bias), body.numpy(bias).astype(np.float64))
        array[reader.bias] += sums
    for reader, position, into, factor in chosen.merged:
        array = values.setdefault(id(reader.kernel), np.array(body.numpy(reader.kernel)))
        view = reader.view(array)
        view[:, into] += factor * reader.weights[:, position]
    return values, new_biases


def _fill(body, original, copy, keep, values, new_biases):
    """Give a copied layer the weights of its original, without what goes.

    Returns:
        Dict from `id(variable)` to (variable of the copy, bool arrays of what stays by axes).
    """
    part, kept = body.parts.get(id(original)), {}
    own = copy.variables
    if id(original) in new_biases:
        copy.bias.assign(new_biases[id(original)][keep(part.made)])
        own = [variable for variable in own if variable is not copy.bias]
    for variable, target in zip(original.variables, own, strict=True):
        _, cuts = part.axes.get(id(variable), (variable, {})) if part else (variable, {})
        axes = {axis: keep(ids) for axis, ids in cuts.items()}
        kept[id(variable)] = target, axes
        if id(variable) in values or axes:
            array = values.get(id(variable))
            array = backend.to_numpy(variable) if array is None else array
            target.assign(cut(array, axes))
        else:
            target.assign(variable.value)
    return kept
