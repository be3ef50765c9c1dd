import keras
import numpy as np
import pytest

from keras_prune.reconstruction import layer_inputs
from keras_prune.reconstruction.layer_inputs import input_rows, layer_hessians, unsupported

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
