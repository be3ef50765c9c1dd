import keras
import numpy as np
import pytest

from keras_prune.layers import ClusteredConv2D

pytestmark = pytest.mark.all_backends


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def to_numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def layer_of(counts, filters=4, **arguments):
    layer = ClusteredConv2D(filters, (3, 2), counts, **arguments)
    layer.build((None, 6, 6, len(counts)))
    return layer


def test_it_is_the_convolution_with_the_gathered_kernel():
    layer = layer_of([2, 0, 4], padding="same", strides=2, activation="relu")
    layer.centroids.assign(normal(6, 3, 2))
    layer.bias.assign(normal(4))
    stock = keras.layers.Conv2D(4, (3, 2), padding="same", strides=2, activation="relu")
    stock.build((None, 6, 6, 3))
    kernel = np.zeros((3, 2, 3, 4), "float32")
    kernel[:, :, 0] = normal(6, 3, 2)[[0, 1, 0, 1]].transpose(1, 2, 0)  # in turn
    kernel[:, :, 2] = normal(6, 3, 2)[[2, 3, 4, 5]].transpose(1, 2, 0)
    np.testing.assert_array_equal(to_numpy(layer.kernel), kernel)
    stock.set_weights([kernel, normal(4)])
    x = normal(2, 6, 6, 3)
    np.testing.assert_allclose(to_numpy(layer(x)), to_numpy(stock(x)), atol=1e-6)
    assert layer.count_params() == 6 * 6 + 4 + 3 * 4


def test_a_centroid_learns_what_all_filters_that_take_it_learn():
    model = keras.Sequential(
        [keras.Input((6, 6, 2)), ClusteredConv2D(4, 3, [2, 3]), keras.layers.Flatten()]
    )
    clustered = model.layers[0]
    stock = keras.layers.Conv2D(4, 3)
    reference = keras.Sequential([keras.Input((6, 6, 2)), stock, keras.layers.Flatten()])
    index = to_numpy(clustered.index)
    before = to_numpy(clustered.centroids).copy()
    stock.set_weights([to_numpy(clustered.kernel), np.zeros(4)])
    kernel = to_numpy(stock.kernel).copy()
    x, y = normal(8, 6, 6, 2), normal(8, 64)
    for one in (model, reference):
        one.compile(keras.optimizers.SGD(1.0), "mse")
        one.fit(x, y, batch_size=8, verbose=0)
    step = (to_numpy(stock.kernel) - kernel).transpose(2, 3, 0, 1)
    expected = np.zeros_like(before)
    np.add.at(expected, index, step)
    np.testing.assert_allclose(to_numpy(clustered.centroids) - before, expected, atol=1e-5)
    assert abs(expected).max() > 1e-3
    np.testing.assert_array_equal(to_numpy(clustered.index), index)
    np.testing.assert_allclose(to_numpy(clustered.bias), to_numpy(stock.bias), atol=1e-5)


def test_it_is_saved(tmp_path):
    first = ClusteredConv2D(4, 3, [1, 4, 0], kernel_regularizer="l2", use_bias=False, name="shared")
    model = keras.Sequential([keras.Input((6, 6, 3)), first])
    index = to_numpy(first.index)[:, ::-1].copy()
    first.index.assign(index)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[0].get_config() == first.get_config()
    np.testing.assert_array_equal(to_numpy(loaded.layers[0].index), index)
    x = normal(2, 6, 6, 3)
    np.testing.assert_array_equal(to_numpy(loaded(x)), to_numpy(model(x)))
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(to_numpy(clone(x)), to_numpy(model(x)))


def test_mixed_precision():
    layer = ClusteredConv2D(4, 3, [2, 2], dtype="mixed_bfloat16")
    y = layer(normal(1, 6, 6, 2))
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
    assert layer.centroids.dtype == "float32" and layer.index.dtype == "int32"


def test_a_fresh_layer_begins_as_a_convolution_does():
    layer = ClusteredConv2D(4, 3, [2, 3], kernel_initializer=keras.initializers.GlorotUniform(0))
    layer.build((None, 6, 6, 2))
    stock = keras.layers.Conv2D(4, 3, kernel_initializer=keras.initializers.GlorotUniform(0))
    stock.build((None, 6, 6, 2))
    kernel = to_numpy(stock.kernel)
    np.testing.assert_array_equal(
        to_numpy(layer.centroids)[:2], kernel[:, :, 0, :2].transpose(2, 0, 1)
    )
    np.testing.assert_array_equal(
        to_numpy(layer.centroids)[2:], kernel[:, :, 1, :3].transpose(2, 0, 1)
    )


@pytest.mark.parametrize("counts", [[5], [-1, 2], [0, 0], [1.5], [True], []])
def test_bad_counts_get_a_sentence(counts):
    with pytest.raises(ValueError, match=r"from 0 to `filters`.*Received: counts="):
        ClusteredConv2D(4, 3, counts)


def test_what_does_not_fit_gets_a_sentence():
    with pytest.raises(
        ValueError, match=r"one number for each input channel. Received: input_shape"
    ):
        ClusteredConv2D(4, 3, [2, 2]).build((None, 6, 6, 3))
    with pytest.raises(ValueError, match=r"no groups of inputs and no LoRA. Received: groups=2"):
        ClusteredConv2D(4, 3, [2, 2], groups=2)
    assert not hasattr(ClusteredConv2D(4, 3, [2, 2]), "kernel")  # as of any layer before its build
    with pytest.raises(ValueError, match="knows no LoRA"):
        layer_of([2]).enable_lora(2)
