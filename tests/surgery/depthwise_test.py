"""Convolutions as depthwise and pointwise layers: data-free acceleration."""

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune import backend
from keras_prune.surgery.depthwise import approximate_by_depthwise, depthwise_layers
from keras_prune.surgery.filter_groups import group_layers
from tests.surgery.graphs import assert_same, disturb

pytestmark = pytest.mark.all_backends
layers = keras.layers


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def one_layer(inputs=3, filters=8, window=3, cls=layers.Conv2D, **arguments):
    keras.utils.set_random_seed(0)
    layer = cls(filters, window, name="conv", **arguments)
    rank = 1 if cls is layers.Conv1D else 2
    return disturb(keras.Sequential([keras.Input((8,) * rank + (inputs,)), layer])), layer


def values_of(layer):
    return backend.to_numpy(layer.kernel).astype("float64")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"filters": 12},
        {"padding": "same", "strides": 2, "activation": "relu", "use_bias": False},
        {"dilation_rate": 2, "window": (3, 2)},
        {"cls": layers.Conv1D, "strides": 2},
    ],
)
def test_with_all_singular_values_nothing_changes(arguments):
    model, layer = one_layer(**arguments)
    new, _, same = depthwise_layers(layer, values_of(layer), 100)
    np.testing.assert_allclose(same, values_of(layer), atol=1e-6)
    window = int(np.prod(layer.kernel_size))
    assert new[0].depth_multiplier == min(window, layer.filters)
    assert new[0].bias is None and (new[1].bias is not None) == layer.use_bias
    assert_same(model, kp.replace(model, {"conv": new}), normal(2, *model.input_shape[1:]))


@pytest.mark.parametrize("rank", [1, 2, 5])
def test_error_and_cost_are_those_of_the_formulas(rank):
    model, layer = one_layer(inputs=4, filters=40)
    small, report = approximate_by_depthwise(model, rank)
    (line,) = report.layers
    kernel = values_of(layer)
    tails = [
        np.linalg.svd(kernel[:, :, c].reshape(9, 40), compute_uv=False)[rank:] for c in range(4)
    ]
    error = np.linalg.norm(tails) / np.linalg.norm(kernel)
    assert line.error == pytest.approx(error, rel=1e-5)
    assert line.params_after / line.params == pytest.approx(rank / 40 + rank / 9)
    assert line.macs == 36 * 36 * 40 and line.macs_after == 36 * line.params_after
    assert kp.cost(small).macs == line.macs_after
    assert [type(part) for part in small.layers] == [layers.DepthwiseConv2D, layers.Conv2D]
    # The new layers do what the kernel says whose error that is.
    _, _, same = depthwise_layers(layer, kernel, rank)
    layer.kernel.assign(same)
    assert_same(model, small, normal(2, 8, 8, 4))


def test_it_is_filter_groups_with_a_group_for_each_input():
    _, layer = one_layer()
    _, _, one = depthwise_layers(layer, values_of(layer), 2)
    _, _, other = group_layers(layer, values_of(layer), 3, 2)
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_a_part_of_the_energy_is_kept():
    model, layer = one_layer(inputs=4, filters=40)
    windows = np.random.default_rng(1).normal(size=(9, 4, 1)) * normal(1, 4, 40)
    layer.kernel.assign((windows + 0.01 * normal(9, 4, 40)).reshape(3, 3, 4, 40))
    _, report = approximate_by_depthwise(model, 0.99)
    assert report.layers[0].by == "depthwise of rank 1" and report.layers[0].error ** 2 < 0.01
    _, report = approximate_by_depthwise(model, 0.99999)
    assert report.layers[0].error ** 2 < 0.00001


def test_layers_that_cannot_be_replaced_say_why():
    inputs = keras.Input((16, 4))
    x = layers.Conv1D(8, 3, padding="causal", name="causal")(inputs)
    x = layers.Conv1D(8, 1, name="point")(x)
    x = layers.Reshape((16, 1, 8))(x)
    x = layers.Conv2D(8, 3, strides=(2, 1), padding="same", name="uneven")(x)
    x = layers.Conv2D(8, 3, padding="same", name="good")(x)
    x = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    _, report = approximate_by_depthwise(keras.Model(inputs, x))
    assert [line.name for line in report.replaced] == ["good"]
    assert {line.name: line.skip for line in report.skipped} == {
        "causal": "depthwise layers know no causal padding",
        "point": "it has a window of 1 already",
        "uneven": "depthwise layers take the same stride along all axes",
        "depthwise": "DepthwiseConv2D layers are not covered",
    }


def test_a_channels_first_layer_keeps_its_format():
    layer = layers.Conv2D(8, 3, data_format="channels_first", name="conv")
    layer.build((None, 3, 8, 8))
    new, _, _ = depthwise_layers(layer, values_of(layer), 2)
    assert [part.data_format for part in new] == ["channels_first"] * 2
    assert new[0].compute_output_shape((1, 3, 8, 8)) == (1, 6, 6, 6)


def test_the_copy_trains():
    model, _ = one_layer()
    small, _ = approximate_by_depthwise(model, 1)
    small.compile("sgd", "mse")
    x, y = normal(8, 8, 8, 3), normal(8, 6, 6, 8)
    losses = small.fit(x, y, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("rank", [0, 1.5, -0.1, "1", True])
def test_wrong_ranks_get_a_sentence(rank):
    with pytest.raises(ValueError, match=r"float in \(0, 1\).*Received: rank="):
        approximate_by_depthwise(one_layer()[0], rank)


def test_nothing_to_replace_is_an_error():
    with pytest.raises(ValueError, match="it would not become cheaper: 408 weights instead of 216"):
        model, _ = one_layer()
        approximate_by_depthwise(model, 9)
