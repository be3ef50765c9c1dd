"""Grouped convolutions, as ones that the kernels compute.

Where a group is one input channel, that is a depthwise convolution. Others become a convolution of
all channels whose weights between groups are zero: a stream does not keep those.
"""

import dataclasses
import types

import numpy as np

from keras_prune.export.c.graph import Graph

_MAX_WEIGHTS = 1 << 26


def replace_grouped(graph):
    """Replace every grouped CONV_2D with constant weights.

    Args:
        graph: `Graph`.

    Returns:
        A `Graph`.
    """
    nodes = [_replaced(node) if _is_grouped(node) else node for node in graph.nodes]
    return Graph(graph.inputs, graph.outputs, nodes)


def _is_grouped(node):
    if node.kind != "CONV_2D" or len(node.inputs) < 2 or None in node.inputs[:2]:
        return False
    source, weights = node.inputs[:2]
    if weights.data is None or len(source.shape) != 4 or len(weights.shape) != 4:
        return False
    depth, channels, own = source.shape[3], weights.shape[0], weights.shape[3]
    if own < 1 or own >= depth or depth % own or channels % (depth // own):
        return False
    return node.options is not None and weights.size * (depth // own) <= _MAX_WEIGHTS


def _replaced(node):
    source, weights = node.inputs[:2]
    depth, channels, own = source.shape[3], weights.shape[0], weights.shape[3]
    data = weights.data.reshape(weights.shape)
    kind, options, axis = node.kind, node.options, weights.axis
    if own == 1:
        kind, data, axis = "DEPTHWISE_CONV_2D", data.transpose(3, 1, 2, 0), 3
        options = types.SimpleNamespace(**vars(options), depthMultiplier=channels // depth)
    else:
        groups = depth // own
        whole = np.zeros((groups, channels // groups, *data.shape[1:3], groups, own), data.dtype)
        for group, part in enumerate(np.split(data, groups)):
            whole[group, :, :, :, group] = part
        data = whole.reshape(channels, *data.shape[1:3], depth)
    data = np.ascontiguousarray(data)
    weights = dataclasses.replace(weights, shape=data.shape, data=data, axis=axis)
    inputs = [source, weights, *node.inputs[2:]]
    return dataclasses.replace(node, kind=kind, options=options, inputs=inputs)
