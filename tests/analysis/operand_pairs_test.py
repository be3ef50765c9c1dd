"""Pairs are counted as the layer itself counts them, on tensors of zeros and ones."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_prune.analysis.operand_pairs import count_pairs

layers = keras.layers
pytestmark = pytest.mark.all_backends


def sparse(shape, seed, density=0.5):
    random = np.random.default_rng(seed)
    return (random.normal(size=shape) * (random.random(shape) < density)).astype("float32")


def prepare(layer, x):
    """Build a layer and give it sparse kernels."""
    layer.build(x.shape)
    for index, variable in enumerate(layer.trainable_variables):
        variable.assign(sparse(variable.shape, index))
    return layer


def pairs_by_the_layer(layer, x):
    """Every product of two ones adds one to an output: the outputs' sum is the count."""
    values = [np.array(v) for v in map(keras.ops.convert_to_numpy, layer.trainable_variables)]
    for variable, value in zip(layer.trainable_variables, values, strict=True):
        variable.assign((value != 0) * ("bias" not in variable.name))
    total = keras.ops.sum(layer(keras.ops.convert_to_tensor((x != 0).astype("float32"))))
    for variable, value in zip(layer.trainable_variables, values, strict=True):
        variable.assign(value)
    return round(float(keras.ops.convert_to_numpy(total)))


CASES = [
    (lambda: layers.Dense(4), (5,)),
    (lambda: layers.Dense(4), (3, 5)),
    (lambda: layers.Conv1D(3, 3, padding="causal", dilation_rate=2), (7, 2)),
    (lambda: layers.Conv2D(4, 3, strides=2, padding="same"), (6, 7, 3)),
    (lambda: layers.Conv2D(4, (3, 2), padding="same", dilation_rate=2), (6, 5, 3)),
    (lambda: layers.Conv2D(6, 3, groups=2), (5, 5, 4)),
    (lambda: layers.Conv3D(2, 2, padding="same"), (3, 4, 3, 2)),
    (lambda: layers.DepthwiseConv1D(3, depth_multiplier=2), (6, 3)),
    (lambda: layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2), (5, 5, 3)),
    (lambda: layers.Conv1DTranspose(3, 3, strides=2), (4, 2)),
    (lambda: layers.Conv2DTranspose(3, 3, strides=2, padding="same"), (4, 3, 2)),
    (lambda: layers.Conv2DTranspose(3, 2, strides=3), (4, 3, 2)),
    (lambda: layers.Conv2DTranspose(3, 5, strides=2, padding="same"), (4, 3, 2)),
    (lambda: layers.Conv3DTranspose(2, 2, strides=2), (2, 3, 2, 2)),
    (lambda: layers.EinsumDense("abc,cde->abde", (None, 3, 2)), (4, 5)),
    (lambda: layers.EinsumDense("abcd,cde->abe", (None, 3)), (4, 2, 5)),
    (lambda: layers.EinsumDense("...x,xy->...y", 3), (4, 5)),
    (lambda: layers.EinsumDense("abc,bcd->abd", (4, 3)), (4, 5)),
]


@pytest.mark.parametrize("make, shape", CASES)
def test_linear_layers(make, shape):
    x = sparse((3, *shape), 7)
    layer = prepare(make(), x)
    tensor = keras.ops.convert_to_tensor(x)
    assert count_pairs(layer, [tensor], [layer(tensor)]) == pairs_by_the_layer(layer, x) > 0


@pytest.mark.parametrize(
    "separable, shape",
    [
        (layers.SeparableConv1D(4, 3, depth_multiplier=2, use_bias=False), (7, 3)),
        (layers.SeparableConv2D(4, 3, strides=2, padding="same", use_bias=False), (6, 6, 3)),
    ],
)
def test_separable_convolutions_are_two_in_a_row(separable, shape):
    x = sparse((2, *shape), 7, density=0.2)
    layer = prepare(separable, x)
    kinds = {1: (layers.DepthwiseConv1D, layers.Conv1D), 2: (layers.DepthwiseConv2D, layers.Conv2D)}
    depthwise, pointwise = kinds[layer.rank]
    first = depthwise(
        3,
        strides=layer.strides[0],
        padding=layer.padding,
        depth_multiplier=layer.depth_multiplier,
        use_bias=False,
    )
    first.build(x.shape)
    first.kernel.assign(layer.depthwise_kernel)
    middle = keras.ops.convert_to_numpy(first(x))
    second = pointwise(4, 1, use_bias=False)
    second.build(middle.shape)
    second.kernel.assign(layer.pointwise_kernel)
    expected = pairs_by_the_layer(first, x) + pairs_by_the_layer(second, middle)
    assert count_pairs(layer, [keras.ops.convert_to_tensor(x)], [layer(x)]) == expected > 0


@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.sampled_from(CASES))
@settings(max_examples=25, deadline=None)
def test_dense_operands_bound_the_count_and_empty_ones_make_none(seed, density, case):
    make, shape = case
    x = sparse((2, *shape), seed, density)
    layer = prepare(make(), x)
    tensor = keras.ops.convert_to_tensor(x)
    count = count_pairs(layer, [tensor], [layer(tensor)])
    full = keras.ops.ones_like(tensor)
    assert 0 <= count <= count_pairs(layer, [full], [layer(full)])
    layer.kernel.assign(np.zeros(layer.kernel.shape))
    assert count_pairs(layer, [full], [layer(full)]) == 0


def test_counts_beyond_float_precision_are_exact():
    layer = prepare(layers.Dense(1031), np.zeros((1, 4099)))
    layer.kernel.assign(np.ones((4099, 1031)))
    x = keras.ops.ones((5, 4099))
    assert count_pairs(layer, [x], []) == 5 * 4099 * 1031 == 21130345


def test_cells_multiply_their_state_too():
    x, h = sparse((3, 4), 1), sparse((3, 2), 2)
    for cell in (layers.LSTMCell(2), layers.GRUCell(2), layers.SimpleRNNCell(2)):
        prepare(cell, x)
        kernel, recurrent = (
            keras.ops.convert_to_numpy(v) != 0 for v in (cell.kernel, cell.recurrent_kernel)
        )
        expected = ((x != 0) @ kernel.astype(int)).sum() + ((h != 0) @ recurrent.astype(int)).sum()
        tensors = [keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(h)]
        assert count_pairs(cell, tensors, []) == expected > 0


def test_unknown_computations_are_not_counted():
    x = keras.ops.ones((1, 2))
    gated = layers.GRUCell(2, reset_after=False)
    gated.build((1, 2))
    assert count_pairs(gated, [x, x], []) is None
    assert count_pairs(layers.Flatten(), [x], [x]) is None
    padded = layers.Conv1DTranspose(2, 3, strides=2, output_padding=1)
    x = keras.ops.ones((1, 4, 2))
    assert count_pairs(padded, [x], [padded(x)]) is None
