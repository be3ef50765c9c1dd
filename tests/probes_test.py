import keras
import numpy as np
import pytest

from keras_prune.batches import examples_of
from keras_prune.probes import Probe
from keras_prune.weights import find_weights
from tests.quadratics import linear_model, loss_value, quadratic
from tests.small_models import kernels, mlp, toy_data

pytestmark = pytest.mark.all_backends

A = np.array([[3.0, 1.0, 0.0], [1.0, 2.0, -1.0], [0.0, -1.0, 1.0]])
W = np.array([1.0, -2.0, 0.5])


@pytest.fixture(scope="module")
def network():
    """A bias-free ReLU network: model, its kernels, a probe of it and the probe's data."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            layers.Conv2D(4, 2, activation="relu", use_bias=False),
            layers.DepthwiseConv2D(2, activation="relu", use_bias=False),
            layers.Flatten(),
            layers.Dense(3, use_bias=False),
        ]
    )
    random = np.random.default_rng(1)
    model.set_weights([random.normal(size=v.shape) * 0.5 for v in model.variables])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = random.normal(size=(20, 4, 4, 2)).astype("float32"), np.arange(20) % 3
    return model, find_weights(model), Probe(model, (x, y)), x, y


def test_quadratic_gives_gradient_and_hessian_product():
    model, x, y, loss = quadratic(W, A, np.zeros(3))
    probe, weights = Probe(model, (x, y), loss), find_weights(model)
    (gradient,) = probe.gradients(weights)
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient.ravel(), A @ W, rtol=1e-5)
    (product,) = probe.hessian_products(weights, [gradient])
    assert product.dtype == np.float32
    np.testing.assert_allclose(product.ravel(), A @ A @ W, rtol=1e-5)


def test_batches_of_any_size_have_the_same_mean():
    x, y = toy_data(rows=50)
    model, weight = mlp(), np.linspace(0.5, 1.5, 50, dtype="float32")
    weights = find_weights(model)
    whole = Probe(model, (x, y, weight), batch_size=50).gradients(weights)
    parts = Probe(model, (x, y, weight), batch_size=16).gradients(weights)
    stored = Probe(model, [(x[:7], y[:7], weight[:7]), (x[7:], y[7:], weight[7:])])
    for one, two, three in zip(whole, parts, stored.gradients(weights), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(one, three, rtol=1e-4, atol=1e-7)


def test_gradient_is_the_finite_difference_of_a_factor_on_the_weight(network):
    model, weights, probe, x, y = network
    gradients = probe.gradients(weights)
    for weight, gradient in zip(weights, gradients, strict=True):
        value = weight.numpy()
        index = np.unravel_index(np.argmax(np.abs(value * gradient)), value.shape)
        losses = []
        for factor in (1.001, 0.999):
            changed = value.copy()
            changed[index] *= factor
            weight.variable.assign(changed)
            losses.append(loss_value(model, x, y))
        weight.variable.assign(value)
        expected = (losses[0] - losses[1]) / 0.002
        np.testing.assert_allclose((value * gradient)[index], expected, rtol=2e-2)


def test_sum_of_weight_times_gradient_is_equal_in_every_layer(network):
    _, weights, probe, _, _ = network
    gradients = probe.gradients(weights)
    sums = [float((w.numpy() * g).sum()) for w, g in zip(weights, gradients, strict=True)]
    assert len(sums) == 3 and abs(sums[0]) > 1e-3
    np.testing.assert_allclose(sums, sums[0], rtol=1e-3)


def test_norm_of_the_gradient_grows_by_twice_the_weights_times_hg(network):
    _, weights, probe, _, _ = network
    gradients = probe.gradients(weights)
    products = probe.hessian_products(weights, gradients)
    values = [weight.numpy() for weight in weights]
    expected = 2 * sum(float((w * p).sum()) for w, p in zip(values, products, strict=True))
    norms = []
    for factor in (1.01, 0.99):
        for weight, value in zip(weights, values, strict=True):
            weight.variable.assign(value * factor)
        norms.append(sum(float(np.square(g).sum()) for g in probe.gradients(weights)))
    for weight, value in zip(weights, values, strict=True):
        weight.variable.assign(value)
    np.testing.assert_allclose((norms[0] - norms[1]) / 0.02, expected, rtol=1e-2)


def test_regularizers_of_the_compiled_model_count():
    model = linear_model(np.ones((2, 1)))
    model.layers[0].kernel.regularizer = keras.regularizers.L2(0.5)
    model.compile("sgd", "mse")
    x = np.zeros((4, 2))
    (gradient,) = Probe(model, (x, np.zeros((4, 1)))).gradients(find_weights(model))
    np.testing.assert_allclose(gradient, np.ones((2, 1)))


@pytest.mark.parametrize("training", [False, True])
def test_batch_normalization_uses_what_it_is_told_and_is_left_as_it_was(training):
    layers = keras.layers
    stack = [layers.Dense(1, use_bias=False), layers.BatchNormalization(epsilon=0.0, center=False)]
    model = keras.Sequential([keras.Input((2,)), *stack])
    kernel = np.array([[1.0], [2.0]], "float32")
    model.set_weights([kernel, np.ones(1), np.zeros(1), np.array([4.0])])  # variance 4
    x = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 0.0]])
    before = model.get_weights()
    probe = Probe(model, (x, np.zeros((4, 1))), loss=lambda y, y_pred: y_pred**3, training=training)
    (gradient,) = probe.gradients(find_weights(model))
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    if training:  # outputs do not change with the scale of the kernel
        np.testing.assert_allclose((kernel * gradient).sum(), 0.0, atol=1e-5)
    else:
        expected = (3 * (x @ kernel / 2) ** 2 / 2 * x).mean(0)
        np.testing.assert_allclose(gradient.ravel(), expected, rtol=1e-5)


def test_frozen_functions_see_new_weights_and_biases():
    model = mlp()
    x, y = toy_data()
    probe, weights = Probe(model, (x, y)), find_weights(model)
    probe.gradients(weights)
    changed = [value + 0.1 for value in model.get_weights()]
    model.set_weights(changed)
    fresh = Probe(model, (x, y)).gradients(weights)
    for one, other in zip(probe.gradients(weights), fresh, strict=True):
        np.testing.assert_array_equal(one, other)


def test_models_with_several_outputs_and_half_precision():
    inputs = keras.Input((8,), name="features")
    hidden = keras.layers.Dense(4, dtype="mixed_bfloat16", name="hidden")(inputs)
    outputs = {
        "a": keras.layers.Dense(1, name="a", dtype="float32")(hidden),
        "b": keras.layers.Dense(2, name="b", dtype="bfloat16")(hidden),
    }
    model = keras.Model(inputs, outputs)
    model.compile("sgd", {"a": "mse", "b": "mse"}, loss_weights={"a": 1.0, "b": 0.0})
    x, _ = toy_data()
    y = {"a": np.ones((64, 1)), "b": np.ones((64, 2))}
    hidden, a, b = Probe(model, (x, y)).gradients(find_weights(model))
    assert {hidden.dtype, a.dtype, b.dtype} == {np.dtype("float32")}
    assert np.abs(a).max() > 0.0 and np.abs(hidden).max() > 0.0
    np.testing.assert_array_equal(b, np.zeros((4, 2)))


def test_kernels_that_the_loss_does_not_see_or_sees_linearly_have_no_curvature():
    model = linear_model(np.ones((3, 2)))
    x, y = np.ones((4, 3)), np.ones((4, 2))
    weights = find_weights(model)
    for loss, slope in ((lambda y, y_pred: y_pred[:, :1], [1, 0]), (lambda y, y_pred: y, [0, 0])):
        probe = Probe(model, (x, y), loss)
        np.testing.assert_allclose(probe.gradients(weights)[0], [slope] * 3)
        (product,) = probe.hessian_products(weights, [np.ones((3, 2))])
        np.testing.assert_array_equal(product, np.zeros((3, 2)))


def test_something_made_of_each_gradient():
    model = mlp()
    x, y = toy_data(rows=4)
    probe, weights = Probe(model, (x, y)), find_weights(model)
    squares = probe.gradients(weights, lambda weight, g: g * g, probe.examples())
    singles = [probe.gradients(weights, batches=[b]) for b in examples_of((x, y, None))]
    expected = np.mean([np.square(first) for first, _ in singles], axis=0)
    np.testing.assert_allclose(squares[0], expected, rtol=1e-4, atol=1e-9)


def test_no_example_gets_a_sentence():
    model = mlp()
    with pytest.raises(ValueError, match="holds no example"):
        Probe(model, []).gradients(find_weights(model))


def test_derivatives_that_are_no_numbers_get_a_sentence():
    x, y = toy_data()
    x[5, 0] = np.nan
    model = mlp()
    with pytest.raises(ValueError, match=r"not finite.*Received: weight=mlp/hidden/kernel"):
        Probe(model, (x, y)).gradients(find_weights(model))


def test_weights_stay_as_they_are():
    model = mlp()
    before = kernels(model)
    probe, weights = Probe(model, toy_data()), find_weights(model)
    probe.hessian_products(weights, probe.gradients(weights))
    for old, new in zip(before, kernels(model), strict=True):
        np.testing.assert_array_equal(old, new)
