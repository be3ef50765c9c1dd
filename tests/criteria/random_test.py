import keras
import numpy as np
import pytest

from keras_prune.criteria import CRITERIA, Random
from keras_prune.weights import find_weights


def scores(seed, name="model"):
    model = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(8), keras.layers.Dense(8)], name=name
    )
    return Random(seed).scores(find_weights(model))


def test_scores_depend_on_seed_and_order_alone():
    one, other = scores(1)
    np.testing.assert_array_equal((one, other), scores(1, name="renamed"))
    assert not np.array_equal(one, other)
    assert not np.array_equal(one, scores(2)[0])


def test_default_seed_follows_the_global_one():
    keras.utils.set_random_seed(0)
    first = Random()
    keras.utils.set_random_seed(0)
    assert Random() == first != Random()
    assert CRITERIA.get(keras.saving.serialize_keras_object(first)) == first


def test_wrong_seed_gets_a_sentence():
    with pytest.raises(ValueError, match="Received: seed=one"):
        Random("one")
