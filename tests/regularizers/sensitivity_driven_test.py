import keras
import numpy as np
import pytest

from keras_prune.callbacks import PruneCallback, RegularizeCallback
from keras_prune.regularizers import SensitivityDriven
from keras_prune.regularizers.drawn_batches import DrawnBatches
from keras_prune.regularizers.sensitivity_driven import shrink
from tests.quadratics import linear_model
from tests.small_models import kernels, mlp, toy_data, zeros_of

pytestmark = pytest.mark.all_backends
ON_TORCH = keras.backend.backend() == "torch"


def fit(model, penalty, epochs=2, callbacks=(), **arguments):
    """Four batches an epoch, in a fixed order."""
    x, y = toy_data()
    arguments = {"batch_size": 16, "shuffle": False, "verbose": 0, **arguments}
    added = [] if penalty is None else [RegularizeCallback(penalty)]
    model.fit(x, y, epochs=epochs, callbacks=[*added, *callbacks], **arguments)
    return kernels(model)


def test_shrinkage_of_scalars():
    value = keras.ops.convert_to_tensor(np.array([2.0, 2.0, 2.0, -2.0], "float32"))
    sensitivity = keras.ops.convert_to_tensor(np.array([0.0, 0.25, 1.0, 7.0], "float32"))
    found = keras.ops.convert_to_numpy(shrink(value, sensitivity, 0.1))
    np.testing.assert_allclose(found, [2.0 * 0.9, 2.0 * 0.925, 2.0, -2.0], rtol=1e-6)


@pytest.mark.parametrize("rate", [0.0, 0.5])
def test_without_sensitivity_the_weights_lose_lambda_whatever_the_learning_rate(rate):
    model = mlp(keras.optimizers.SGD(rate))
    before = kernels(model)
    nothing = np.zeros(64, "float32")  # the loss, and with it every gradient, is zero
    found = fit(model, SensitivityDriven(0.1, "loss"), sample_weight=nothing)
    for old, new in zip(before, found, strict=True):
        np.testing.assert_allclose(new, old * 0.9**8, rtol=1e-5)


def test_one_step_of_the_rule_on_a_linear_layer():
    kernel, x, y = np.array([[1.0, -2.0], [0.5, 4.0]]), np.array([[1.0, 3.0]]), np.array([[0, 1]])
    for kind, sensitivity in {
        "unspecific": [[0.5, 0.5], [1.5, 1.5]],
        "specific": [[0.0, 1.0], [0.0, 3.0]],
    }.items():
        model = linear_model(kernel)
        model.compile(keras.optimizers.SGD(0.1), "mse")
        penalty = SensitivityDriven(0.2, kind, data=(x.astype("float32"), y), frequency=1)
        model.fit(x, y, verbose=0, callbacks=[RegularizeCallback(penalty)])
        slope = x.T @ (x @ kernel - y)  # of the mean of two squares
        expected = (
            kernel - 0.1 * slope - 0.2 * kernel * np.maximum(0.0, 1.0 - np.array(sensitivity))
        )
        np.testing.assert_allclose(kernels(model)[0], expected, rtol=1e-5)


def test_lobster_takes_the_gradient_of_the_running_step():
    kernel, x, y = np.array([[1.0], [0.5]]), np.array([[0.5, 3.0]]), np.array([[1.0]])
    model = linear_model(kernel)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(x, y, verbose=0, callbacks=[RegularizeCallback(SensitivityDriven(0.2, "loss"))])
    slope = 2.0 * x.T @ (x @ kernel - y)  # 1 and 6: neither weight shrinks but by its slope
    np.testing.assert_allclose(slope, [[1.0], [6.0]])
    np.testing.assert_allclose(kernels(model)[0], kernel - 0.1 * slope, rtol=1e-5)


@pytest.mark.parametrize("kind", ["loss", "specific"])
def test_lambda_zero_is_plain_training(kind):
    data = None if kind == "loss" else toy_data()
    plain = fit(mlp(keras.optimizers.Adam(0.01)), None)
    found = fit(mlp(keras.optimizers.Adam(0.01)), SensitivityDriven(0.0, kind, data))
    for one, two in zip(plain, found, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-7)


