"""Dropout rates follow the connections before the layer."""

import keras
import numpy as np
import pytest

from keras_prune.recipes.dropout_rates import DropoutRates
from tests.small_models import mlp


def branched():
    """Two Dense layers of 4 x 4 that are added, a Dropout, and one at the input."""
    inputs = keras.Input((4,))
    early = keras.layers.Dropout(0.3, name="early")(inputs)
    first = keras.layers.Dense(4, name="first")(early)
    second = keras.layers.Dense(4, name="second")(early)
    added = keras.layers.ReLU()(keras.layers.Add()([first, second]))
    return keras.Model(inputs, keras.layers.Dropout(0.5, name="late")(added))


def set_zeros(layer, count):
    kernel = np.ones((4, 4), "float32")
    kernel.ravel()[:count] = 0.0
    layer.kernel.assign(kernel)


def test_rate_is_scaled_by_the_root_of_the_density():
    model = branched()
    set_zeros(model.get_layer("first"), 16 - 2)
    set_zeros(model.get_layer("second"), 16 - 6)
    rates = DropoutRates(model)
    rates.scale()
    assert model.get_layer("late").rate == pytest.approx(0.5 * (8 / 32) ** 0.5)
    assert model.get_layer("early").rate == 0.3  # no kernel before it
    rates.scale()
    assert model.get_layer("late").rate == pytest.approx(0.25)
    rates.restore()
    assert model.get_layer("late").rate == 0.5


def test_a_model_without_dropout_gets_a_sentence():
    with pytest.raises(ValueError, match=r"needs a Dropout layer.*Received: model=mlp"):
        DropoutRates(mlp())
