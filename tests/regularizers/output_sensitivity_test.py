import keras
import numpy as np
import pytest

from keras_prune.regularizers.output_sensitivity import OutputSensitivity
from keras_prune.weights import find_weights
from tests.quadratics import linear_model
from tests.small_models import mlp, toy_data

pytestmark = pytest.mark.all_backends

KERNEL = np.arange(6.0).reshape(2, 3)  # 2 inputs, 3 classes
X = np.array([[1.0, -2.0], [3.0, 1.0]], "float32")
Y = np.array([2, 0])


def measure(model, x=X, y=Y, **arguments):
    sensitivity = OutputSensitivity(model, find_weights(model), **arguments)
    return sensitivity.measure((x, y, None))


def test_unspecific_of_a_linear_layer():
    # One example: |x_i| / C, whatever the class.
    (found,) = measure(linear_model(KERNEL), X[:1], Y[:1])
    np.testing.assert_allclose(found, [[1 / 3] * 3, [2 / 3] * 3], rtol=1e-6)


def test_specific_of_a_linear_layer():
    # |x_i| where j is the class of the example.
    (found,) = measure(linear_model(KERNEL), X[:1], Y[:1], specific=True)
    np.testing.assert_allclose(found, [[0, 0, 1], [0, 0, 2]])


def test_means_over_the_batch_before_and_after_the_absolute_value():
    (before,) = measure(linear_model(KERNEL))
    np.testing.assert_allclose(before, [[2 / 3] * 3, [0.5 / 3] * 3], rtol=1e-6)
    (after,) = measure(linear_model(KERNEL), per_example=True)
    np.testing.assert_allclose(after, [[2 / 3] * 3, [1.5 / 3] * 3], rtol=1e-6)
    (specific,) = measure(linear_model(KERNEL), specific=True, per_example=True)
    np.testing.assert_allclose(specific, [[1.5, 0, 0.5], [0.5, 0, 1.0]])


@pytest.mark.parametrize("labels", [Y, Y[:, None], np.eye(3)[Y]], ids=["int", "column", "one-hot"])
def test_classes_come_in_any_form(labels):
    (found,) = measure(linear_model(KERNEL), y=labels, specific=True)
    np.testing.assert_allclose(found, [[1.5, 0, 0.5], [0.5, 0, 1.0]])


def with_softmax(kind):
    layers = keras.layers
    dense = layers.Dense(3, use_bias=False, activation="softmax" if kind == "activation" else None)
    stack = [keras.Input((2,)), dense]
    if kind == "layer":
        stack.append(layers.Softmax())
    if kind == "activation layer":
        stack.append(layers.Activation("softmax"))
    model = keras.Sequential(stack)
    if kind == "nested":
        inner = keras.Sequential([keras.Input((2,)), layers.Dense(3, "softmax", use_bias=False)])
        model = keras.Sequential([keras.Input((2,)), inner])
    model.set_weights([KERNEL])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize("kind", ["activation", "layer", "activation layer", "nested"])
def test_the_softmax_at_the_end_is_left_out(kind):
    model = with_softmax(kind)
    (found,) = measure(model)
    np.testing.assert_allclose(found, [[2 / 3] * 3, [0.5 / 3] * 3], rtol=1e-5)
    # ... and back in its place.
    probabilities = keras.ops.convert_to_numpy(model(X))
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1.0, rtol=1e-5)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3, use_bias=False)

    def call(self, inputs):
        return keras.ops.softmax(self.dense(inputs))


def test_a_hidden_softmax_gives_log_probabilities():
    model = Subclassed()
    model(X)
    model.set_weights([KERNEL / 10.0])
    model.compile("sgd", "sparse_categorical_crossentropy")
    (found,) = measure(model, X[:1], Y[:1], specific=True)
    # d log p_y / dW_ij = x_i (1[j = y] - p_j)
    p = keras.ops.convert_to_numpy(model(X[:1]))[0]
    expected = np.abs(X[0][:, None] * (np.eye(3)[2] - p))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_finite_differences_of_a_network_agree():
    model = mlp()
    model.get_layer("hidden").activation = keras.activations.tanh  # without the kinks of relu
    x, y = toy_data(rows=5)
    found = measure(model, x, y, specific=True)
    first = model.get_layer("hidden").kernel
    kernel = keras.ops.convert_to_numpy(first)

    def mean_output(value):
        first.assign(value)
        outputs = keras.ops.convert_to_numpy(model(x))
        return outputs[np.arange(5), y].mean()

    for index in [(0, 0), (3, 5), (7, 15)]:
        step = np.zeros_like(kernel)
        step[index] = 1e-2
        slope = (mean_output(kernel + step) - mean_output(kernel - step)) / 2e-2
        assert found[0][index] == pytest.approx(abs(slope), abs=1e-3)


def test_labels_that_are_no_classes_get_a_sentence():
    with pytest.raises(ValueError, match=r'kind="specific" needs the class.*outputs of shape'):
        measure(linear_model(KERNEL), y=np.ones((2, 2)), specific=True)


def test_several_outputs_get_a_sentence():
    inputs = keras.Input((2,))
    model = keras.Model(inputs, [keras.layers.Dense(3)(inputs), keras.layers.Dense(3)(inputs)])
    with pytest.raises(ValueError, match=r"one output with classes.*Received: 2 outputs"):
        measure(model)
