"""The view of one prunable weight: where it lives and what its axes mean."""

import dataclasses
import math
import re

import keras
import numpy as np

from keras_prune import backend

_CELLS = (keras.layers.LSTMCell, keras.layers.GRUCell, keras.layers.SimpleRNNCell)
_DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
_DEPTHWISE_REASON = "depthwise kernel: few weights, one input each"


@dataclasses.dataclass(eq=False)
class PrunableWeight:
    """One kernel, seen as outputs x positions x inputs.

    Every kernel becomes a three-dimensional array: the output units that own the weights,
    the positions (the taps of a convolution; 1 for a dense layer) and the inputs that are
    summed over. Granularities cut this array and know nothing of Keras layouts.

    In the full view the axes stay apart: groups (1 but in grouped convolutions) x outputs of
    a group x the axes of the window x inputs of a group.

    Args:
        layer: `keras.layers.Layer` that owns the variable.
        variable: `keras.Variable`.
        outputs: Tuple of ints. Axes of the variable that count output units.
        inputs: Tuple of ints. Axes of the variable that are summed over.
        groups: Int. Groups of outputs that do not share inputs. Defaults to `1`.
        skip: Str or `None`. Why this weight is not pruned.
        hidden: `keras.Variable` or `None`. What the pruned weights are trained to meanwhile,
            where they may come back; zero elsewhere.
        granularity: `Granularity` or `None`. The shape that was chosen for this weight alone.
        note: Str or `None`. Why that one.
        aim: Float or `None`. The sparsity that it was chosen for.
    """

    layer: keras.layers.Layer
    variable: keras.Variable
    outputs: tuple = ()
    inputs: tuple = ()
    groups: int = 1
    skip: str | None = None
    hidden: keras.Variable | None = None
    granularity: object = None
    note: str | None = None
    aim: float | None = None

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
        return math.prod(self.shape)

    @property
    def permutation(self):
        """Tuple of ints. Order of the variable's axes in the three-dimensional view."""
        positions = set(range(len(self.shape))) - set(self.outputs) - set(self.inputs)
        return self.outputs + tuple(sorted(positions)) + self.inputs

    @property
    def window(self):
        """Tuple of ints. Sizes of the axes that are neither outputs nor inputs."""
        first, last = len(self.outputs), len(self.shape) - len(self.inputs)
        return tuple(self.shape[axis] for axis in self.permutation[first:last])

    @property
    def view_shape(self):
        """Tuple of ints (outputs, positions, inputs)."""
        groups, outputs, *window, inputs = self.full_view_shape
        return groups * outputs, math.prod(window), inputs

    @property
    def full_view_shape(self):
        """Tuple of ints (groups, outputs of a group, *window, inputs of a group)."""
        outputs = math.prod(self.shape[axis] for axis in self.outputs)
        inputs = math.prod(self.shape[axis] for axis in self.inputs)
        return self.groups, outputs // self.groups, *self.window, inputs

    def to_view(self, array, full=False):
        """Array of the variable's shape -> array of `view_shape`, or of `full_view_shape`."""
        shape = self.full_view_shape if full else self.view_shape
        return array.transpose(self.permutation).reshape(shape)

    def from_view(self, view):
        """Array of either view's shape -> array of the variable's shape."""
        permutation = self.permutation
        array = view.reshape([self.shape[axis] for axis in permutation])
        return array.transpose(np.argsort(permutation))

    def numpy(self):
        """The weights as float32 array of the variable's shape, with those that are hidden."""
        values = backend.to_numpy(self.variable)
        return values if self.hidden is None else values + backend.to_numpy(self.hidden)


def find_weights(model, filters=None):
    """List a model's kernels, each with its axis roles or the reason to leave it alone.

    Biases, normalization weights and everything else with fewer than two axes are never
    pruned and not listed. Shared layers count once; nested models and the sublayers of
    custom layers are found. The kernels of depthwise convolutions are left alone, unless a
    string of `filters` is the whole name of their layer.

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
    matches = layer_matcher(filters)
    found = []
    for layer, variable in _owners(model):
        if is_kernel(variable):
            weight = _describe(layer, variable, matches)
            if weight.skip == _DEPTHWISE_REASON and _is_named(layer, filters):
                _include_depthwise(weight)
            found.append(weight)
    return found


def kernels_of(layer):
    """List the kernels of one layer and its sublayers; depthwise ones where they are a layer.

    Args:
        layer: Built `keras.layers.Layer`.

    Returns:
        A list of `PrunableWeight` without those that nobody knows how to prune.
    """
    found = []
    for owner, variable in _owners(layer):
        if is_kernel(variable):
            weight, roles = PrunableWeight(owner, variable), axis_roles(owner, variable)
            if not isinstance(roles, str):
                weight.outputs, weight.inputs = roles
                weight.groups = getattr(owner, "groups", 1)
                found.append(weight)
            elif roles == _DEPTHWISE_REASON:
                _include_depthwise(weight)
                if weight.outputs:
                    found.append(weight)
    return found


def _owners(layer):
    """Pairs (layer, variable) of a layer or model; each variable with the innermost that has it."""
    owners = {}
    for owner in layer._flatten_layers():  # parents come before their children
        for variable in owner.variables:
            owners[id(variable)] = (owner, variable)
    return owners.values()


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
            weight.groups = getattr(layer, "groups", 1)
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
    if "depthwise" in variable.name or isinstance(layer, _DEPTHWISE) or _one_input(layer, variable):
        return _DEPTHWISE_REASON
    if isinstance(layer, _CELLS) and variable.name in ("kernel", "recurrent_kernel"):
        return (1,), (0,)  # (inputs, gates * units)
    if type(layer) is layers.Embedding:
        return (1,), (0,)  # (tokens, features): what Dense is on one-hot tokens
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


def _one_input(layer, variable):
    """True for a convolution in as many groups as it has inputs, another form of depthwise."""
    return getattr(layer, "groups", 1) > 1 and variable.shape[-2] == 1


def _include_depthwise(weight):
    """Give a depthwise kernel its roles: one group for each input.

    Its axes are (*window, inputs, multiplier), or (*window, 1, outputs) of a grouped convolution.
    """
    last = len(weight.shape) - 1
    if isinstance(weight.layer, _DEPTHWISE):
        weight.outputs, weight.groups, weight.skip = (last - 1, last), weight.shape[-2], None
    elif _one_input(weight.layer, weight.variable):
        weight.outputs, weight.inputs = (last,), (last - 1,)
        weight.groups, weight.skip = weight.layer.groups, None


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


def _is_named(layer, filters):
    """True if a string of `filters` is the whole name of the layer."""
    patterns = [filters] if isinstance(filters, str) else filters
    return isinstance(patterns, (list, tuple)) and layer.name in patterns


def layer_matcher(filters):
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
