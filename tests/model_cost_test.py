import keras
import numpy as np
import pytest

from keras_prune.model_cost import cost
from keras_prune.one_shot import prune

layers = keras.layers


def lenet_300_100():
    return keras.Sequential(
        [keras.Input((784,)), layers.Dense(300), layers.Dense(100), layers.Dense(10)]
    )


def lenet_5_caffe():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(20, 5),
            layers.MaxPooling2D(),
            layers.Conv2D(50, 5),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(500),
            layers.Dense(10),
        ]
    )


def test_lenet_300_100():
    report = cost(lenet_300_100())
    assert [layer.params for layer in report.layers] == [235200, 30000, 1000]
    assert report.params == report.macs == 266200


def test_lenet_5_caffe():
    report = cost(lenet_5_caffe())
    assert [layer.params for layer in report.layers] == [500, 25000, 400000, 5000]
    assert report.params == 430500
    # 24 x 24 and 8 x 8 positions.
    assert [layer.macs for layer in report.layers] == [288000, 1600000, 400000, 5000]


@pytest.mark.all_backends
def test_convnet_5_on_its_true_map_sizes():
    model = keras.Sequential(
        [
            keras.Input((24, 24, 3)),
            layers.Conv2D(64, 5, padding="same"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 5, padding="same"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(384),
            layers.Dense(192),
            layers.Dense(10),
        ]
    )
    report = cost(model)
    assert report.layers[0].macs == 2764800
    assert report.layers[1].macs == 14745600
    assert round(report.macs / 1e6, 2) == 18.47


@pytest.mark.all_backends
def test_sparse_macs_count_the_weights_left():
    model = lenet_5_caffe()
    prune(model, 0.9)
    report = cost(model)
    assert [layer.nonzero_params for layer in report.layers] == [50, 2500, 40000, 500]
    assert [layer.sparse_macs for layer in report.layers] == [28800, 160000, 40000, 500]
    assert report.sparse_macs == 229300
    assert "229,300" in str(report)


@pytest.mark.parametrize(
    "layer, shape, macs",
    [
        (layers.Conv2D(4, 3, strides=2, groups=2), (9, 9, 6), 3 * 3 * 3 * 4 * 16),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), (9, 9, 5), 9 * 5 * 2 * 49),
        (layers.SeparableConv2D(4, 3), (9, 9, 5), (9 * 5 + 5 * 4) * 49),
        (layers.Conv2DTranspose(4, 3, strides=2), (5, 5, 2), 9 * 2 * 4 * 25),
        (layers.Conv1D(4, 3, dilation_rate=2), (9, 2), 3 * 2 * 4 * 5),
        (layers.Dense(4), (7, 3), 7 * 12),
        (layers.EinsumDense("abcd,cde->abe", (None, 6)), (3, 2, 5), 3 * 60),
        (layers.LSTM(3), (7, 2), 7 * (2 * 12 + 3 * 12)),
        (layers.Bidirectional(layers.GRU(3)), (7, 2), 2 * 7 * (2 * 9 + 3 * 9)),
        (layers.MultiHeadAttention(2, 4), None, 4 * 5 * 6 * 8),
    ],
)
def test_layers(layer, shape, macs):
    if shape is None:
        inputs = keras.Input((5, 6))
        model = keras.Model(inputs, layer(inputs, inputs))
    else:
        model = keras.Sequential([keras.Input(shape), layer])
    assert cost(model).macs == macs


def test_embedding_costs_no_multiplication():
    model = keras.Sequential([keras.Input((5,), dtype="int32"), layers.Embedding(11, 8)])
    report = cost(model)
    assert (report.params, report.macs) == (88, 0)


class Twice(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(4)

    def call(self, inputs):
        return self.dense(self.dense(inputs))


@pytest.mark.all_backends
def test_subclassed_model_and_shared_layer():
    model = Twice()
    model(np.ones((2, 4)))
    report = cost(model)
    assert (report.params, report.macs) == (16, 32)
    assert cost(model, input_shape=(4,)) == report


def test_several_inputs_and_a_nested_model():
    inputs = {"a": keras.Input((3,), name="a"), "b": keras.Input((4, 3), name="b")}
    nested = keras.Sequential([keras.Input((4, 3)), layers.Dense(5), layers.Flatten()])
    outputs = layers.Concatenate()([layers.Dense(2)(inputs["a"]), nested(inputs["b"])])
    report = cost(keras.Model(inputs, outputs))
    assert sorted(layer.macs for layer in report.layers) == [6, 60]


def test_open_sizes_need_an_input_shape():
    model = keras.Sequential([keras.Input((None, None, 1)), layers.Conv2D(2, 3, padding="same")])
    assert cost(model, input_shape=(4, 4, 1)).macs == 16 * 18
    assert cost(model, input_shape=(None, 4, 4, 1)).macs == 16 * 18
    with pytest.raises(ValueError, match=r"pass `input_shape`.*Received: input_shape=\(None, None"):
        cost(model)


def test_layer_of_unknown_computation_is_marked():
    class Bilinear(layers.Layer):
        def build(self, shape):
            self.kernel = self.add_weight(shape=(shape[-1], shape[-1]), name="kernel")

        def call(self, inputs):
            return inputs @ self.kernel

    report = cost(keras.Sequential([keras.Input((3,)), Bilinear()]))
    assert report.layers[0].macs is None
    assert "?" in str(report)
