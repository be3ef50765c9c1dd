"""Multi-head attention: heads go, the width of its inputs stays."""

import keras
import numpy as np

from keras_prune.dependencies.readers import Reader
from keras_prune.dependencies.rules.rule import rule


@rule(keras.layers.MultiHeadAttention)
def multi_head_attention(call):
    """Has heads, which go; keeps the units of its inputs and outputs."""
    layer, body = call.layer, call.body
    closed = call.closed("mixes all features of its inputs")
    output = layer._output_dense
    projections = (layer._query_dense, layer._key_dense, layer._value_dense)
    if any(dense.lora_enabled or dense.quantization_mode for dense in (*projections, output)):
        return closed
    heads = body.make(layer, layer.num_heads)
    for dense in projections:  # kernels (features, heads, size), biases (heads, size)
        body.cut(layer, dense.kernel, 1, heads)
        body.cut(layer, dense.bias, 0, heads)
    body.cut(layer, output.kernel, 0, heads)  # (heads, size, features)
    body.part(layer).sizes["num_heads"] = lambda keep: int(keep(heads).sum())
    # Attention weights add up to one, so that constant values come out as they are.
    value = layer._value_dense
    dead = ~(body.numpy(value.kernel) != 0.0).any(axis=(0, 2))
    shape = (layer._value_dim, layer.num_heads)
    emitted = np.zeros(shape) if value.bias is None else body.numpy(value.bias).T
    constant = np.where(dead, emitted, np.nan)
    features = int(np.prod(output.kernel.shape[2:]))
    body.read(
        Reader(
            output,
            output.kernel,
            lambda array: array.reshape(*array.shape[:2], -1).swapaxes(0, 1),
            body.numpy(output.kernel),
            heads,
            constant,
            np.zeros(layer.num_heads, bool),
            np.full(features, -1),
            foldable=output.bias is not None and len(output.bias.shape) == 1,
        )
    )
    return closed
