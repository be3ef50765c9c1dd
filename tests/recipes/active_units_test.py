import keras
import numpy as np
import pytest

from keras_prune.recipes.active_units import most_active, take_over
from tests.recipes.density_models import dense, layers, residual

pytestmark = pytest.mark.all_backends


def test_the_most_active_units_come_in_their_order():
    counts = {"a": np.array([3, 9, 3, 7, 0])}
    assert most_active(counts, {"a": 3})["a"].tolist() == [0, 1, 3]
    assert most_active(counts, {"a": 1})["a"].tolist() == [1]
    assert most_active(counts, {"a": 5})["a"].tolist() == [0, 1, 2, 3, 4]


def chain(widths):
    """Convolutions, normalization, a depthwise one, pooling, Flatten, Dense."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(widths.get("first", 6), 3, name="first"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(name="relu"),
            layers.DepthwiseConv2D(3, activation="relu", name="depthwise"),
            layers.Conv2D(widths.get("second", 5), 3, activation="relu", name="second"),
            layers.MaxPooling2D(name="pool"),
            layers.Flatten(name="flatten"),
            layers.Dense(widths.get("third", 7), "relu", name="third"),
            layers.Dense(3, name="logits"),
        ]
    )


def kill(model, name, units):
    """Let units of a layer be zero behind its non-linearity."""
    layer = model.get_layer(name)
    if layer.use_bias:
        layer.bias.assign(np.where(np.isin(np.arange(layer.bias.shape[0]), units), -99.0, 0.1))
        return
    norm = model.get_layer(f"{name}_norm")
    norm.beta.assign(np.where(np.isin(np.arange(norm.beta.shape[0]), units), -99.0, 0.1))


def test_without_its_dead_units_a_chain_computes_the_same():
    keras.utils.set_random_seed(0)
    old, new = chain({}), chain({"first": 4, "second": 3, "third": 4})
    old.get_layer("depthwise").bias.assign(np.full(6, -0.01))  # nothing comes from nothing
    dead = {"first": [1, 4], "second": [0, 3], "third": [0, 5, 6]}
    for name, units in dead.items():
        kill(old, name, units)
    kept = {
        name: np.setdiff1d(np.arange(size), dead[name])
        for name, size in (("first", 6), ("second", 5), ("third", 7))
    }
    take_over(new, old, kept)
    x = np.random.default_rng(0).normal(size=(4, 8, 8, 2)).astype("float32")
    before, after = (keras.ops.convert_to_numpy(model(x)) for model in (old, new))
    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-6)
    assert np.abs(before).max() > 0.1


def test_without_dead_units_inside_its_blocks_a_residual_network_computes_the_same():
    keras.utils.set_random_seed(0)
    old, new = residual({}), residual({"a1": 5, "b1": 6})
    dead = {"a1": [0, 3, 7], "b1": [2, 4]}
    for name, units in dead.items():
        kill(old, name, units)
    take_over(new, old, {name: np.setdiff1d(np.arange(8), units) for name, units in dead.items()})
    x = np.random.default_rng(0).normal(size=(4, 8, 8, 1)).astype("float32")
    before, after = (keras.ops.convert_to_numpy(model(x)) for model in (old, new))
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-5)


def test_behind_a_sum_the_units_are_those_of_the_block():
    old, new = residual({}), residual({"a2": 3, "b1": 8})
    take_over(new, old, {"stem": np.array([5, 4, 3, 2, 1, 0]), "a2": np.array([0, 2, 5])})
    kernel = keras.ops.convert_to_numpy(old.get_layer("b1").kernel)
    found = keras.ops.convert_to_numpy(new.get_layer("b1").kernel)
    np.testing.assert_array_equal(found, kernel[:, :, [0, 2, 5]])


def test_what_cannot_be_followed_is_refused_with_the_model_as_it_was():
    def joined(widths):
        inputs = keras.Input((8,))
        parts = [layers.Dense(widths.get(n, 4), "relu", name=n)(inputs) for n in "ab"]
        both = layers.Concatenate(name="join")(parts)
        return keras.Model(inputs, layers.Dense(3, name="logits")(both))

    old, new = joined({}), joined({"a": 2})
    before = new.get_weights()
    with pytest.raises(ValueError, match=r'use "fresh".*Received: join'):
        take_over(new, old, {"a": np.array([0, 1])})
    with pytest.raises(ValueError, match=r"layers of the same names.*Received: "):
        take_over(new, dense({}), {})
    for one, other in zip(before, new.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
