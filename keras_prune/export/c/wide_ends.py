"""What operators on int16 activations share: their ends and bounds."""

import numpy as np

from keras_prune.export.c.graph import check_activation
from keras_prune.export.c.quantization import round_half_away
from keras_prune.export.c.windows import activation_name

INT16_MIN, INT16_MAX = -(1 << 15), (1 << 15) - 1
_UPPER = {"NONE": None, "RELU": None, "RELU6": 6, "RELU_N1_TO_1": 1, "RELU_0_TO_1": 1}
_LOWER = {"NONE": None, "RELU": 0, "RELU6": 0, "RELU_N1_TO_1": -1, "RELU_0_TO_1": 0}


def checked_ends(node, inputs=None, source_types=("INT16",), output_types=("INT16",)):
    """Check an operator of one run-time input and one output, and return both."""
    inputs = node.inputs if inputs is None else inputs
    if len(inputs) != 1 or len(node.outputs) != 1:
        raise node.refuse("it needs one input and one output")
    source, output = inputs[0], node.outputs[0]
    for tensor, types in ((source, source_types), (output, output_types)):
        check_activation(node, tensor, types)
        if tensor.type == "INT16":
            zero_point_0(node, tensor)
    if source.data is not None:
        raise node.refuse("a constant input is not supported")
    return source, output


def zero_point_0(node, tensor):
    """Refuse a tensor without one scale and zero point 0."""
    if len(tensor.scales) != 1 or list(tensor.zero_points) != [0]:
        raise node.refuse(f"{tensor.name!r} needs exactly one scale, and zero point 0")
    if not (np.isfinite(tensor.scale) and tensor.scale > 0):
        raise node.refuse(f"{tensor.name!r} needs a positive scale, not {tensor.scale}")


def same_scale(node, source, output):
    """Refuse an operator that changes the scale."""
    if abs(float(source.scale) - float(output.scale)) > 1e-6:
        raise node.refuse("its input and output must have the same scale")


def limits(node, output, activation=None):
    """Return the int16 bounds of an activation, which is by default the fused one."""
    activation = activation or activation_name(node)
    if activation not in _UPPER:
        raise node.refuse(f"activation {activation} is not supported")
    low, high = _LOWER[activation], _UPPER[activation]
    return (
        INT16_MIN if low is None else max(INT16_MIN, _steps(low, output)),
        INT16_MAX if high is None else min(INT16_MAX, _steps(high, output)),
    )


def _steps(value, tensor):
    return round_half_away(np.float32(value) / tensor.scale)
