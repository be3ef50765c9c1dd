import keras
import numpy as np

from keras_prune.criteria import CRITERIA, Magnitude
from keras_prune.one_shot import prune
from keras_prune.weights import find_weights


def test_score_is_the_absolute_value():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, use_bias=False)])
    model.set_weights([np.array([[3.0, -4.0], [0.0, -0.5]])])
    (weight,) = find_weights(model)
    np.testing.assert_array_equal(Magnitude().score(weight), [[3.0, 4.0], [0.0, 0.5]])


def test_filter_of_the_lecture_loses_its_four_ones_and_half_its_meaning():
    model = keras.Sequential([keras.Input((3, 3, 1)), keras.layers.Conv2D(1, 3, use_bias=False)])
    kernel = np.array([[-8, 3, 2], [1, -3, -2], [1, 1, 1]], "float32").reshape(3, 3, 1, 1)
    model.set_weights([kernel])
    ones = np.ones((1, 3, 3, 1), "float32")
    assert float(model(ones)[0, 0, 0, 0]) == -4.0
    prune(model, 4 / 9)
    assert model.get_weights()[0].ravel().tolist() == [-8, 3, 2, 0, -3, -2, 0, 0, 0]
    assert float(model(ones)[0, 0, 0, 0]) == -8.0


def test_name_and_configuration():
    assert CRITERIA.get("magnitude") == Magnitude()
    assert CRITERIA.get(keras.saving.serialize_keras_object(Magnitude())) == Magnitude()
