"""What operators with a state share: the state, matrices times vectors, scale factors."""

import dataclasses

import numpy as np

from keras_prune.export.c import dense_cost
from keras_prune.export.c.graph import MAX_TENSOR_BYTES
from keras_prune.export.c.quantization import quantize_multiplier
from keras_prune.export.c.steps import Weights
from keras_prune.export.c.weighted import PORTABLE, Candidate, best_of, worth_packing


@dataclasses.dataclass(frozen=True, eq=False)
class Matrix:
    """A constant int8 matrix with one scale a row block.

    `values` is (rows, columns), `scales` holds one float32 for each of equally many rows.
    """

    values: np.ndarray
    scales: np.ndarray


def state_of(node, position, kind, size):
    """Return the variable tensor at an input position, or refuse the node.

    Args:
        node: `Node`.
        position: Int.
        kind: Str. The type name that it must have.
        size: Int. The number of its elements.

    Returns:
        A `Tensor` with one positive scale.
    """
    state = node.input(position)
    if state is None or not state.variable:
        raise node.refuse(f"its input {position} must be a variable tensor, its state")
    if state.type != kind or state.size != size or state.bytes > MAX_TENSOR_BYTES:
        raise node.refuse(
            f"its state must hold {size} {kind} values, not {state.type} of shape {state.shape}"
        )
    if len(state.scales) != 1 or len(state.zero_points) != 1 or not state.scale > 0:
        raise node.refuse(f"{state.name!r} needs one positive scale and one zero point")
    limit = 128 if kind == "INT8" else 1
    if not -limit <= state.zero_point < limit or not np.isfinite(state.scale):
        raise node.refuse(f"{state.name!r} has zero point {state.zero_point}")
    return state


def matrix_of(node, positions, shape):
    """Return the constant int8 matrices at some input positions, one below the other.

    Args:
        node: `Node`.
        positions: Iterable of int.
        shape: The shape (rows, columns) that each must have.

    Returns:
        A `Matrix`.
    """
    parts = [constant_of(node, position, "INT8", shape) for position in positions]
    for part in parts:
        if len(part.scales) != 1 or not (np.isfinite(part.scale) and part.scale > 0):
            raise node.refuse(f"its weights {part.name!r} need one positive scale")
        if np.any(part.zero_points):
            raise node.refuse(f"its weights {part.name!r} need zero point 0")
    return Matrix(np.concatenate([p.data for p in parts]), np.array([p.scale for p in parts]))


def constant_of(node, position, kind, shape):
    """Return the constant `Tensor` at an input position, or refuse the node."""
    tensor = node.input(position)
    if tensor is None or tensor.data is None:
        raise node.refuse(f"its input {position} must be a constant")
    if tensor.type != kind or tensor.shape != shape:
        raise node.refuse(
            f"its input {position} must be {kind} of shape {shape}, not {tensor.type} of shape "
            f"{tensor.shape}"
        )
    return tensor


def biases_of(node, positions, rows):
    """Return the constant int32 biases at some input positions, one behind the other."""
    parts = [constant_of(node, position, "INT32", (rows,)).data for position in positions]
    return np.concatenate(parts).astype(np.int64)


def candidates_of(matrix, target, vectors):
    """Return the `Candidate`s for a matrix that is multiplied by so many vectors."""
    from keras_prune.runtime.packers import pack_stream_s8

    def candidate(encoding, values, instructions):
        name = f"add_rows_s8_{encoding}"
        sources = (f"{PORTABLE}/{name}.c",)
        return Candidate(encoding, f"spk_{name}__c", sources, values, vectors * instructions)

    made = [candidate("dense", matrix.reshape(-1), dense_cost.dense(target, matrix, 1))]
    if worth_packing(matrix):
        stream = np.frombuffer(pack_stream_s8(matrix), np.uint8)
        cost = dense_cost.stream(target, matrix, stream.size, 1)
        made.append(candidate("stream", stream, cost))
    return made


def keep_matrix(step, name, values, target, vectors):
    """Choose how a step keeps a matrix, and add kernel, weights and instructions to it.

    Args:
        step: `Step`.
        name: Str. Ends the name of the constant.
        values: int8 array (rows, columns).
        target: `Target`.
        vectors: Int. How many vectors it is multiplied by.

    Returns:
        The name of the function that reads it, and the `Constant`.
    """
    best = best_of(candidates_of(values, target, vectors))
    zeros = int(values.size - np.count_nonzero(values))
    made = Weights(best.encoding, values.size, best.values.nbytes, zeros, values.size)
    step.weights = made if step.weights is None else step.weights.with_more(made)
    step.sources = tuple(dict.fromkeys((*step.sources, *best.sources)))
    step.instructions += round(best.instructions)
    prefix = "weights" if best.encoding == "dense" else best.encoding
    constant = step.constant(f"{prefix}_{name}", f"{best.values.dtype.name}_t", best.values)
    return best.kernel, constant


def scale_factor(node, real, reach=0):
    """Return the multiplier and the shift of a factor that multiplies sums up to `reach`."""
    try:
        multiplier, shift = quantize_multiplier(float(real))
    except ValueError as error:
        raise node.refuse(str(error)) from None
    # The kernels add two scaled sums in 32 bits, and shift left before they multiply.
    if reach * float(real) >= 1 << 30:
        raise node.refuse("its scales are so far apart that sums overflow")
    return multiplier, shift
