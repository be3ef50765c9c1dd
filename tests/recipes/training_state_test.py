"""A state is taken, put back, and refused where it does not fit."""

import random

import keras
import numpy as np
import pytest

from keras_prune.recipes import training_state
from tests.recipes.round_models import assert_same, fit, noisy, state_of
from tests.small_models import mlp


@pytest.mark.all_backends
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16", "bfloat16"])
def test_a_state_comes_back_to_the_bit(dtype):
    model = noisy(dtype=dtype)
    fit(model, [], 0, epochs=1)
    before, arrays = state_of(model), training_state.take(model)
    fit(model, [], 0, epochs=1)
    training_state.put(model, arrays)
    assert_same(state_of(model), before)
    assert all(array.dtype.kind != "V" for array in arrays.values())


def test_a_copy_does_not_follow_the_model():
    model = mlp()
    arrays = training_state.take(model)
    before = arrays["model/0"].copy()
    model.variables[0].assign(np.zeros((8, 16)))
    np.testing.assert_array_equal(arrays["model/0"], before)


def test_a_state_of_another_model_or_optimizer_is_refused():
    model, other = mlp(), noisy()
    with pytest.raises(ValueError, match=r"does not fit the model's variables.*Received"):
        training_state.put(model, training_state.take(other))
    arrays = training_state.take(model)
    model.optimizer.build(model.trainable_variables)
    with pytest.raises(ValueError, match=r"does not fit the model's optimizer.*Received"):
        training_state.put(model, arrays)


@pytest.mark.all_backends
def test_random_numbers_go_on_where_they_were():
    def draws():
        order = keras.backend.backend() == "torch" and __import__("torch").rand(3).tolist()
        return random.random(), np.random.normal(), np.random.normal(), order

    np.random.normal()  # numpy keeps the second of a pair
    state = training_state.random_state()
    first = draws()
    training_state.set_random_state(state)
    assert draws() == first
