"""Which weights of a TensorFlow Lite file may be sparse, and in which form.

The rules were measured on tflite-runtime 2.14, TensorFlow 2.21 and LiteRT 1.4 to 2.3. A sparse
constant becomes an ordinary tensor through a DENSIFY operator, which all of them execute,
with two exceptions: LiteRT 2.1.6 to 2.3 stop at an 8-bit FULLY_CONNECTED behind DENSIFY, and
TensorFlow 2.21 too when only its weights have 8 bits. FULLY_CONNECTED version 8 keeps XNNPACK away
from it and works everywhere, more slowly. A sparse constant fed straight to an operator is silently
misread by some runtime, but for float FULLY_CONNECTED version 8.
"""

import enum

import numpy as np

from keras_prune.export.flatbuffer import operator_name, type_name
from keras_prune.export.sparse_encoding import CSR, DENSE, SparseLayout

PROFILES = ("portable", "small", "f32-fc-fast")
SPARSE_OPERATORS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
WEIGHT_POSITION = 1
SPARSE_VERSION = 8


class Form(enum.Enum):
    """How a sparse weight reaches its operator."""

    DENSIFY = "DENSIFY"
    DENSIFY_V8 = "DENSIFY, FULLY_CONNECTED version 8"
    DIRECT_V8 = "direct, FULLY_CONNECTED version 8"


def check_profile(profile):
    """Raise a `ValueError` if there is no such profile."""
    if profile not in PROFILES:
        names = ", ".join(f'"{name}"' for name in PROFILES)
        raise ValueError(
            f"Invalid value for argument `profile`. Expected one of {names}. "
            f"Received: profile={profile!r}"
        )


def choose_form(model, subgraph, operator, profile):
    """Decide how the weight of an operator may be sparse.

    Args:
        model: `ModelT`.
        subgraph: `SubGraphT` of that model.
        operator: `OperatorT` of that subgraph, with a constant weight.
        profile: Str. `"portable"`, `"small"` (also 8-bit FULLY_CONNECTED, which loses XNNPACK), or
            `"f32-fc-fast"` (float FULLY_CONNECTED with blocks of 1x4 straight); `"dense"` for none.

    Returns:
        `(form, reason)`: a `Form` and `None`, or `None` and a phrase that says why not.
    """
    if profile == "dense":
        return None, "dense weights were asked for"
    name = operator_name(model, operator)
    if name not in SPARSE_OPERATORS:
        return None, f"{name} takes no sparse weight"
    weight = subgraph.tensors[operator.inputs[WEIGHT_POSITION]]
    if len(weight.shape) != (2 if name == "FULLY_CONNECTED" else 4):
        return None, f"{name} with a weight of {len(weight.shape)} dimensions"
    problem = _quantization_problem(weight)
    if problem:
        return None, problem
    types = (type_name(subgraph.tensors[operator.inputs[0]]), type_name(weight))
    if name == "FULLY_CONNECTED":
        return _fully_connected_form(operator, types, profile)
    if types in (("FLOAT32", "FLOAT32"), ("INT8", "INT8")):
        return Form.DENSIFY, None
    return None, _unmeasured(types)


def direct_layout(shape):
    """Return the layout that float FULLY_CONNECTED reads without DENSIFY, or `None`."""
    if shape[1] % 4:
        return None
    return SparseLayout((0, 1, 2), (DENSE, CSR, DENSE), (1,), (4,))


def direct_problem(name, version, tensor):
    """Say why a sparse constant may not be fed straight to an operator, as a file does.

    Args:
        name: Str. The operator's name.
        version: Int. The operator's version.
        tensor: `TensorT` with sparsity.

    Returns:
        A phrase, or `None` if every runtime reads it right or stops.
    """
    if name == "DENSIFY":
        return None
    if name != "FULLY_CONNECTED" or version != SPARSE_VERSION:
        return f"{name} version {version} reads a sparse constant directly"
    per_channel = tensor.quantization is not None and _length(tensor.quantization.scale) > 1
    if type_name(tensor) != "FLOAT32" and per_channel:
        return "FULLY_CONNECTED reads a sparse constant with a scale for each channel directly"
    return None


def _fully_connected_form(operator, types, profile):
    options = operator.builtinOptions
    if options is not None and getattr(options, "weightsFormat", 0):
        return None, "its weights are shuffled"
    if types == ("FLOAT32", "FLOAT32"):
        return (Form.DIRECT_V8 if profile == "f32-fc-fast" else Form.DENSIFY), None
    if types not in (("INT8", "INT8"), ("FLOAT32", "INT8")):
        return None, _unmeasured(types)
    if profile == "small":
        return Form.DENSIFY_V8, None
    which = "int8" if types[0] == "INT8" else "dynamic-range"
    return None, f'LiteRT 2.3 stops at sparse {which} FULLY_CONNECTED (profile "small" has it)'


def _quantization_problem(weight):
    if type_name(weight) != "INT8" or weight.quantization is None:
        return None
    zero_points = weight.quantization.zeroPoint
    if _length(zero_points) and np.any(zero_points):
        return "its zero point is not 0"
    return None


def _unmeasured(types):
    return f"no sparse form for {types[1]} weights and {types[0]} activations runs everywhere"


def _length(vector):
    return 0 if vector is None else len(vector)
