"""The view of one prunable weight: where it lives and what its axes mean."""

import dataclasses
import re

import keras
import numpy as np

from keras_prune import backend


@dataclasses.dataclass(eq=False)
class PrunableWeight:
    """One kernel, seen as outputs x positions x inputs.

    Every kernel becomes a three-dimensional array: the output units that own the weights,
    the positions (the taps of a convolution; 1 for a dense layer) and the inputs that are
    summed over. Granularities cut this array and know nothing of Keras layouts.

    Args:
        layer: `keras.layers.Layer` that owns the variable.
        variable: `keras.Variable`.
        outputs: Tuple of ints. Axes of the variable that count output units.
        inputs: Tuple of ints. Axes of the variable that are summed over.
        skip: Str or `None`. Why this weight is not pruned.
    """

    layer: keras.layers.Layer
    variable: keras.Variable
    outputs: tuple = ()
    inputs: tuple = ()
    skip: str | None = None

    @property
    def path(self):
        """Str. The variable's path in the model."""
        return self.variable.path

    @property
    def shape(self):
        """Tuple of ints. The variable's shape."""
        return tuple(self.variable.shape)

    @property
    def size(self):
        """Int. Number of weights."""
        return int(np.prod(self.shape))

    @property
    def permutation(self):
        """Tuple of ints. Order of the variable's axes in the three-dimensional view."""
        positions = set(range(len(self.shape))) - set(self.outputs) - set(self.inputs)
        return self.outputs + tuple(sorted(positions)) + self.inputs

    @property
    def view_shape(self):
        """Tuple of ints (outputs, positions, inputs)."""
        rows = int(np.prod([self.shape[axis] for axis in self.outputs]))
        columns = int(np.prod([self.shape[axis] for axis in self.inputs]))
        return rows, self.size // (rows * columns), columns

    def to_view(self, array):
        """Array of the variable's shape -> array (outputs, positions, inputs)."""
        return array.transpose(self.permutation).reshape(self.view_shape)

    def from_view(self, view):
        """Array (outputs, positions, inputs) -> array of the variable's shape."""
        permutation = self.permutation
        array = view.reshape([self.shape[axis] for axis in permutation])
        return array.transpose(np.argsort(permutation))

    def numpy(self):
        """The weights as float32 array of the variable's shape."""
        return backend.to_numpy(self.variable)


def find_weights(model, filters=None):
    """List a model's kernels, each with its axis roles or the reason to leave it alone.

    Biases, normalization weights and everything else with fewer than two axes are never
    pruned and not listed. Shared layers count once; nested models and the sublayers of
    custom layers are found.

    Args:
        model: Built `keras.Model`.
        filters: Regex string, list of them, or callable(layer) -> bool. Only layers that
            match are pruned, as in `keras.Model.quantize`. Defaults to all layers.

    Returns:
        A list of `PrunableWeight` in the order of the model's variables.

    Raises:
        ValueError: If `model` is no Keras model or has no weights yet, or `filters` is of
            another kind.
    """
    _check_model(model)
    matches = _matcher(filters)
    owners = {}
    for layer in model._flatten_layers():  # parents come before their children
        for variable in layer.variables:
            owners[id(variable)] = (layer, variable)
    found = []
    for layer, variable in owners.values():
        if is_kernel(variable):
            found.append(_describe(layer, variable, matches))
    return found


def is_kernel(variable):
    """True for float variables with at least two axes that are not biases."""
    floating = "float" in keras.backend.standardize_dtype(variable.dtype)
    quantized = variable.name.startswith(("kernel", "embeddings"))
    return len(variable.shape) > 1 and (floating or quantized) and "bias" not in variable.name


def _describe(layer, variable, matches):
    weight = PrunableWeight(layer, variable)
    mode = getattr(layer, "quantization_mode", None)
    if not matches(layer):
        weight.skip = "left out by `filters`"
    elif mode is not None:
        weight.skip = f"quantized to {mode}: prune before `model.quantize`"
    elif getattr(layer, "lora_enabled", False):
        weight.skip = "LoRA is enabled: merge it before pruning"
    elif not (layer.trainable and variable.trainable):
        weight.skip = "frozen: `trainable` is False"
    else:
        roles = axis_roles(layer, variable)
        if isinstance(roles, str):
            weight.skip = roles
        else:
            weight.outputs, weight.inputs = roles
    return weight


def axis_roles(layer, variable):
    """Which axes of a kernel are output units and which are inputs.

    Args:
        layer: `keras.layers.Layer` that owns the variable.
        variable: `keras.Variable`.

    Returns:
        Two tuples of axes (outputs, inputs), or a string: why the kernel has no such roles.
    """
    last = len(variable.shape) - 1
    layers = keras.layers
    if "depthwise" in variable.name or isinstance(
        layer, (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
    ):
        return "depthwise kernel: few weights, one input each"
    if variable.name in ("kernel", "pointwise_kernel"):
        if isinstance(layer, layers.EinsumDense):
            return _einsum_roles(layer)
        if isinstance(
            layer, (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
        ):
            return (last - 1,), (last,)
        plain = (layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D)
        if isinstance(layer, plain + (layers.SeparableConv1D, layers.SeparableConv2D)):
            return (last,), (last - 1,)
    return f"layer {type(layer).__name__} is not supported"


def _einsum_roles(layer):
    operands, result = layer.equation.replace("...", "").replace(" ", "").split("->")
    inputs, kernel = operands.split(",")
    summed = tuple(i for i, axis in enumerate(kernel) if axis in inputs and axis not in result)
    made = tuple(i for i, axis in enumerate(kernel) if axis in result and axis not in inputs)
    if not summed or not made or len(summed) + len(made) != len(kernel):
        return f"equation {layer.equation} is no plain projection from inputs to outputs"
    return made, summed


def _check_model(model):
    if not isinstance(model, keras.Model):
        raise ValueError(f"Expected a `keras.Model`. Received: model={model}")
    if not model.variables:
        raise ValueError(
            "The model has no weights yet. Build it first: call it on a batch, or "
            f"`model.build(input_shape)`. Received: model={model.name}"
        )


def _matcher(filters):
    if filters is None:
        return lambda layer: True
    if callable(filters):
        return filters
    patterns = [filters] if isinstance(filters, str) else filters
    if isinstance(patterns, (list, tuple)) and all(isinstance(p, str) for p in patterns):
        return lambda layer: any(re.search(pattern, layer.name) for pattern in patterns)
    raise ValueError(
        "Argument `filters` must be a regex string, a list of regex strings or a callable "
        f"that takes a layer. Received: filters={filters}"
    )
