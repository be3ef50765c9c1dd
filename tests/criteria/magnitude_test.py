import keras
import numpy as np

from keras_prune.criteria import CRITERIA, Magnitude
from keras_prune.weights import find_weights


def test_score_is_the_absolute_value():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, use_bias=False)])
    model.set_weights([np.array([[3.0, -4.0], [0.0, -0.5]])])
    (weight,) = find_weights(model)
    np.testing.assert_array_equal(Magnitude().score(weight), [[3.0, 4.0], [0.0, 0.5]])


def test_name_and_configuration():
    assert CRITERIA.get("magnitude") == Magnitude()
    assert CRITERIA.get(keras.saving.serialize_keras_object(Magnitude())) == Magnitude()
