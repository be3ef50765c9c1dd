import keras
import numpy as np
import pytest

from keras_prune.callbacks import PruneCallback, RegularizeCallback
from keras_prune.regularizers import GroupLasso, LossPenalty, ProximalGroupLasso, ProximalL1
from tests.small_models import kernels, mlp, toy_data, zeros_of

pytestmark = pytest.mark.all_backends
ON_TORCH = keras.backend.backend() == "torch"


def fit(model, callbacks, epochs=3, **arguments):
    """Four batches an epoch, in a fixed order."""
    x, y = toy_data()
    arguments = {"batch_size": 16, "shuffle": False, "verbose": 0, **arguments}
    return model.fit(x, y, epochs=epochs, callbacks=callbacks, **arguments)


def without_gradients(model, callbacks, epochs=3):
    """Training whose loss is zero throughout: what changes, the penalties change."""
    return fit(model, callbacks, epochs, sample_weight=np.zeros(64, "float32"))


def soft(value, threshold):
    return np.sign(value) * np.maximum(np.abs(value) - threshold, 0.0)


def assert_clean(model, slots=0):
    assert all(variable.constraint is None for variable in model.trainable_variables)
    assert all(variable.regularizer is None for variable in model.trainable_variables)
    assert len(model.optimizer.variables) == 2 + slots * 4
    assert "apply" not in vars(model.optimizer)


def rate_schedule():
    return keras.optimizers.schedules.PiecewiseConstantDecay([3, 7], [0.1, 0.05, 0.01])


# Twelve steps. The schedule's rates: steps 0 to 3 at 0.1, 4 to 7 at 0.05, 8 to 11 at 0.01.
OPTIMIZERS = {
    "number": (lambda: keras.optimizers.SGD(0.05), 12 * 0.05),
    "schedule": (lambda: keras.optimizers.SGD(rate_schedule()), 0.64),
    "momentum": (lambda: keras.optimizers.SGD(0.05, momentum=0.9), 12 * 0.05),
    "adam": (lambda: keras.optimizers.Adam(0.05), 12 * 0.05),
    # Three of twelve steps update: those numbered 3, 7 and 11.
    "accumulation": (lambda: keras.optimizers.SGD(0.05, gradient_accumulation_steps=4), 3 * 0.05),
    "accumulation, schedule": (
        lambda: keras.optimizers.SGD(rate_schedule(), gradient_accumulation_steps=4),
        0.1 + 0.05 + 0.01,
    ),
    "loss scale": (
        lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05)),
        12 * 0.05,
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_update_shrinks_by_its_own_learning_rate(name):
    make, rates = OPTIMIZERS[name]
    model = mlp(make())
    before = kernels(model)
    without_gradients(model, [RegularizeCallback(ProximalL1(0.25))])
    for old, new in zip(before, kernels(model), strict=True):
        np.testing.assert_allclose(new, soft(old, 0.25 * rates), atol=1e-6)
        assert (new == 0.0).any()


def test_each_of_several_optimizers_has_its_own_learning_rate():
    optimizers = keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.05))
    for pattern in ("mlp/hidden.*", "hidden.*"):
        optimizers[pattern] = keras.optimizers.SGD(0.01)
    model = mlp(keras.optimizers.MultiOptimizer(optimizers))
    before = kernels(model)
    without_gradients(model, [RegularizeCallback(ProximalL1(0.25))])
    for old, new, rate in zip(before, kernels(model), (0.01, 0.05), strict=True):
        np.testing.assert_allclose(new, soft(old, 0.25 * 12 * rate), atol=1e-6)


@pytest.mark.parametrize("jit_compile", [False] if ON_TORCH else [False, True])
@pytest.mark.parametrize("steps_per_execution", [1] if ON_TORCH else [1, 3])
def test_compiled_and_bundled_steps_do_the_same(jit_compile, steps_per_execution):
    def trained(**arguments):
        model = mlp(keras.optimizers.Adam(0.01), **arguments)
        fit(model, [RegularizeCallback(ProximalGroupLasso("filter", 0.3))])
        return kernels(model)

    plain = trained(run_eagerly=True)
    found = trained(jit_compile=jit_compile, steps_per_execution=steps_per_execution)
    for one, two in zip(plain, found, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "bfloat16"])
def test_low_precision(policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = mlp(keras.optimizers.SGD(0.1))
        fit(model, [RegularizeCallback([ProximalL1(0.1), ProximalGroupLasso("1x4", 0.1)])])
        dtypes = {variable.dtype for variable in model.trainable_variables}
    finally:
        keras.config.set_dtype_policy("float32")
    assert dtypes == ({"bfloat16"} if policy == "bfloat16" else {"float32"})
    found = [np.asarray(kernel, "float32") for kernel in kernels(model)]
    assert all(np.isfinite(kernel).all() for kernel in found)
    assert all((kernel == 0.0).any() for kernel in found)


def test_zeros_stay_where_averages_take_the_weights_place():
    model = mlp(keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.5))
    without_gradients(model, [RegularizeCallback(ProximalL1(0.25))])
    assert all(zero.any() for zero in zeros_of(model))


# Beside masks, constraints and regularizers of the user.


