import keras
import numpy as np
import pytest

from keras_prune.backend import loss_gradients


def linear_model():
    """y = 3 x0 + 5 x1 with a dropout that must not matter."""
    inputs = keras.Input((2,))
    dense = keras.layers.Dense(1)
    outputs = dense(keras.layers.Dropout(0.9)(inputs))
    model = keras.Model(inputs, outputs)
    dense.set_weights([np.array([[3.0], [5.0]]), np.array([0.0])])
    return model, dense


@pytest.mark.all_backends
@pytest.mark.parametrize("loss", [keras.losses.MeanSquaredError(), keras.losses.get("mse")])
def test_gradients_of_a_mean_squared_error(loss):
    model, dense = linear_model()
    x = np.array([[1.0, 0.0], [0.0, 2.0]], "float32")
    y = np.array([[1.0], [4.0]], "float32")
    # Errors 2 and 6: d/dw0 = 2 * 2 * 1 / 2, d/dw1 = 2 * 6 * 2 / 2, d/db = 2 + 6.
    bias, kernel = loss_gradients(model, loss, x, y, [dense.bias, dense.kernel])
    np.testing.assert_allclose(kernel, [[2.0], [12.0]], rtol=1e-6)
    np.testing.assert_allclose(bias, [8.0], rtol=1e-6)
    assert kernel.dtype == np.float32
    np.testing.assert_array_equal(dense.get_weights()[0], [[3.0], [5.0]])


@pytest.mark.all_backends
def test_variable_without_influence_has_zeros():
    model, dense = linear_model()
    both = keras.Model(model.input, [model.output, keras.layers.Dense(3)(model.input)])
    other = both.layers[-1].kernel
    x = np.ones((2, 2), "float32")

    def first(_, outputs):
        return outputs[0]

    gradient, kernel = loss_gradients(both, first, x, np.ones((2, 1)), [other, dense.kernel])
    np.testing.assert_array_equal(gradient, np.zeros((2, 3)))
    np.testing.assert_allclose(kernel, [[1.0], [1.0]])
