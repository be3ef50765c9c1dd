"""The kernel is that of its definition, and predicts what gradient descent does."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_prune import backend
from keras_prune.analysis.tangent_kernel import ntk
from keras_prune.analysis.tangent_report import TangentKernelReport
from keras_prune.one_shot import prune
from tests.small_models import mlp, toy_data

layers = keras.layers
pytestmark = pytest.mark.all_backends


def linear(inputs=6, outputs=3):
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((inputs,)), layers.Dense(outputs, use_bias=False)])


def network():
    """Convolutions, pooling, normalization and two outputs an example."""
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.Input((5, 5, 1)),
            layers.Conv2D(3, 3, activation="tanh"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    return model, np.random.default_rng(0).normal(size=(4, 5, 5, 1)).astype("float32")


def gradient(model, loss, x):
    """The gradient of a loss of the outputs by all trainable variables, as one vector."""
    variables = model.trainable_variables

    def of_outputs(values, x):
        with keras.StatelessScope(state_mapping=zip(variables, values, strict=True)):
            return loss(model(x, training=False))

    function = backend.gradient_function(of_outputs, len(variables))
    arrays = function([v.value for v in variables], keras.ops.convert_to_tensor(x))
    return np.concatenate([backend.to_numpy(array).ravel() for array in arrays])


def test_a_linear_model_has_the_kernel_of_its_inputs():
    x, _ = toy_data(rows=5, features=6)
    report = ntk(linear(), x)
    np.testing.assert_allclose(report.kernel, np.kron(x @ x.T, np.eye(3)), rtol=1e-5, atol=1e-5)
    assert report.trace == pytest.approx(3 * np.sum(x**2), rel=1e-5)
    spectrum = np.repeat(np.linalg.eigvalsh(x @ x.T)[::-1], 3)
    np.testing.assert_allclose(report.eigenvalues, spectrum, rtol=1e-4)
    assert report.condition_number == pytest.approx(spectrum[0] / spectrum[-1], rel=1e-3)


def test_more_outputs_than_parameters_make_the_kernel_singular():
    x, _ = toy_data(rows=9, features=6)
    report = ntk(linear(), x)
    assert np.count_nonzero(report.eigenvalues) == 18
    assert report.condition_number == float("inf")


def test_gradient_descent_on_least_squares_follows_the_formula():
    x, _ = toy_data(rows=5, features=6)
    y = np.random.default_rng(1).normal(size=(5, 3)).astype("float32")
    model = linear()
    report = ntk(model, x)
    rate = 0.9 * report.max_learning_rate
    predicted = report.residuals(y, rate, 12)

    def half_of_squares(y, outputs):
        return 0.5 * keras.ops.sum((y - outputs) ** 2)

    norms = [np.linalg.norm(y - model.predict_on_batch(x))]
    model.compile(keras.optimizers.SGD(rate), half_of_squares)
    for _ in range(12):
        model.train_on_batch(x, y)
        norms.append(np.linalg.norm(y - model.predict_on_batch(x)))
    np.testing.assert_allclose(norms, predicted, rtol=1e-4)
    assert norms[-1] < 0.9 * norms[0]


def test_the_largest_learning_rate_divides_convergence_from_divergence():
    x, _ = toy_data(rows=5, features=6)
    report = ntk(linear(), x)
    y = np.ones((5, 3))
    below = report.residuals(y, 0.99 * report.max_learning_rate, 400)
    above = report.residuals(y, 1.01 * report.max_learning_rate, 400)
    assert below[-1] < below[0] < above[-1]


def test_the_energy_of_the_slopes_is_the_squared_gradient():
    model, x = network()
    labels = np.eye(2, dtype="float32")[[0, 1, 1, 0]]
    report = ntk(model, x)
    scores = report.outputs - report.outputs.max(1, keepdims=True)
    probabilities = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)

    def loss(outputs):
        return keras.ops.sum(keras.ops.categorical_crossentropy(labels, outputs, from_logits=True))

    squared = np.sum(gradient(model, loss, x).astype(float) ** 2)
    assert report.energy(probabilities - labels) == pytest.approx(squared, rel=1e-4)


def test_the_trace_is_the_sum_of_the_squared_jacobian():
    model, x = network()
    report = ntk(model, x)
    squares = 0.0
    for index in np.ndindex(4, 2):
        squares += np.sum(gradient(model, lambda made, i=index: made[i], x).astype(float) ** 2)
    assert report.trace == pytest.approx(squares, rel=1e-5)
    assert sum(report.traces.values()) == pytest.approx(report.trace, rel=1e-6)
    assert list(report.traces) == [variable.path for variable in model.trainable_variables]


def test_the_batches_do_not_matter():
    model, x = network()
    before = [np.array(weight) for weight in model.get_weights()]
    whole = ntk(model, x)
    for batch_size in (1, 3):
        parts = ntk(model, x, batch_size=batch_size)
        np.testing.assert_allclose(parts.kernel, whole.kernel, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(parts.outputs, whole.outputs, rtol=1e-5)
        assert parts.traces == pytest.approx(whole.traces, rel=1e-5)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_pruned_weights_are_no_parameters():
    x, _ = toy_data(rows=4, features=6)
    model = linear(outputs=1)
    model.set_weights([np.array([[1], [0], [2], [0], [0], [3]], "float32")])
    kept = x[:, [0, 2, 5]]
    np.testing.assert_allclose(ntk(model, x).kernel, kept @ kept.T, rtol=1e-5)
    np.testing.assert_allclose(ntk(model, x, masked=False).kernel, x @ x.T, rtol=1e-5)


def test_a_kernel_that_is_zero_throughout_is_not_pruned():
    x, _ = toy_data(rows=4, features=6)
    model = linear(outputs=1)
    model.set_weights([np.zeros((6, 1), "float32")])
    np.testing.assert_allclose(ntk(model, x).kernel, x @ x.T, rtol=1e-5)


def test_pruning_lowers_the_trace():
    x, _ = toy_data(rows=6)
    model = mlp()
    prune(model, 0.9)
    masked, whole = ntk(model, x), ntk(model, x, masked=False)
    assert masked.trace < whole.trace
    np.testing.assert_array_less(masked.eigenvalues, whole.eigenvalues + 1e-9)


def test_several_inputs_and_outputs():
    inputs = {"a": keras.Input((3,), name="a"), "b": keras.Input((2,), name="b")}
    outputs = [layers.Dense(2, use_bias=False)(inputs["a"]), layers.Dense(1)(inputs["b"])]
    x = {"a": np.ones((2, 3), "float32"), "b": np.zeros((2, 2), "float32")}
    report = ntk(keras.Model(inputs, outputs), x)
    assert report.outputs.shape == (2, 3)
    # Ones everywhere: 3 for each output of `a`, 1 for the bias of `b`.
    expected = np.kron(np.ones((2, 2)), np.diag([3.0, 3.0, 1.0]))
    np.testing.assert_allclose(report.kernel, expected)


def test_recurrent_and_embedding_layers():
    model = keras.Sequential(
        [
            keras.Input((3,), dtype="int32"),
            layers.Embedding(5, 2),
            layers.GRU(3),
            layers.Dense(1),
        ]
    )
    x = np.array([[0, 1, 2], [3, 3, 4]])
    report = ntk(model, x)
    assert report.kernel.shape == (2, 2)
    assert all(part > 0 for part in report.traces.values())


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_spectra_are_those_of_a_gram_matrix(seed, examples, outputs):
    random = np.random.default_rng(seed)
    jacobian = random.normal(size=(examples * outputs, 7))
    report = TangentKernelReport(
        random.normal(size=(examples, outputs)), jacobian @ jacobian.T, {"w": 1.0}
    )
    assert report.trace == pytest.approx(np.sum(jacobian**2))
    assert report.trace == pytest.approx(report.eigenvalues.sum(), rel=1e-4)
    assert (np.diff(report.eigenvalues) <= 0).all()
    y = random.normal(size=(examples, outputs))
    steady = report.residuals(y, 0.5 * report.max_learning_rate, 5)
    assert steady[0] == pytest.approx(np.linalg.norm(y - report.outputs))
    assert (np.diff(steady) <= 1e-9).all()


def test_the_table_shows_every_variable():
    model, x = network()
    text = str(ntk(model, x))
    assert "4 examples x 2 outputs" in text
    assert all(variable.path in text for variable in model.trainable_variables)


def test_bad_arguments_get_a_sentence():
    model = linear()
    x = np.ones((2, 6), "float32")
    report = ntk(model, x)
    for call in (
        lambda: ntk(model, x, batch_size=0),
        lambda: ntk(model, x[:0]),
        lambda: ntk(model, 3),
        lambda: ntk(model, x * np.nan),
        lambda: report.energy(np.ones(6)),
        lambda: report.residuals(np.ones((3, 2)), 0.1, 1),
        lambda: report.residuals(np.ones((2, 3)), 0, 1),
    ):
        with pytest.raises(ValueError, match="Received: "):
            call()
    model.trainable = False
    with pytest.raises(ValueError, match="nothing to train"):
        ntk(model, x)
