"""Small TensorFlow Lite models put together by hand, and pruned copies of real ones."""

import numpy as np

from keras_prune.export import flatbuffer
from keras_prune.export.constants import constant_weights
from keras_prune.export.rewrite import insert_densify
from keras_prune.export.sparse_encoding import encode
from keras_prune.export.sparse_parameters import to_schema


def empty_model():
    """A `ModelT` with one empty subgraph; buffer 0 is the empty one."""
    tables = flatbuffer.schema()
    model = tables.ModelT(version=3, operatorCodes=[], buffers=[tables.BufferT()])
    model.subgraphs = [empty_subgraph()]
    return model


def empty_subgraph():
    none = np.zeros(0, np.int32)
    return flatbuffer.schema().SubGraphT(tensors=[], operators=[], inputs=none, outputs=none)


def add_tensor(model, shape, dtype="FLOAT32", data=None, scales=None, name="", subgraph=0):
    """Append a tensor, constant if it has data, and return its number."""
    tables = flatbuffer.schema()
    tensor = tables.TensorT(shape=np.array(shape, np.int32), name=name)
    tensor.type = getattr(tables.TensorType, dtype)
    if data is not None:
        model.buffers.append(tables.BufferT(data=np.frombuffer(data.tobytes(), np.uint8)))
        tensor.buffer = len(model.buffers) - 1
    if scales is not None:
        scales = np.array(scales, np.float32)
        tensor.quantization = tables.QuantizationParametersT(
            scale=scales, zeroPoint=np.zeros(len(scales), np.int64)
        )
    tensors = model.subgraphs[subgraph].tensors
    tensors.append(tensor)
    return len(tensors) - 1


def add_operator(model, name, inputs, outputs, options=None, version=1, subgraph=0):
    """Append an operator; `options` is a schema object such as `Conv2DOptionsT()`."""
    tables = flatbuffer.schema()
    number = getattr(tables.BuiltinOperator, name)
    model.operatorCodes.append(
        tables.OperatorCodeT(
            builtinCode=number, deprecatedBuiltinCode=min(number, 127), version=version
        )
    )
    operator = tables.OperatorT(opcodeIndex=len(model.operatorCodes) - 1)
    operator.inputs = np.array(inputs, np.int32)
    operator.outputs = np.array(outputs, np.int32)
    if options is not None:
        operator.builtinOptions = options
        kind = type(options).__name__.removesuffix("T")
        operator.builtinOptionsType = getattr(tables.BuiltinOptions, kind)
    model.subgraphs[subgraph].operators.append(operator)
    return operator


def set_ends(model, inputs, outputs, subgraph=0):
    """Name the inputs and outputs of a subgraph."""
    model.subgraphs[subgraph].inputs = np.array(inputs, np.int32)
    model.subgraphs[subgraph].outputs = np.array(outputs, np.int32)


def fully_connected(weight, version=None):
    """One FULLY_CONNECTED; float32, or int8 with a scale for each channel."""
    return _one_operator("FULLY_CONNECTED", weight, version)


def convolution(weight, depthwise=False):
    """One CONV_2D or DEPTHWISE_CONV_2D on a 6x6 image."""
    return _one_operator("DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", weight)


def _one_operator(name, weight, version=None):
    tables = flatbuffer.schema()
    model = empty_model()
    int8 = weight.dtype == np.int8
    kind = "INT8" if int8 else "FLOAT32"
    channel_axis = 3 if name == "DEPTHWISE_CONV_2D" else 0
    channels = weight.shape[channel_axis]
    image = name != "FULLY_CONNECTED"
    source_shape = (1, 6, 6, weight.shape[3]) if image else (1, weight.shape[1])
    result_shape = (1, 6, 6, channels) if image else (1, channels)
    scales = np.linspace(0.01, 0.02, channels) if int8 else None
    source = add_tensor(model, source_shape, kind, scales=[0.02] if int8 else None)
    kernel = add_tensor(model, weight.shape, kind, weight, scales, name="kernel")
    if int8:
        model.subgraphs[0].tensors[kernel].quantization.quantizedDimension = channel_axis
    bias = np.arange(channels).astype(np.int32 if int8 else np.float32)
    bias_kind = "INT32" if int8 else "FLOAT32"
    bias_scales = scales * 0.02 if int8 else None
    bias = add_tensor(model, (channels,), bias_kind, bias, bias_scales, name="bias")
    result = add_tensor(model, result_shape, kind, scales=[0.1] if int8 else None)
    options = {
        "FULLY_CONNECTED": tables.FullyConnectedOptionsT(),
        "CONV_2D": tables.Conv2DOptionsT(strideW=1, strideH=1),
        "DEPTHWISE_CONV_2D": tables.DepthwiseConv2DOptionsT(
            strideW=1, strideH=1, depthMultiplier=1
        ),
    }[name]
    version = version or ({"FULLY_CONNECTED": 4}.get(name, 3) if int8 else 1)
    add_operator(model, name, [source, kernel, bias], [result], options, version)
    set_ends(model, [source], [result])
    return model


def make_sparse(model, layout):
    """Encode the first weight in a layout of choice and put DENSIFY in front of its operator."""
    weight = constant_weights(model)[0]
    values, levels = encode(weight.array, layout)
    model.buffers[weight.tensor.buffer].data = np.frombuffer(values.tobytes(), np.uint8)
    weight.tensor.sparsity = to_schema(layout, levels, flatbuffer.schema())
    insert_densify(model, weight)
    return model


def prune_file(source, destination, sparsity, seed=0):
    """Copy a real model with that share of its convolution and matrix weights set to zero."""
    model = flatbuffer.read_model(source)
    generator = np.random.default_rng(seed)
    done = set()
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            name = flatbuffer.operator_name(model, operator)
            if name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
                continue
            tensor = subgraph.tensors[operator.inputs[1]]
            array = flatbuffer.tensor_array(model, tensor)
            if array is None or array.dtype.name not in ("float32", "int8"):
                continue
            if tensor.buffer not in done:
                done.add(tensor.buffer)
                array = array * (generator.random(array.shape) >= sparsity).astype(array.dtype)
                data = np.frombuffer(array.tobytes(), np.uint8)
                model.buffers[tensor.buffer].data = data
    flatbuffer.write_model(model, destination)
