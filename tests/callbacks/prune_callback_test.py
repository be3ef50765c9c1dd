import inspect

import keras
import numpy as np
import pytest

from keras_prune.callbacks import PruneCallback
from keras_prune.one_shot import prune
from keras_prune.schedules import ConstantSparsity, PolynomialDecay
from tests.small_models import ZeroProbe, kernels, mlp, toy_data, zeros_of

ON_TORCH = keras.backend.backend() == "torch"


def fit(model, callbacks, epochs=3, **arguments):
    """Four batches an epoch, in a fixed order."""
    x, y = toy_data()
    arguments = {"batch_size": 16, "shuffle": False, "verbose": 0, **arguments}
    return model.fit(x, y, epochs=epochs, callbacks=callbacks, **arguments)


def assert_same(left, right):
    for a, b in zip(left.get_weights(), right.get_weights(), strict=True):
        np.testing.assert_array_equal(a == 0.0, b == 0.0)
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


# Law 1: exact zeros, always.


OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(0.01),
    "momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "accumulation": lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=2),
    "ema": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.5),
    "ema overwrite": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=2),
}


@pytest.mark.all_backends
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_pruned_weights_are_zero_after_every_step(name):
    model = mlp(OPTIMIZERS[name]())
    before, after = ZeroProbe(), ZeroProbe()
    callback = PruneCallback(0.8)
    fit(model, [before, callback, after], validation_data=toy_data(rows=20))
    # 128 and 48 weights: the nearest to 80 % are 102 and 38.
    assert [zero.sum() for zero in zeros_of(model)] == [102, 38]
    # Batches 1 to 7 rise to the target at step 8 (70 % of 12), then it holds.
    assert before.sparsities[0] == 0.0
    assert 0.0 < before.sparsities[1] < before.sparsities[-1]
    assert before.sparsities[-1] == after.sparsities[-1] == 140 / 176
    assert callback.report.reached


@pytest.mark.all_backends
@pytest.mark.parametrize("jit_compile", [False] if ON_TORCH else [False, True])
@pytest.mark.parametrize("steps_per_execution", [1] if ON_TORCH else [1, 3])
def test_zeros_hold_in_compiled_and_bundled_steps(jit_compile, steps_per_execution):
    model = mlp(jit_compile=jit_compile, steps_per_execution=steps_per_execution)
    probe = ZeroProbe()
    fit(model, [probe, PruneCallback(0.8)])
    assert [zero.sum() for zero in zeros_of(model)] == [102, 38]


@pytest.mark.all_backends
def test_zeros_hold_in_eager_mode():
    model = mlp(run_eagerly=True)
    fit(model, [ZeroProbe(), PruneCallback(0.8)], epochs=1)
    assert [zero.sum() for zero in zeros_of(model)] == [102, 38]


@pytest.mark.all_backends
def test_zeros_hold_in_mixed_precision_with_loss_scaling():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = mlp(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)))
        stock = len(model.optimizer.inner_optimizer.variables)
        fit(model, [ZeroProbe(), PruneCallback(0.8)])
    finally:
        keras.config.set_dtype_policy("float32")
    assert [zero.sum() for zero in zeros_of(model)] == [102, 38]
    # Adam's two slots for each of the four weights come on top of what it had unbuilt.
    assert len(model.optimizer.inner_optimizer.variables) == stock + 8


