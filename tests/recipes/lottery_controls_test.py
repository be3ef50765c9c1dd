"""Masks and weights drawn at random."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_prune as kp
from keras_prune.recipes import training_state
from keras_prune.recipes.lottery_controls import random_masks, reinitialized
from keras_prune.weights import find_weights
from tests.small_models import mlp


@settings(max_examples=30, deadline=None)
@given(st.floats(0.0, 0.99), st.integers(0, 100))
def test_random_masks_keep_as_many_weights(sparsity, seed):
    weights = WEIGHTS
    masks = [np.arange(w.size).reshape(w.shape) >= sparsity * w.size for w in weights]
    drawn = random_masks(weights, masks, kp.Unstructured(), seed, 1)
    assert [mask.sum() for mask in drawn] == [mask.sum() for mask in masks]


WEIGHTS = find_weights(mlp())


def test_random_masks_have_the_granularity_and_differ_between_rounds():
    masks = [np.ones(weight.shape, bool) for weight in WEIGHTS]
    masks[0][:, :8] = False  # half of the units of `hidden`
    first = random_masks(WEIGHTS, masks, kp.Filter(), 0, 1)
    assert sorted(first[0].sum(axis=0)) == [0] * 8 + [8] * 8
    assert first[1].all()
    again, second = (random_masks(WEIGHTS, masks, kp.Filter(), 0, number) for number in (1, 2))
    np.testing.assert_array_equal(first[0], again[0])
    assert np.any(first[0] != second[0])


@pytest.mark.all_backends
def test_fresh_weights_come_from_the_initializers():
    model = mlp()
    model.optimizer.build(model.trainable_variables)
    model.get_layer("hidden").bias.assign(np.ones(16))
    initial = training_state.take(model)
    fresh = reinitialized(model, initial, 0, 1)
    limit = (6 / (8 + 16)) ** 0.5  # of Glorot's uniform distribution
    kernel = fresh["model/0"]
    assert 0.5 * limit < np.abs(kernel).max() <= limit
    assert not np.any(kernel == initial["model/0"])
    assert not fresh["model/1"].any()
    np.testing.assert_array_equal(kernel, reinitialized(model, initial, 0, 1)["model/0"])
    assert np.any(kernel != reinitialized(model, initial, 0, 2)["model/0"])


def test_a_model_that_cannot_be_copied_gets_a_sentence():
    class Own(keras.Model):
        def __init__(self, units):
            super().__init__()
            self.dense = keras.layers.Dense(units)

        def call(self, x):
            return self.dense(x)

        def get_config(self):
            raise NotImplementedError

    model = Own(3)
    model(np.zeros((1, 2)))
    with pytest.raises(ValueError, match=r"does not copy this one.*Received: model="):
        reinitialized(model, {}, 0, 1)
