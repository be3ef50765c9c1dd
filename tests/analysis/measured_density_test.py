"""Measured activations: densities and histograms against numpy."""

import keras
import numpy as np
import pytest

import keras_prune as kp

pytestmark = pytest.mark.all_backends
layers = keras.layers


def network():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 2))
    x = layers.Conv2D(4, 3, name="conv")(inputs)
    x = layers.ReLU(name="relu")(layers.BatchNormalization()(x))
    x = layers.Flatten()(layers.MaxPooling2D()(x))
    y = layers.Add()([layers.Dense(6, name="a")(x), layers.Dense(6, name="b")(x)])
    y = layers.LeakyReLU(name="leaky")(y)
    return keras.Model(inputs, layers.Dense(3, name="logits")(y))


def images(count=37):
    return np.random.default_rng(1).normal(size=(count, 8, 8, 2)).astype("float32")


def maps(model, x, names):
    outputs = keras.Model(model.input, [model.get_layer(name).output for name in names])
    return keras.tree.flatten(outputs.predict(x, verbose=0))


def test_densities_are_those_of_the_maps():
    model, x = network(), images()
    relu, leaky = maps(model, x, ["relu", "leaky"])
    found = kp.activation_density(model, x, batch_size=8)
    assert list(found.layers) == ["conv", "a", "b", "logits"]
    np.testing.assert_array_equal(found.layers["conv"].nonzero, (relu != 0).sum((0, 1, 2)))
    assert found.layers["conv"].positions == 37 * 36
    assert found.layers["a"].density == found.layers["b"].density == (leaky != 0).mean()
    assert found.layers["logits"].density == 1.0
    # The sum of a and b counts once.
    live = (relu != 0).sum() + (leaky != 0).sum() + 37 * 3
    assert found.density == live / (relu.size + leaky.size + 37 * 3)
    assert found.density == kp.cost(model, data=x).activation_density
    assert "conv" in str(found) and "total" in str(found)


def test_data_sets_filters_and_small_values():
    model, x = network(), images(20)
    (leaky,) = maps(model, x, ["leaky"])
    batches = [(x[:7], None), (x[7:], None)]
    found = kp.activation_density(model, batches, filters="a|b", eps=0.1)
    assert list(found.layers) == ["a", "b"]
    assert found.layers["a"].density == (np.abs(leaky) > 0.1).mean()
    assert found.density == found.layers["a"].density


def test_a_layer_that_is_called_twice_counts_twice():
    inputs = keras.Input((4,))
    dense = layers.Dense(4, activation="relu", name="dense")
    model = keras.Model(inputs, layers.Dense(2, name="out")(dense(dense(inputs))))
    x = np.random.default_rng(0).normal(size=(10, 4)).astype("float32")
    assert kp.activation_density(model, x).layers["dense"].positions == 20


def test_histograms_count_what_is_there():
    model, x = network(), images()
    relu, leaky = maps(model, x, ["relu", "leaky"])
    found = kp.activation_histograms(model, x, bins=7, filters="conv|a", batch_size=10)
    assert list(found) == ["conv", "a"]
    assert found["conv"].zeros == (relu == 0).sum()
    live = relu[relu != 0]
    assert found["conv"].edges[0] == 0.0 and found["conv"].edges[-1] == relu.max()
    np.testing.assert_array_equal(
        found["conv"].counts, np.histogram(live, np.linspace(0.0, relu.max(), 8))[0]
    )
    assert found["a"].edges[0] == leaky.min()
    assert found["a"].counts.sum() + found["a"].zeros == leaky.size
    assert found["conv"].density == (relu != 0).mean()


def test_histograms_with_given_limits():
    model, x = network(), images()
    (relu,) = maps(model, x, ["relu"])
    found = kp.activation_histograms(model, x, bins=2, limits=(0.5, 1.0), filters="conv")["conv"]
    live = relu[relu != 0]
    expected = [(live < 0.75).sum(), (live >= 0.75).sum()]  # what lies beyond is in the last bins
    np.testing.assert_array_equal(found.counts, expected)
    limits = {"conv": (0.0, 2.0)}
    again = kp.activation_histograms(model, x, limits=limits, filters="conv")["conv"]
    assert again.edges[-1] == 2.0
    with pytest.raises(ValueError, match=r"`limits` must be two numbers.* layer 'a'"):
        kp.activation_histograms(model, x, limits=limits)
    with pytest.raises(ValueError, match=r"`limits`.* Received: .*\(1.0, 0.0\)"):
        kp.activation_histograms(model, x, limits=(1.0, 0.0))


def test_dead_layers_and_numbers_that_are_none():
    inputs = keras.Input((4,))
    dead = layers.Dense(3, activation="relu", kernel_initializer="zeros", name="dead")
    model = keras.Model(inputs, layers.Dense(2, name="out")(dead(inputs)))
    x = np.ones((5, 4), "float32")
    histogram = kp.activation_histograms(model, x)["dead"]
    assert (histogram.counts.sum(), histogram.zeros, histogram.density) == (0, 15, 0.0)
    assert "3/3" in str(kp.activation_density(model, x))
    x[0, 0] = np.nan
    assert kp.activation_histograms(model, x)["dead"].unordered == 3
    assert kp.activation_density(model, x).layers["dead"].density == 0.2


def test_wrong_arguments():
    model, x = network(), images(4)
    for wrong, sentence in [
        ({"filters": "none"}, "No layer with a kernel matches. Received: filters='none'"),
        ({"eps": -1}, "`eps` must be a number >= 0. Received: eps=-1"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            kp.activation_density(model, x, **wrong)
    with pytest.raises(ValueError, match=r"holds no example. Received: no batch"):
        kp.activation_density(model, [])
    with pytest.raises(ValueError, match=r"Received: "):
        kp.activation_density(model, "images")
    with pytest.raises(ValueError, match=r"`bins`.*Received: bins=0"):
        kp.activation_histograms(model, x, bins=0)
