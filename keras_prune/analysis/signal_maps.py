"""How a signal passes through one layer: which outputs it reaches from which inputs.

A layer becomes a linear map without negative numbers: kernels are 1 where a weight is left,
biases are 0, non-linearities are gone, a maximum is a sum. An output that is not zero is then
one that a signal reaches, and a gradient that is not zero marks what a signal comes from.
"""

import contextlib

import keras
from keras import ops

_LAYERS = keras.layers

_KERNELS = (
    _LAYERS.Dense,
    _LAYERS.EinsumDense,
    _LAYERS.Conv1D,
    _LAYERS.Conv2D,
    _LAYERS.Conv3D,
    _LAYERS.Conv1DTranspose,
    _LAYERS.Conv2DTranspose,
    _LAYERS.Conv3DTranspose,
    _LAYERS.DepthwiseConv1D,
    _LAYERS.DepthwiseConv2D,
    _LAYERS.SeparableConv1D,
    _LAYERS.SeparableConv2D,
)
_POINTWISE = (
    _LAYERS.Activation,
    _LAYERS.ReLU,
    _LAYERS.LeakyReLU,
    _LAYERS.PReLU,
    _LAYERS.ELU,
    _LAYERS.Softmax,
    _LAYERS.Dropout,
    _LAYERS.SpatialDropout1D,
    _LAYERS.SpatialDropout2D,
    _LAYERS.SpatialDropout3D,
    _LAYERS.GaussianNoise,
    _LAYERS.GaussianDropout,
    _LAYERS.ActivityRegularization,
    _LAYERS.Identity,
    _LAYERS.Rescaling,
    _LAYERS.Normalization,
)
_MOVES = (  # linear already, without negative numbers
    _LAYERS.Flatten,
    _LAYERS.Reshape,
    _LAYERS.Permute,
    _LAYERS.RepeatVector,
    _LAYERS.Concatenate,
    _LAYERS.Add,
    _LAYERS.Average,
    _LAYERS.Multiply,
    _LAYERS.ZeroPadding1D,
    _LAYERS.ZeroPadding2D,
    _LAYERS.ZeroPadding3D,
    _LAYERS.Cropping1D,
    _LAYERS.Cropping2D,
    _LAYERS.Cropping3D,
    _LAYERS.UpSampling1D,
    _LAYERS.UpSampling3D,
    _LAYERS.AveragePooling1D,
    _LAYERS.AveragePooling2D,
    _LAYERS.AveragePooling3D,
    _LAYERS.GlobalAveragePooling1D,
    _LAYERS.GlobalAveragePooling2D,
    _LAYERS.GlobalAveragePooling3D,
)
_SUMS = (_LAYERS.Subtract, _LAYERS.Maximum, _LAYERS.Minimum)
_MAXIMA = (_LAYERS.MaxPooling1D, _LAYERS.MaxPooling2D, _LAYERS.MaxPooling3D)
_GLOBAL_MAXIMA = (
    _LAYERS.GlobalMaxPooling1D,
    _LAYERS.GlobalMaxPooling2D,
    _LAYERS.GlobalMaxPooling3D,
)
_MOVING_OPERATIONS = (
    "Reshape",
    "Transpose",
    "Squeeze",
    "ExpandDims",
    "Concatenate",
    "GetItem",
    "Mean",
    "Sum",
)
_SUMMING_OPERATIONS = ("Add", "Subtract", "Maximum", "Minimum")


def signal_map(call):
    """The linear map of a call.

    Args:
        call: `Call` of a layer or operation.

    Returns:
        Callable(inputs, kernels) -> tensor. `inputs` are float32 tensors of the shapes of the
        call's, `kernels` those of `variables_of(call.operation)`. Or a string: why the layer
        cannot be traced.
    """
    operation = call.operation
    if len(call.outputs) > 1 or len(call.inputs) == 0:
        return f"{type(operation).__name__} is not a map from tensors to one tensor"
    if not isinstance(operation, keras.layers.Layer):
        return _operation_map(call)
    if getattr(operation, "quantization_mode", None) is not None:
        return "it is quantized"
    if getattr(operation, "lora_enabled", False):
        return "LoRA is enabled"
    if getattr(operation, "scales_channels", False):
        return _scale_map(call)
    for kinds, make in _MAPS.items():
        if type(operation) in kinds:
            return make(call)
    return f"{type(operation).__name__} layers are not traced"


