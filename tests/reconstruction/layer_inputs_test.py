import keras
import numpy as np
import pytest

from keras_prune.reconstruction import layer_inputs
from keras_prune.reconstruction.layer_inputs import (
    draw_inputs,
    drawn_rows,
    input_rows,
    layer_hessians,
    unsupported,
)

layers = keras.layers


@pytest.mark.all_backends
@pytest.mark.parametrize(
    "layer, shape",
    [
        (layers.Dense(4), (5,)),
        (layers.Dense(4, use_bias=False), (3, 5)),
        (layers.Conv2D(4, 3), (7, 6, 2)),
        (layers.Conv2D(4, (3, 2), padding="same"), (7, 6, 2)),
        (layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False), (8, 7, 2)),
        (layers.Conv2D(4, (2, 3), dilation_rate=(2, 1), padding="same"), (7, 6, 2)),
        (layers.Conv2D(4, 5, strides=(3, 2)), (12, 9, 3)),
        (layers.Conv1D(4, 3, padding="causal", dilation_rate=2), (9, 2)),
        (layers.Conv3D(4, 2, padding="same"), (4, 3, 5, 2)),
    ],
)
def test_rows_times_kernel_is_what_the_layer_computes(layer, shape, monkeypatch):
    monkeypatch.setattr(layer_inputs, "_CHUNK", 1)  # one sample at a time
    keras.utils.set_random_seed(0)
    inputs = np.random.default_rng(0).normal(size=(3, *shape)).astype("float32")
    outputs = keras.ops.convert_to_numpy(layer(inputs))
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    matrix = kernel.reshape(-1, 4)
    if layer.use_bias:
        layer.bias.assign([1.0, 2.0, 3.0, 4.0])
        outputs = keras.ops.convert_to_numpy(layer(inputs))
        matrix = np.vstack([matrix, [1.0, 2.0, 3.0, 4.0]])
    rows = np.concatenate(list(input_rows(layer, inputs)))
    np.testing.assert_allclose(rows @ matrix, outputs.reshape(-1, 4), atol=1e-5)
    # All places, where there are no more than are asked for; else some of them.
    random, kernel_rows = np.random.default_rng(0), rows[:, : kernel.size // 4]
    np.testing.assert_array_equal(drawn_rows(layer, inputs, 10_000, random), kernel_rows)
    drawn = drawn_rows(layer, inputs, 2, random)
    per_sample = kernel_rows.reshape(3, -1, kernel_rows.shape[1])
    assert len(drawn) == 3 * min(2, per_sample.shape[1])
    for sample, found in zip(per_sample, drawn.reshape(3, -1, drawn.shape[1]), strict=True):
        assert {row.tobytes() for row in found} <= {row.tobytes() for row in sample}


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="TensorFlow has none on CPU.")
@pytest.mark.all_backends
def test_channels_first():
    layer = layers.Conv2D(4, 3, data_format="channels_first", use_bias=False)
    inputs = np.random.default_rng(0).normal(size=(3, 2, 7, 6)).astype("float32")
    outputs = keras.ops.convert_to_numpy(layer(inputs))  # (3, 4, 5, 4)
    rows = np.concatenate(list(input_rows(layer, inputs)))
    matrix = keras.ops.convert_to_numpy(layer.kernel).reshape(-1, 4)
    expected = np.moveaxis(outputs, 1, -1).reshape(-1, 4)
    np.testing.assert_allclose(rows @ matrix, expected, atol=1e-5)


@pytest.mark.all_backends
def test_hessian_streams_over_batches_and_calls():
    shared, other = layers.Dense(3, use_bias=False), layers.Dense(2)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, shared(shared(inputs)))
    x = np.random.default_rng(0).normal(size=(10, 3)).astype("float32")
    first, second = layer_hessians(model, [shared, other], [(x[:4], None), (x[4:], None)])
    again = keras.ops.convert_to_numpy(shared(x))
    both = np.concatenate([x, again]).astype(np.float64)
    np.testing.assert_allclose(first, both.T @ both / 20, atol=1e-6)
    np.testing.assert_array_equal(first, first.T)
    assert second is None
    assert "call" not in vars(shared)


@pytest.mark.all_backends
def test_a_layer_is_looked_at_in_the_same_places_every_time():
    model = keras.Sequential(
        [keras.Input((6, 6, 2)), layers.Conv2D(3, 3), layers.Conv2D(2, 2), layers.Flatten()]
    )
    first, second, other = model.layers[0], model.layers[1], layers.Dense(2)
    x = np.random.default_rng(0).normal(size=(9, 6, 6, 2)).astype("float32")
    batches = [(x[:5], None), (x[5:], None)]
    together = draw_inputs(model, {0: first, 1: second, 2: other}, batches, 3, seed=7)
    alone = draw_inputs(model, {1: second}, batches, 3, seed=7)
    assert together[0].shape == (27, 18) and together[2] is None
    np.testing.assert_array_equal(together[1], alone[1])
    assert not np.array_equal(draw_inputs(model, {1: second}, batches, 3, seed=8)[1], alone[1])
    kernel = keras.ops.convert_to_numpy(second.kernel).reshape(-1, 2)
    products = draw_inputs(model, {1: second}, batches, 3, 7, lambda index, rows: rows @ kernel)
    np.testing.assert_allclose(products[1], alone[1] @ kernel)


def test_inputs_that_are_not_finite_get_a_sentence():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="dense")])
    with pytest.raises(ValueError, match="Layer dense gets inputs that are not finite"):
        layer_hessians(model, model.layers, [(np.full((2, 3), np.nan, "float32"), None)])


@pytest.mark.parametrize(
    "layer, reason",
    [
        (layers.Conv2D(4, 3, groups=2), "reconstruction does not cover grouped convolutions"),
        (layers.DepthwiseConv2D(3), "reconstruction does not cover depthwise convolutions"),
        (layers.Conv2DTranspose(4, 3), "reconstruction does not cover Conv2DTranspose layers"),
        (layers.EinsumDense("ab,bc->ac", 3), "reconstruction does not cover EinsumDense layers"),
        (layers.Dense(3), None),
    ],
)
def test_layers_that_are_not_covered_have_a_reason(layer, reason):
    assert unsupported(layer) == reason
