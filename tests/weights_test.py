import keras
import numpy as np
import pytest

from keras_prune.weights import find_weights

layers = keras.layers


def weights_of(*stack, shape):
    return find_weights(keras.Sequential([keras.Input(shape), *stack]))


def test_dense_view_is_outputs_by_inputs():
    (weight,) = weights_of(layers.Dense(3), shape=(5,))
    kernel = np.arange(15).reshape(5, 3)
    view = weight.to_view(kernel)
    assert view.shape == weight.view_shape == (3, 1, 5)
    np.testing.assert_array_equal(view[1, 0], kernel[:, 1])
    np.testing.assert_array_equal(weight.from_view(view), kernel)


@pytest.mark.parametrize(
    "layer, shape, view_shape",
    [
        (layers.Conv1D(4, 3), (9, 2), (4, 3, 2)),
        (layers.Conv2D(4, (3, 5)), (9, 9, 2), (4, 15, 2)),
        (layers.Conv2D(4, 3, groups=2), (9, 9, 6), (4, 9, 3)),
        (layers.Conv3D(4, 2), (5, 5, 5, 2), (4, 8, 2)),
        (layers.Conv1DTranspose(4, 3), (9, 2), (4, 3, 2)),
        (layers.Conv2DTranspose(4, 3), (9, 9, 2), (4, 9, 2)),
        (layers.Conv3DTranspose(4, 2), (5, 5, 5, 2), (4, 8, 2)),
        (layers.EinsumDense("abc,cd->abd", (None, 4)), (3, 5), (4, 1, 5)),
        (layers.EinsumDense("abc,cde->abde", (None, 2, 4)), (3, 5), (8, 1, 5)),
        (layers.EinsumDense("abcd,cde->abe", (3, 6)), (3, 2, 5), (6, 1, 10)),
    ],
)
def test_views_of_all_supported_layers(layer, shape, view_shape):
    (weight,) = weights_of(layer, shape=shape)
    assert weight.skip is None
    assert weight.view_shape == view_shape
    kernel = np.random.default_rng(0).random(weight.shape)
    view = weight.to_view(kernel)
    np.testing.assert_array_equal(weight.from_view(view), kernel)


def test_transposed_convolution_has_its_inputs_last():
    (weight,) = weights_of(layers.Conv2DTranspose(4, 3), shape=(9, 9, 2))
    kernel = np.random.default_rng(0).random((3, 3, 4, 2))
    np.testing.assert_array_equal(weight.to_view(kernel)[1, 5], kernel[1, 2, 1])


def test_every_skipped_weight_has_its_reason():
    frozen = layers.Dense(2, trainable=False, name="frozen")
    found = weights_of(
        layers.SeparableConv2D(4, 3),
        layers.DepthwiseConv2D(3),
        layers.BatchNormalization(),
        layers.Reshape((5, 20)),
        layers.LSTM(3, return_sequences=True),
        layers.EinsumDense("abc,bcd->abd", (5, 4), bias_axes="bd"),
        frozen,
        shape=(9, 9, 2),
    )
    reasons = {weight.path.split("/", 1)[1]: weight.skip for weight in found}
    depthwise = "depthwise kernel: few weights, one input each"
    names = [layer.name for layer in (found[0].layer, found[2].layer, found[5].layer)]
    assert reasons == {
        f"{names[0]}/depthwise_kernel": depthwise,
        f"{names[0]}/pointwise_kernel": None,
        f"{names[1]}/kernel": depthwise,
        f"{found[3].path.split('/', 1)[1]}": "layer LSTMCell is not supported",
        f"{found[4].path.split('/', 1)[1]}": "layer LSTMCell is not supported",
        f"{names[2]}/kernel": "equation abc,bcd->abd is no plain projection from inputs to outputs",
        "frozen/kernel": "frozen: `trainable` is False",
    }


@pytest.mark.parametrize("filters", ["^on", ["nothing", "one"], lambda layer: layer.name == "one"])
def test_filters_as_in_quantize(filters):
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(4, name="one"), layers.Dense(4, name="two")]
    )
    assert [weight.skip for weight in find_weights(model, filters)] == [
        None,
        "left out by `filters`",
    ]


def test_quantized_and_lora_layers_are_skipped():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(4), layers.Dense(4)])
    model.layers[0].quantize("int8")
    model.layers[1].enable_lora(2)
    first, *rest = find_weights(model)
    assert first.skip == "quantized to int8: prune before `model.quantize`"
    assert {weight.skip for weight in rest} == {"LoRA is enabled: merge it before pruning"}


def test_custom_layers_and_attention():
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = layers.Dense(4)

        def build(self, shape):
            self.scale = self.add_weight(shape=(shape[-1], shape[-1]), name="scale")
            self.inner.build(shape)

        def call(self, inputs):
            return self.inner(inputs)

    inputs = keras.Input((3, 4))
    outputs = Block()(layers.MultiHeadAttention(2, 4)(inputs, inputs))
    found = find_weights(keras.Model(inputs, outputs))
    assert [weight.skip for weight in found if weight.skip] == ["layer Block is not supported"]
    assert len(found) == 4 + 1 + 1


@pytest.mark.parametrize(
    "model, filters, sentence",
    [
        ("model", None, "Expected a `keras.Model`. Received: model=model"),
        (keras.Sequential([layers.Dense(3)]), None, "has no weights yet"),
        (keras.Sequential([keras.Input((2,)), layers.Dense(3)]), 5, "Received: filters=5"),
    ],
)
def test_wrong_arguments_get_a_sentence(model, filters, sentence):
    with pytest.raises(ValueError, match=sentence):
        find_weights(model, filters)