def variables_of(layer):
    """The kernels of a layer in the order in which its linear map takes them."""
    names = ("kernel", "depthwise_kernel", "pointwise_kernel", "embeddings")
    return [v for v in getattr(layer, "variables", ()) if v.name in names]


def _kernel_map(call):
    layer, own = call.operation, variables_of(call.operation)
    biases = [v for v in layer.variables if not any(v is kernel for kernel in own)]

    def run(inputs, kernels):
        state = [*zip(own, kernels, strict=True), *((v, ops.zeros(v.shape)) for v in biases)]
        with _without_activation(layer), keras.StatelessScope(state_mapping=state):
            return layer.call(*inputs)

    return run


def _embedding_map(call):
    def run(inputs, kernels):
        return ops.expand_dims(inputs[0], -1) * ops.sum(kernels[0], axis=0)

    return run


def _pointwise_map(call):
    if len(call.inputs) != 1 or call.inputs[0].shape != call.outputs[0].shape:
        return f"{type(call.operation).__name__} changes the shape"
    return lambda inputs, kernels: inputs[0]


def _scale_map(call):
    layer = call.operation
    if layer.gamma is None:
        return lambda inputs, kernels: inputs[0]
    shape = [1] * len(call.inputs[0].shape)
    shape[layer.axis] = -1
    passes = ops.reshape(ops.cast(ops.not_equal(layer.gamma, 0), "float32"), shape)
    return lambda inputs, kernels: inputs[0] * passes


def _move_map(call):
    def run(inputs, kernels):
        args, kwargs = call.arguments_with(inputs)
        return call.operation.call(*args, **kwargs)

    return run


def _upsampling_map(call):
    if call.operation.interpolation not in ("nearest", "bilinear"):
        return f"interpolation {call.operation.interpolation} has negative weights"
    return _move_map(call)


def _sum_map(call):
    return lambda inputs, kernels: sum(inputs[1:], inputs[0])


def _maximum_map(call):
    layer = call.operation
    window = (layer.pool_size, layer.strides, layer.padding, layer.data_format)
    return lambda inputs, kernels: ops.average_pool(inputs[0], *window)


def _global_maximum_map(call):
    layer, rank = call.operation, len(call.inputs[0].shape)
    first = 1 if layer.data_format == "channels_last" else 2
    axes = tuple(range(first, first + rank - 2))
    return lambda inputs, kernels: ops.sum(inputs[0], axis=axes, keepdims=layer.keepdims)


def _operation_map(call):
    """What Keras puts into a graph for `x + y` or `keras.ops.relu(x)`."""
    name = type(call.operation).__name__
    constants = [
        leaf
        for leaf in keras.tree.flatten(call.arguments)
        if not ops.is_tensor(leaf) and hasattr(leaf, "shape")
    ]
    if constants or not type(call.operation).__module__.startswith("keras."):
        return f"operation {name} takes a constant array or is not one of Keras"
    if name in _SUMMING_OPERATIONS and len(call.inputs) > 1:
        return _sum_map(call)
    if name in (*_MOVING_OPERATIONS, "Multiply") and (name != "Multiply" or len(call.inputs) > 1):
        return _move_map(call)
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
    if name in _SUMMING_OPERATIONS or snake in dir(keras.activations):
        return _pointwise_map(call)
    return f"operation {name} is not traced"


_MAPS = {
    _KERNELS: _kernel_map,
    (_LAYERS.Embedding,): _embedding_map,
    (_LAYERS.BatchNormalization,): _scale_map,
    _POINTWISE: _pointwise_map,
    _MOVES: _move_map,
    (_LAYERS.UpSampling2D,): _upsampling_map,
    _SUMS: _sum_map,
    _MAXIMA: _maximum_map,
    _GLOBAL_MAXIMA: _global_maximum_map,
}


@contextlib.contextmanager
def _without_activation(layer):
    activation = layer.activation
    layer.activation = None
    try:
        yield
    finally:
        layer.activation = activation
