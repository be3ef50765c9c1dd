"""The search for winner rates, against evaluations that are known beforehand."""

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.layers import WinnerTakeAll

pytestmark = pytest.mark.all_backends
layers = keras.layers


def network():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6,))
    x = layers.Dense(16, activation="relu", name="first")(inputs)
    y = layers.Add()([layers.Dense(16, name="branch")(x), x])
    x = layers.Dense(10, activation="relu", name="second")(layers.ReLU(name="sum")(y))
    model = keras.Model(inputs, layers.Dense(2, activation="softmax", name="classes")(x))
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def rates_in(model):
    return {layer.name: layer.rate for layer in model.layers if isinstance(layer, WinnerTakeAll)}


def score(model):
    """Falls by what the layers differ in: 0.1 (1 - rate) for the first, ten times that else."""
    losses = {"first_winners": 0.1, "branch_winners": 1.0, "second_winners": 1.0}
    return {
        "loss": 7.0,
        "score": 1.0 - sum(losses[name] * (1.0 - rate) for name, rate in rates_in(model).items()),
    }


def test_each_layer_gets_the_lowest_rate_that_is_tolerated():
    model = network()
    rates = [0.9, 0.8, 0.5, 0.2]
    found = kp.search_winner_rates(model, score, tolerance=0.05, rates=rates)
    assert found.rates == {"first": 0.5, "branch": 1.0, "second": 1.0}
    assert [rate for rate, _ in found.curves["first"]] == rates
    assert [rate for rate, _ in found.curves["second"]] == [0.9]
    assert found.baseline == {"loss": 7.0, "score": 1.0}
    assert dict(found.curves["first"])[0.5]["score"] == pytest.approx(0.95)
    assert rates_in(model) == {}
    assert "first" in str(found) and "50%" in str(found)
    every = kp.search_winner_rates(model, score, tolerance=0.5, rates=rates, filters="first|sec")
    assert every.rates == {"first": 0.2, "second": 0.5}


def test_data_are_evaluated_as_the_model_was_compiled():
    model = network()
    x = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
    y = (x[:, 0] > 0).astype(int)
    model.fit(x, y, epochs=3, verbose=0)
    before = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
    found = kp.search_winner_rates(
        model, (x, y), tolerance=0.1, rates=[0.5, 0.0], sample=0.5, seed=1
    )
    assert set(found.baseline) == {"loss", "accuracy"}
    for name, rate in found.rates.items():
        if rate < 1.0:
            masked = kp.attach_activation_masks(model, {name: rate}, sample=0.5, seed=1)
            masked.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
            again = masked.evaluate(x, y, verbose=0, return_dict=True)
            assert dict(found.curves[name])[rate] == pytest.approx(again, rel=1e-4)
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(weight), value)


def test_layers_that_share_their_activations_get_one_rate():
    inputs = keras.Input((6,))
    y = layers.Add()([layers.Dense(8, name="a")(inputs), layers.Dense(8, name="b")(inputs)])
    model = keras.Model(inputs, layers.Dense(2)(layers.ReLU()(y)))
    model.compile("sgd", "mse")
    calls = []

    def evaluate(model):
        calls.append(rates_in(model))
        return 1.0

    found = kp.search_winner_rates(model, evaluate, rates=[0.5])
    assert found.rates == {"a": 0.5, "b": 0.5} and calls == [{}, {"a_winners": 0.5}]
    assert kp.attach_activation_masks(model, found.rates)


@pytest.mark.parametrize(
    "arguments, text",
    [
        ({"tolerance": -1}, r"`tolerance` must be a number >= 0.*Received: tolerance=-1"),
        ({"tolerance": None}, "Received: tolerance=None"),
        (
            {"rates": [0.1, 0.5]},
            r"`rates` must hold numbers that fall. Received: rates=\[0.1, 0.5\]",
        ),
        ({"rates": []}, r"Received: rates=\[\]"),
        ({"rates": [1.5]}, "must be a number from 0 to 1. Received: rates=1.5"),
        ({"monitor": "other"}, "`monitor` must name a part of the evaluation"),
        (
            {"filters": "classes"},
            "no layer whose activations can be masked.*`classes` makes outputs",
        ),
    ],
)
def test_wrong_arguments_get_a_sentence(arguments, text):
    with pytest.raises(ValueError, match=text):
        kp.search_winner_rates(network(), score, **arguments)
    with pytest.raises(ValueError, match=r"copies of a compiled model. Received: model=None"):
        kp.search_winner_rates(None, score)