def test_accumulated_gradients_count_by_their_mean():
    def trained(steps, batch_size):
        optimizer = keras.optimizers.SGD(0.1, gradient_accumulation_steps=steps)
        return fit(mlp(optimizer), SensitivityDriven(0.05, "loss"), batch_size=batch_size)

    for one, two in zip(trained(None, 32), trained(2, 16), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["loss", "unspecific"])
@pytest.mark.parametrize("jit_compile", [False] if ON_TORCH else [False, True])
@pytest.mark.parametrize("steps_per_execution", [1] if ON_TORCH else [1, 2])
def test_compiled_and_bundled_steps_do_the_same(kind, jit_compile, steps_per_execution):
    def trained(**arguments):
        data = None if kind == "loss" else toy_data()
        penalty = SensitivityDriven(0.05, kind, data, frequency=2)
        return fit(mlp(keras.optimizers.SGD(0.1), **arguments), penalty)

    found = trained(jit_compile=jit_compile, steps_per_execution=steps_per_execution)
    for one, two in zip(trained(run_eagerly=True), found, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-5)


def test_mixed_precision_with_loss_scaling():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
        model = mlp(optimizer)
        before = np.abs(kernels(model)[0]).sum()
        found = fit(model, SensitivityDriven(0.1, "specific", data=toy_data(), frequency=3))
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(found[0]).all()
    assert np.abs(found[0]).sum() < 0.7 * before


def test_it_shrinks_what_matters_little_and_masks_hold_beside_it():
    model = mlp(keras.optimizers.Adam(0.01))
    penalty = SensitivityDriven(0.05, "unspecific", data=toy_data(), frequency=4)
    fit(model, penalty, callbacks=[PruneCallback(0.5)])
    assert [zero.sum() for zero in zeros_of(model)] == [64, 24]
    assert len(model.optimizer.variables) == 2 + 2 * 4
    assert "apply" not in vars(model.optimizer)


def test_a_restored_state_goes_on_as_if_nothing_had_happened(tmp_path):
    def penalty():
        return SensitivityDriven(0.05, "specific", data=toy_data(), frequency=3)

    kept = {}

    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                kept.update(ours.state())
                self.model.save_weights(tmp_path / "kept.weights.h5")

    class Restore(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            again.restore(kept)

    ours, again = penalty(), penalty()
    whole = fit(mlp(), ours, epochs=3, callbacks=[Keep()])
    # Step 4 lies between the measurements at steps 3 and 6.
    assert kept["measured"] == 1
    resumed = mlp(seed=1)
    resumed.optimizer.build(resumed.trainable_variables)
    resumed.load_weights(tmp_path / "kept.weights.h5")
    found = fit(resumed, again, epochs=3, callbacks=[Restore()], initial_epoch=1)
    for one, two in zip(whole, found, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)


def test_batches_are_drawn_by_number():
    x = np.arange(10.0, dtype="float32")[:, None]
    drawn = DrawnBatches((x, np.arange(10)), 4, seed=0)
    first, second = drawn.batch(0), drawn.batch(1)
    assert first[0].shape == (4, 1)
    assert len(set(first[1])) == 4
    assert (first[0][:, 0] == first[1]).all()
    assert not np.array_equal(first[1], second[1])
    np.testing.assert_array_equal(
        DrawnBatches((x, np.arange(10)), 4, seed=0).batch(1)[1], second[1]
    )
    stored = [(x[:2], np.array([0, 1])), (x[2:3], np.array([2]))]
    listed = DrawnBatches(stored, 4, seed=0)
    for index in (0, 1, 2, 5, 3):
        assert len(listed.batch(index)[1]) == (1 if index % 2 else 2)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({}, 'kind="unspecific" measures on data.*Received: data=None'),
        ({"kind": "loss", "data": toy_data()}, "leave `data` out. Received: data=tuple"),
        ({"kind": "some"}, r"must be one of \['unspecific', 'specific', 'loss'\]"),
        ({"kind": "loss", "strength": 2.0}, "turns signs. Received: strength=2.0"),
        ({"kind": "loss", "strength": -1.0}, "finite number >= 0"),
        ({"data": toy_data(), "frequency": 0}, "int > 0. Received: frequency=0"),
        ({"data": iter([1])}, "an iterator ends with the first reading"),
    ],
)
def test_wrong_arguments_get_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        SensitivityDriven(**arguments)
