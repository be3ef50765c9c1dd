"""What a convolution sees: the windows that slide over its input."""

import numpy as np


def layer_windows(layer, inputs):
    """The windows of a convolution's input, padded as the layer pads.

    Args:
        layer: Convolution layer of any rank; depthwise and grouped ones look at the same
            windows as plain ones.
        inputs: Array, the layer's input (batch, ...) in the layer's data format.

    Returns:
        Read-only view (batch, *positions, inputs, *window) of the padded input.
    """
    if layer.data_format == "channels_first":
        inputs = np.moveaxis(inputs, 1, -1)
    spans = [(k - 1) * d + 1 for k, d in zip(layer.kernel_size, layer.dilation_rate, strict=True)]
    padding = [
        _padding(layer.padding, size, span, stride)
        for size, span, stride in zip(inputs.shape[1:-1], spans, layer.strides, strict=True)
    ]
    inputs = np.pad(inputs, [(0, 0), *padding, (0, 0)])
    axes = tuple(range(1, layer.rank + 1))
    windows = np.lib.stride_tricks.sliding_window_view(inputs, spans, axis=axes)
    positions = [slice(None, None, stride) for stride in layer.strides]
    taps = [slice(None, None, rate) for rate in layer.dilation_rate]
    return windows[(slice(None), *positions, slice(None), *taps)]


def _padding(kind, size, span, stride):
    if kind == "valid":
        return 0, 0
    if kind == "causal":
        return span - 1, 0
    total = max((-(-size // stride) - 1) * stride + span - size, 0)
    return total // 2, total - total // 2