@pytest.mark.all_backends
def test_zeros_hold_while_averaged_weights_are_swapped_in():
    model = mlp(keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9))
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    sparsities = []

    class AtTest(keras.callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            zeros = zeros_of(self.model)
            sparsities.append(sum(zero.sum() for zero in zeros) / 176)

    callbacks = [swap, PruneCallback(0.8), AtTest()]
    fit(model, callbacks, validation_data=toy_data(rows=16))
    assert sparsities[-1] == 140 / 176
    assert [zero.sum() for zero in zeros_of(model)] == [102, 38]


@pytest.mark.all_backends
def test_several_optimizers_in_one_model():
    optimizers = keras.optimizers.OptimizerMap(keras.optimizers.Adam(0.01))
    optimizers["mlp/hidden.*"] = keras.optimizers.SGD(0.1, momentum=0.9)
    optimizers["hidden.*"] = keras.optimizers.SGD(0.1, momentum=0.9)
    model = mlp(keras.optimizers.MultiOptimizer(optimizers))
    fit(model, [ZeroProbe(), PruneCallback(0.8)])
    assert [zero.sum() for zero in zeros_of(model)] == [102, 38]


@pytest.mark.all_backends
def test_user_constraint_keeps_working_and_comes_back():
    model = mlp()
    limit = keras.constraints.MaxNorm(0.5)
    model.get_layer("hidden").kernel.constraint = limit
    fit(model, [ZeroProbe(), PruneCallback(0.8)])
    kernel = kernels(model)[0]
    assert (kernel == 0.0).sum() == 102
    assert np.linalg.norm(kernel, axis=0).max() <= 0.5 + 1e-5
    assert model.get_layer("hidden").kernel.constraint is limit
    assert model.get_layer("hidden").kernel_constraint is None


# Law 2: asked is achieved, or said.


@pytest.mark.all_backends
@pytest.mark.parametrize("epochs, steps", [(1, 1), (1, 4), (4, 1), (2, 2)])
def test_short_training_reaches_its_target(epochs, steps):
    model = mlp()
    callback = PruneCallback()
    fit(model, [callback], epochs=epochs, batch_size=64 // steps)
    assert callback.report.reached
    assert [zero.sum() for zero in zeros_of(model)] == [102, 38]


@pytest.mark.all_backends
def test_logs_carry_the_sparsity():
    history = fit(mlp(), [PruneCallback(0.5)]).history
    assert history["sparsity"][-1] == 0.5
    assert history["sparsity"] == sorted(history["sparsity"])


def test_early_stop_before_the_end_of_the_schedule_is_said():
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    callback = PruneCallback(0.8)
    with pytest.warns(UserWarning, match="Training ended at step 4, the schedule ends at step 8"):
        fit(mlp(), [callback, Stop()])
    assert not callback.report.reached
    assert 0.0 < callback.report.achieved < 0.8


def test_schedule_longer_than_training_is_said():
    schedule = PolynomialDecay(end_step=100)
    with pytest.warns(UserWarning, match="Training ended at step 12.*ends at step 100"):
        fit(mlp(), [PruneCallback(schedule=schedule)])


def batches(count):
    x, y = toy_data()
    for index in range(count):
        rows = slice(16 * (index % 4), 16 * (index % 4) + 16)
        yield x[rows], y[rows]


def test_fractions_of_an_unknown_number_of_steps_are_refused():
    with pytest.raises(ValueError, match=r"the number of steps is unknown.*end_step=0\.7"):
        mlp().fit(batches(4), shuffle=False, verbose=0, callbacks=[PruneCallback()])


@pytest.mark.all_backends
def test_steps_work_when_their_number_is_unknown():
    model = mlp()
    schedule = PolynomialDecay(end_step=4, frequency=1)
    callbacks = [ZeroProbe(), PruneCallback(0.5, schedule=schedule)]
    with pytest.warns(UserWarning, match="ran out of data"):
        model.fit(batches(8), shuffle=False, verbose=0, callbacks=callbacks)
    assert [zero.sum() for zero in zeros_of(model)] == [64, 24]


def test_schedule_with_its_own_target_overrides_sparsity():
    callback = PruneCallback(schedule=PolynomialDecay(0.0, 0.5, 0, 4))
    fit(mlp(), [callback], epochs=2)
    assert callback.report.asked == 0.5
    assert callback.report.achieved == 0.5


@pytest.mark.all_backends
def test_constant_schedule_prunes_at_its_step():
    probe = ZeroProbe()
    schedule = ConstantSparsity(begin_step=0.5)
    fit(mlp(), [probe, PruneCallback(0.5, schedule=schedule)], epochs=2)
    # Batches 1 to 4 and the end of epoch 1 before it, 5 to 8 and the two ends after it.
    assert probe.sparsities[:4] == [0.0] * 4
    assert probe.sparsities[5:] == [0.5] * 6


@pytest.mark.parametrize("granularity", ["2:4", "1x4"])
def test_structured_granularities(granularity):
    model = mlp()
    callback = PruneCallback(granularity=granularity, filters="hidden")
    fit(model, [ZeroProbe(), callback], epochs=2)
    keep = kernels(model)[0] != 0.0  # (8 inputs, 16 units)
    groups = keep.T.reshape(16, 2, 4).sum(axis=2)
    if granularity == "2:4":
        assert (groups == 2).all()
    else:
        # 32 blocks of 4 inputs: the nearest to 80 % are 26.
        assert set(np.unique(groups)) == {0, 4}
        assert (groups == 0).sum() == 26
    assert callback.report.reached


# Law 7: nothing lost.


class Killed(Exception):
    pass


class Kill(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if self.epoch == self.current and batch == 2:
            raise Killed

    def on_epoch_begin(self, epoch, logs=None):
        self.current = epoch


@pytest.mark.all_backends
@pytest.mark.parametrize("first", [True, False])
def test_killed_training_goes_on_through_backup_and_restore(tmp_path, first):
    whole = mlp()
    fit(whole, [PruneCallback(0.8)], epochs=4)

    def callbacks():
        ours = PruneCallback(0.8)
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        return [ours, backup] if first else [backup, ours]

    with pytest.raises(Killed):
        fit(mlp(), [*callbacks(), Kill(2)], epochs=4)
    resumed = mlp(seed=1)
    fit(resumed, callbacks(), epochs=4)
    assert_same(resumed, whole)
    assert [zero.sum() for zero in zeros_of(resumed)] == [102, 38]


@pytest.mark.all_backends
def test_saved_model_goes_on_from_its_epoch(tmp_path):
    whole = mlp()
    path = str(tmp_path / "model-{epoch}.keras")
    checkpoint = keras.callbacks.ModelCheckpoint(path)
    fit(whole, [checkpoint, PruneCallback(0.8)], epochs=4)
    resumed = keras.models.load_model(path.format(epoch=2))
    stock = mlp()
    stock.optimizer.build(stock.trainable_variables)
    assert len(resumed.optimizer.variables) == len(stock.optimizer.variables)
    fit(resumed, [PruneCallback(0.8)], epochs=4, initial_epoch=2)
    assert_same(resumed, whole)


@pytest.mark.all_backends
def test_bundled_steps_resume_to_the_same_masks(tmp_path):
    if ON_TORCH:
        pytest.skip("Keras has no `steps_per_execution` on torch.")
    whole = mlp(steps_per_execution=3)
    path = str(tmp_path / "model-{epoch}.keras")
    checkpoint = keras.callbacks.ModelCheckpoint(path)
    fit(whole, [PruneCallback(0.8), checkpoint], epochs=4)
    resumed = keras.models.load_model(path.format(epoch=1))
    fit(resumed, [PruneCallback(0.8)], epochs=4, initial_epoch=1)
    assert_same(resumed, whole)


@pytest.mark.all_backends
def test_same_seed_same_masks():
    models = [mlp(), mlp()]
    for model in models:
        fit(model, [PruneCallback(0.8, allocation="global")], epochs=2)
    assert_same(*models)


# What stays behind, and what comes next.


@pytest.mark.all_backends
def test_nothing_stays_behind_when_training_ends():
    model = mlp()
    fit(model, [PruneCallback(0.8)], epochs=1)
    assert all(variable.constraint is None for variable in model.trainable_variables)
    assert len(model.optimizer.variables) == 2 + 2 * 4
    assert "save_own_variables" not in vars(model.optimizer)
    # A fit without the callback lets the zeros grow.
    fit(model, [], epochs=1)
    assert sum(zero.sum() for zero in zeros_of(model)) == 0


@pytest.mark.all_backends
def test_each_fit_may_prune_other_layers():
    model = keras.Sequential(
        [keras.Input((8,))] + [keras.layers.Dense(8, name=name) for name in ("one", "two")]
    )
    model.compile("adam", "mse")
    x = toy_data()[0]
    for name in ("one", "two"):
        # Two kernels of one shape: a step compiled for the first fit would mask the wrong one.
        model.fit(x, x, batch_size=16, verbose=0, callbacks=[PruneCallback(0.5, filters=name)])
        others = model.get_layer({"one": "two", "two": "one"}[name])
        kernel = keras.ops.convert_to_numpy(model.get_layer(name).kernel.value)
        assert (kernel == 0.0).sum() == 32
        assert np.count_nonzero(keras.ops.convert_to_numpy(others.kernel.value)) == 64


@pytest.mark.all_backends
def test_two_callbacks_prune_two_layers():
    model = mlp()
    callbacks = [PruneCallback(0.5, filters="hidden"), PruneCallback(0.75, filters="logits")]
    fit(model, [ZeroProbe(), *callbacks], epochs=2)
    assert [zero.sum() for zero in zeros_of(model)] == [64, 36]
    assert len(model.optimizer.variables) == 2 + 2 * 4


@pytest.mark.all_backends
def test_a_training_that_broke_off_leaves_no_obstacle(tmp_path):
    model = mlp()
    with pytest.raises(Killed):
        fit(model, [PruneCallback(0.5), Kill(1)], epochs=2)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert len(loaded.optimizer.variables) == 2 + 2 * 4
    fit(model, [PruneCallback(0.8)], epochs=2)
    assert [zero.sum() for zero in zeros_of(model)] == [102, 38]
    assert all(variable.constraint is None for variable in model.trainable_variables)
    assert len(model.optimizer.variables) == 2 + 2 * 4


@pytest.mark.all_backends
def test_weights_pruned_before_stay_pruned():
    model = mlp()
    prune(model, 0.5)
    before = zeros_of(model)
    fit(model, [ZeroProbe(), PruneCallback(0.8)], epochs=2)
    for old, new in zip(before, zeros_of(model), strict=True):
        assert not np.any(old & ~new)
    assert [zero.sum() for zero in zeros_of(model)] == [102, 38]


@pytest.mark.all_backends
def test_model_that_is_built_by_its_first_batch():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Dense(16), keras.layers.Dense(3)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    callback = PruneCallback(0.8)
    fit(model, [callback, ZeroProbe()], epochs=2)
    assert [zero.sum() for zero in zeros_of(model)] == [102, 38]
    assert callback.report.reached


@pytest.mark.all_backends
def test_model_that_was_trained_before_without_pruning():
    model = mlp()
    fit(model, [], epochs=1)  # leaves a compiled step that knows no masks
    fit(model, [ZeroProbe(), PruneCallback(0.8)], epochs=2)
    assert [zero.sum() for zero in zeros_of(model)] == [102, 38]


@pytest.mark.all_backends
def test_weights_restored_at_the_end_are_pruned_too():
    class Restore(keras.callbacks.Callback):
        """What `EarlyStopping(restore_best_weights=True)` does, always to the first epoch."""

        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                self.weights = self.model.get_weights()

        def on_train_end(self, logs=None):
            self.model.set_weights(self.weights)

    model = mlp()
    fit(model, [Restore(), PruneCallback(0.8)], epochs=3)
    assert [zero.sum() for zero in zeros_of(model)] == [102, 38]


class Subclassed(keras.Model):
    """Calls one layer twice and holds a nested model."""

    def __init__(self):
        super().__init__()
        self.shared = keras.layers.Dense(8)
        self.nested = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(3)])

    def call(self, inputs):
        return self.nested(self.shared(self.shared(inputs)))


@pytest.mark.all_backends
def test_subclassed_model_with_shared_and_nested_layers():
    model = Subclassed()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    callback = PruneCallback(0.5)
    fit(model, [callback], epochs=2)
    assert [weight.shape for weight in callback.report.pruned] == [(8, 8), (8, 4), (4, 3)]
    assert [zero.sum() for zero in zeros_of(model)] == [32, 16, 6]


# Law 8: bad input gets a sentence.


def test_model_without_optimizer_is_refused():
    model = mlp()
    model.optimizer = None
    with pytest.raises(ValueError, match="needs a compiled model with an optimizer"):
        fit(model, [PruneCallback()])


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"sparsity": 1.0}, r"in \[0, 1\). Received: sparsity=1.0"),
        ({"sparsity": "much"}, "Received: sparsity='much'"),
        (
            {"criterion": "mangitude"},
            r"'magnitude', 'movement', 'obd'.*Received: criterion='mangitude'",
        ),
        ({"granularity": "cube"}, "Received: granularity='cube'"),
        ({"granularity": "4:2"}, "n < m <= 128 must hold. Received: n=4, m=2"),
        ({"allocation": 3}, "Received: allocation=3"),
        ({"schedule": "later"}, "Received: schedule='later'"),
        ({"data": [1]}, "leave `data` out. Received: data=list"),
        ({"sparsity": 0.9, "granularity": "2:4"}, "makes a sparsity of 0.5 and no other"),
        ({"granularity": "2:4", "allocation": "global"}, "nothing to allocate"),
        ({"schedule": PolynomialDecay(0.9)}, "cannot fall. Received: initial_sparsity=0.9"),
    ],
)
def test_wrong_arguments_get_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        PruneCallback(**arguments)


def test_signature_and_help():
    signature = str(inspect.signature(PruneCallback))
    assert signature == (
        "(sparsity=0.8, criterion='magnitude', granularity='unstructured', allocation='uniform', "
        "schedule=None, filters=None, data=None, seed=None, regrowth=None, "
        "target=None, quantize=None)"
    )
    first = inspect.getdoc(PruneCallback).splitlines()[0]
    assert first == "Prunes a model while `fit()` trains it."
