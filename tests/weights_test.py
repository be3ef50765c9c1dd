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
        (layers.Embedding(7, 4), (3,), (4, 1, 7)),
    ],
)
def test_views_of_all_supported_layers(layer, shape, view_shape):
    (weight,) = weights_of(layer, shape=shape)
    assert weight.skip is None
    assert weight.view_shape == view_shape
    kernel = np.random.default_rng(0).random(weight.shape)
    view = weight.to_view(kernel)
    np.testing.assert_array_equal(weight.from_view(view), kernel)


@pytest.mark.parametrize(
    "layer, shape, full_shape",
    [
        (layers.Dense(4), (3,), (1, 4, 3)),
        (layers.Conv2D(4, (3, 5), groups=2), (9, 9, 6), (2, 2, 3, 5, 3)),
        (layers.Conv1D(4, 3), (9, 2), (1, 4, 3, 2)),
        (layers.Conv2DTranspose(4, (3, 5)), (9, 9, 2), (1, 4, 3, 5, 2)),
        (layers.EinsumDense("abc,cde->abde", (None, 2, 4)), (3, 5), (1, 8, 5)),
    ],
)
def test_full_views_keep_the_window_and_the_groups(layer, shape, full_shape):
    (weight,) = weights_of(layer, shape=shape)
    assert weight.full_view_shape == full_shape
    kernel = np.random.default_rng(0).random(weight.shape)
    view = weight.to_view(kernel, full=True)
    assert view.shape == full_shape
    np.testing.assert_array_equal(weight.from_view(view), kernel)


def test_full_view_of_a_grouped_convolution_counts_outputs_by_group():
    (weight,) = weights_of(layers.Conv2D(6, (2, 3), groups=3), shape=(9, 9, 12))
    kernel = np.random.default_rng(0).random((2, 3, 4, 6))
    # Output 5 is the second one of the last group.
    np.testing.assert_array_equal(weight.to_view(kernel, full=True)[2, 1], kernel[..., 5])


@pytest.mark.parametrize(
    "layer, gates", [(layers.LSTM(3), 4), (layers.GRU(3), 3), (layers.SimpleRNN(3), 1)]
)
def test_recurrent_layers_have_gates_times_units_outputs(layer, gates):
    kernel, recurrent = weights_of(layer, shape=(5, 7))
    assert kernel.view_shape == (3 * gates, 1, 7)
    assert recurrent.view_shape == (3 * gates, 1, 3)
    assert kernel.skip is None and recurrent.skip is None


def test_embedding_is_a_matrix_of_tokens_by_features():
    (weight,) = weights_of(layers.Embedding(7, 4), shape=(3,))
    table = np.arange(28).reshape(7, 4)
    np.testing.assert_array_equal(weight.to_view(table)[2, 0], table[:, 2])


@pytest.mark.parametrize("filters", ["depth", ["other", "depth"]])
def test_depthwise_kernels_are_pruned_where_their_layer_is_named(filters):
    layer = layers.DepthwiseConv2D((3, 5), depth_multiplier=2, name="depth")
    model = keras.Sequential([keras.Input((9, 9, 4)), layer])
    (weight,) = find_weights(model, filters)
    assert weight.skip is None
    assert weight.view_shape == (8, 15, 1)
    assert weight.full_view_shape == (4, 2, 3, 5, 1)
    kernel = np.random.default_rng(0).random((3, 5, 4, 2))
    view = weight.to_view(kernel, full=True)
    np.testing.assert_array_equal(view[3, 1, :, :, 0], kernel[:, :, 3, 1])
    np.testing.assert_array_equal(weight.from_view(view), kernel)
    for other in (None, "dep", lambda layer: True):
        (weight,) = find_weights(model, other)
        assert weight.skip == "depthwise kernel: few weights, one input each"
    layer.trainable = False
    (weight,) = find_weights(model, filters)
    assert weight.skip == "frozen: `trainable` is False"


def test_convolution_in_as_many_groups_as_inputs_is_depthwise():
    layer = layers.Conv2D(8, (3, 5), groups=4, name="depth")
    model = keras.Sequential([keras.Input((9, 9, 4)), layer])
    (weight,) = find_weights(model)
    assert weight.skip == "depthwise kernel: few weights, one input each"
    (weight,) = find_weights(model, "depth")
    assert weight.skip is None
    assert weight.view_shape == (8, 15, 1)
    assert weight.full_view_shape == (4, 2, 3, 5, 1)
    kernel = np.random.default_rng(0).random((3, 5, 1, 8))
    # Output 7 is the second one of the last input.
    view = weight.to_view(kernel, full=True)
    np.testing.assert_array_equal(view[3, 1, :, :, 0], kernel[:, :, 0, 7])
    np.testing.assert_array_equal(weight.from_view(view), kernel)


def test_depthwise_part_of_a_separable_convolution_is_left_alone_though_its_layer_is_named():
    layer = layers.SeparableConv2D(4, 3, name="apart")
    model = keras.Sequential([keras.Input((9, 9, 2)), layer])
    depthwise, pointwise = find_weights(model, "apart")
    assert depthwise.skip == "depthwise kernel: few weights, one input each"
    assert pointwise.skip is None


def test_transposed_convolution_has_its_inputs_last():
    (weight,) = weights_of(layers.Conv2DTranspose(4, 3), shape=(9, 9, 2))
    kernel = np.random.default_rng(0).random((3, 3, 4, 2))
    np.testing.assert_array_equal(weight.to_view(kernel)[1, 5], kernel[1, 2, 1])


class Cell(layers.Layer):
    """A recurrent cell of someone's own."""

    state_size = output_size = 3

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 3), name="kernel")

    def call(self, inputs, states):
        return keras.ops.matmul(inputs, self.kernel) + states[0], states


def test_every_skipped_weight_has_its_reason():
    frozen = layers.Dense(2, trainable=False, name="frozen")
    found = weights_of(
        layers.SeparableConv2D(4, 3),
        layers.DepthwiseConv2D(3),
        layers.BatchNormalization(),
        layers.Reshape((5, 20)),
        layers.RNN(layers.StackedRNNCells([Cell()]), return_sequences=True),
        layers.EinsumDense("abc,bcd->abd", (5, 4), bias_axes="bd"),
        frozen,
        shape=(9, 9, 2),
    )
    reasons = {weight.path.split("/", 1)[1]: weight.skip for weight in found}
    depthwise = "depthwise kernel: few weights, one input each"
    names = [layer.name for layer in (found[0].layer, found[2].layer, found[4].layer)]
    assert reasons == {
        f"{names[0]}/depthwise_kernel": depthwise,
        f"{names[0]}/pointwise_kernel": None,
        f"{names[1]}/kernel": depthwise,
        f"{found[3].path.split('/', 1)[1]}": "layer Cell is not supported",
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
