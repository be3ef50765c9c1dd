"""Geometry of 2-D window operators."""

import math

from keras_prune.export.flatbuffer import schema


def activation_name(node):
    """Return the fused activation of an operator, e.g. `"RELU6"`."""
    return _name("ActivationFunctionType", getattr(node.options, "fusedActivationFunction", 0))


def window(node, source, output, kernel_h, kernel_w, channels):
    """Return the fields of `spk_window2d` and the number of output pixels.

    Args:
        node: `Node` with strides, padding and, for convolutions, dilation in its options.
        source: Input `Tensor`, (batch, height, width, channels).
        output: Output `Tensor`.
        kernel_h: Int. Window rows.
        kernel_w: Int. Window columns.
        channels: Int. Output channels.

    Returns:
        A list of (field, value) pairs and an int.

    Raises:
        ValueError: If the options are not usable or the output's shape does not follow from them.
    """
    options = node.options
    if options is None or len(source.shape) != 4:
        raise node.refuse(f"it needs its options and a 4-D input, not shape {source.shape}")
    batch, in_h, in_w, in_c = source.shape
    padding = _name("Padding", options.padding)
    out_h, top = _axis(
        node, in_h, kernel_h, options.strideH, getattr(options, "dilationHFactor", 1), padding
    )
    out_w, left = _axis(
        node, in_w, kernel_w, options.strideW, getattr(options, "dilationWFactor", 1), padding
    )
    if output.shape != (batch, out_h, out_w, channels):
        raise node.refuse(
            f"its output must have shape {(batch, out_h, out_w, channels)}, not {output.shape}"
        )
    fields = [
        ("batch", batch), ("in_h", in_h), ("in_w", in_w), ("in_c", in_c),
        ("out_h", out_h), ("out_w", out_w), ("out_c", channels),
        ("kernel_h", kernel_h), ("kernel_w", kernel_w),
        ("stride_h", options.strideH), ("stride_w", options.strideW),
        ("dilation_h", getattr(options, "dilationHFactor", 1)),
        ("dilation_w", getattr(options, "dilationWFactor", 1)),
        ("pad_top", top), ("pad_left", left),
    ]  # fmt: skip
    return fields, batch * out_h * out_w


def convolution_window(node, source, weights, output):
    """Return what `window` does for CONV_2D with weights (out, kernel_h, kernel_w, in)."""
    channels, kernel_h, kernel_w, depth = weights.shape
    if len(source.shape) == 4 and source.shape[3] != depth:
        raise node.refuse(
            f"grouped convolution is not supported: input {source.shape}, weights {weights.shape}"
        )
    return window(node, source, output, kernel_h, kernel_w, channels)


def depthwise_window(node, source, weights, output):
    """Return what `window` does for DEPTHWISE_CONV_2D: weights (1, kernel_h, kernel_w, out)."""
    one, kernel_h, kernel_w, channels = weights.shape
    depth = source.shape[3] if len(source.shape) == 4 else 0
    multiplier = getattr(node.options, "depthMultiplier", 0)
    if one != 1 or depth < 1 or depth * multiplier != channels:
        raise node.refuse(
            f"input {source.shape}, weights {weights.shape} and multiplier {multiplier} disagree"
        )
    return window(node, source, output, kernel_h, kernel_w, channels)


def dense_batch(node, source, weights, output):
    """Return how many rows of inputs a FULLY_CONNECTED with weights (rows, cols) takes."""
    if getattr(node.options, "weightsFormat", 0) != 0:
        raise node.refuse("only the default weights format is supported")
    rows, cols = weights.shape
    batch, rest = divmod(source.size, cols)
    if rest or output.size != batch * rows:
        raise node.refuse(
            f"input {source.shape}, weights {weights.shape} and output {output.shape} disagree"
        )
    return batch


def _axis(node, size, kernel, stride, dilation, padding):
    # Output size and padding before, as TensorFlow defines SAME and VALID.
    if min(kernel, stride, dilation) < 1:
        raise node.refuse("kernel, strides and dilation must be positive")
    if max(kernel, stride, dilation) > 1 << 15:
        raise node.refuse("kernel, strides or dilation above 32768 are not supported")
    reach = (kernel - 1) * dilation + 1
    if padding == "SAME":
        out = math.ceil(size / stride)
        return out, max((out - 1) * stride + reach - size, 0) // 2
    if padding != "VALID":
        raise node.refuse(f"padding {padding} is not supported")
    out = (size - reach) // stride + 1
    if out < 1:
        raise node.refuse(f"a window of {reach} does not fit into {size}")
    return out, 0


def _name(enumeration, number):
    for name, value in vars(getattr(schema(), enumeration)).items():
        if value == number and not name.startswith("_"):
            return name
    return f"{enumeration} {number}"