@pytest.mark.parametrize("first", [True, False])
def test_masks_hold_beside_it_in_either_order(first):
    model = mlp("adam")
    ours, prune = RegularizeCallback(ProximalL1(0.1)), PruneCallback(0.8)

    class Masked(keras.callbacks.Callback):
        """What is masked is zero after every step."""

        def on_train_batch_end(self, batch, logs=None):
            if batch >= 1:
                for zero, keep in zip(zeros_of(self.model), prune.pruner.store.keep, strict=True):
                    assert zero[~keep].all()

    callbacks = [ours, prune] if first else [prune, ours]
    fit(model, [*callbacks, Masked()])
    # At least the 102 and 38 that were asked for.
    assert all(zero.sum() >= n for zero, n in zip(zeros_of(model), (102, 38), strict=True))
    assert_clean(model, slots=2)


def test_user_constraint_keeps_working_and_comes_back():
    model = mlp("sgd")
    limit = keras.constraints.MaxNorm(0.5)
    model.get_layer("hidden").kernel.constraint = limit
    fit(model, [RegularizeCallback(ProximalL1(0.5)), PruneCallback(0.5)])
    kernel = kernels(model)[0]
    assert np.linalg.norm(kernel, axis=0).max() <= 0.5 + 1e-5
    assert model.get_layer("hidden").kernel.constraint is limit


def test_user_regularizer_keeps_working_and_comes_back():
    model = mlp(keras.optimizers.SGD(0.1))
    own = keras.regularizers.L2(0.01)
    kernel = model.get_layer("hidden").kernel
    kernel.regularizer = own
    with LossPenalty(keras.regularizers.L1(0.1)).attach(model):
        model(toy_data()[0])
        losses = sum(float(keras.ops.convert_to_numpy(loss)) for loss in model.losses)
    first, second = kernels(model)
    expected = 0.1 * (np.abs(first).sum() + np.abs(second).sum()) + 0.01 * np.square(first).sum()
    assert losses == pytest.approx(expected, rel=1e-5)
    assert kernel.regularizer is own


def test_a_penalty_starts_and_ends_with_its_fit():
    def trained(*lists):
        model = mlp(keras.optimizers.SGD(0.1))
        for callbacks in lists:
            fit(model, callbacks, epochs=1)
        return np.linalg.norm(kernels(model)[0])

    # The steps of the first fit are compiled without the penalty, those of the last again.
    plain = trained([], [], [])
    once = trained([], [RegularizeCallback(GroupLasso("filter", 0.5))], [])
    twice = trained([], [RegularizeCallback(GroupLasso("filter", 0.5))], [RegularizeCallback("l1")])
    assert once < 0.9 * plain
    assert twice < once


def test_filters_choose_the_layers():
    model = mlp(keras.optimizers.SGD(0.1))
    before = kernels(model)
    without_gradients(model, [RegularizeCallback(ProximalL1(0.1), filters="hidden")])
    np.testing.assert_array_equal(before[1], kernels(model)[1])
    assert (before[0] != kernels(model)[0]).all()


def test_units_of_the_outputs_are_left_alone():
    model = mlp(keras.optimizers.SGD(0.1))
    without_gradients(model, [RegularizeCallback(ProximalGroupLasso("filter", 5.0))])
    assert not kernels(model)[0].any()
    assert kernels(model)[1].all()


# What stays behind.


class Killed(Exception):
    pass


class Kill(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise Killed


@pytest.mark.parametrize(
    "penalty", [ProximalL1(0.1), GroupLasso("filter", 0.1)], ids=["operator", "loss"]
)
def test_a_training_that_broke_off_leaves_no_obstacle(penalty):
    model = mlp(keras.optimizers.SGD(0.1))
    with pytest.raises(Killed):
        fit(model, [RegularizeCallback(penalty), Kill()])
    before = kernels(model)
    without_gradients(model, [RegularizeCallback(ProximalL1(0.25))], epochs=1)
    for old, new in zip(before, kernels(model), strict=True):
        np.testing.assert_allclose(new, soft(old, 4 * 0.1 * 0.25), atol=1e-6)
    assert_clean(model)


def test_checkpoints_are_stock(tmp_path):
    model = mlp("adam")
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "model.keras")
    fit(model, [RegularizeCallback([ProximalL1(0.01), GroupLasso("filter")]), checkpoint])
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_clean(loaded, slots=2)
    assert_clean(model, slots=2)


def test_model_that_is_built_by_its_first_batch():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Dense(16), keras.layers.Dense(3)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    fit(model, [RegularizeCallback(ProximalL1(2.0))], epochs=2)
    assert all(zero.any() for zero in zeros_of(model))


def test_fit_does_not_wait_for_every_batch():
    assert RegularizeCallback.on_train_batch_end is keras.callbacks.Callback.on_train_batch_end


def test_in_a_loop_of_ones_own():
    model = mlp(keras.optimizers.SGD(0.1))
    before = kernels(model)
    with ProximalL1(0.25).attach(model) as penalty:
        for _ in range(3):
            model.optimizer.apply([keras.ops.zeros(v.shape) for v in model.trainable_variables])
            penalty.step()
    for old, new in zip(before, kernels(model), strict=True):
        np.testing.assert_allclose(new, soft(old, 3 * 0.1 * 0.25), atol=1e-6)
    assert_clean(model)


@pytest.mark.parametrize(
    "penalty, sentence",
    [
        ([], "no penalty to add. Received: penalty=\\[\\]"),
        (3, "`Penalty` object. Received: penalty=3"),
        ("l3", "l3"),
    ],
)
def test_wrong_arguments_get_a_sentence(penalty, sentence):
    with pytest.raises(ValueError, match=sentence):
        RegularizeCallback(penalty)


def test_a_model_without_such_kernels_gets_a_sentence():
    with pytest.raises(ValueError, match=r"no weight that can be pruned\. Received: .*no window"):
        fit(mlp("sgd"), [RegularizeCallback(ProximalGroupLasso("kernel"))])
