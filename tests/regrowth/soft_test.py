import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.pruner import Pruner
from keras_prune.regrowth import SoftPruning
from tests.small_models import mlp, toy_data, zeros_of

pytestmark = pytest.mark.all_backends


def two_weights():
    """y = w . x with x = (1, 1), in a loop of one's own that moves the weights by hand."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    model.layers[0].kernel.assign([[1.0], [0.75]])
    return model


def run(regrowth, pushes):
    """The two weights after each of some steps; the masks are chosen at every second."""
    model, seen = two_weights(), []
    kernel = model.layers[0].kernel
    schedule = kp.ConstantSparsity(frequency=2, end_step=6)
    pruner = Pruner(0.5, regrowth=regrowth, schedule=schedule)
    with pruner.attach(model, total_steps=10):
        for push in pushes:
            kernel.assign(keras.ops.convert_to_numpy(kernel) + np.float32([[0.0], [push]]))
            pruner.step()
            seen.append(keras.ops.convert_to_numpy(kernel).ravel().tolist())
    return seen


def test_what_is_pruned_begins_at_zero_and_may_come_back():
    # 0.75 is pruned at the begin. From zero it learns 0.4 twice, which is less than 1 ...
    assert run(SoftPruning(), [0.4, 0.4]) == [[1.0, 0.0], [1.0, 0.0]]
    # ... and is at zero again, so that 0.4 twice is as little as before; 0.6 twice is more.
    found = run(SoftPruning(), [0.4, 0.4, 0.4, 0.4, 0.6, 0.6])
    assert found[:5] == [[1.0, 0.0]] * 5
    np.testing.assert_allclose(found[5], [0.0, 1.2], rtol=1e-6)
    # The straight-through rule hides the 0.75 and what it learns on top of it.
    np.testing.assert_allclose(run("ste", [0.4, 0.4])[1], [0.0, 1.55], rtol=1e-6)


def test_what_comes_back_throws_the_other_back_to_zero():
    model = two_weights()
    kernel = model.layers[0].kernel
    pruner = Pruner(0.5, regrowth="soft", schedule=kp.ConstantSparsity(frequency=1))
    with pruner.attach(model, total_steps=10):
        kernel.assign([[1.0], [1.5]])
        pruner.step()
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(kernel), [[0.0], [1.5]])
        np.testing.assert_array_equal(pruner.store.weights[0].numpy(), [[0.0], [1.5]])


def test_masks_freeze_with_the_end_of_the_schedule():
    found = run(SoftPruning(), [0.1] * 6 + [5.0, 5.0, 5.0])
    assert found == [[1.0, 0.0]] * 9


@pytest.mark.parametrize("granularity", ["filter", "unstructured", "1x4"])
def test_zeros_are_exact_after_every_step_and_at_the_end(granularity):
    class Look(keras.callbacks.Callback):
        seen = 0

        def on_train_batch_end(self, batch, logs=None):
            self.model.get_weights()
            store = callback.pruner.store
            for keep, weight in zip(store.keep, store.weights, strict=True):
                kernel = keras.ops.convert_to_numpy(weight.variable)
                assert not kernel[~keep].any() and not np.signbit(kernel[~keep]).any()
            self.seen += 1

    model, look = mlp(keras.optimizers.SGD(0.5, momentum=0.9)), Look()
    callback = kp.PruneCallback(
        0.5,
        granularity=granularity,
        regrowth="soft",
        schedule=kp.ConstantSparsity(end_step=0.9, frequency=1 / 4),
    )
    model.fit(*toy_data(), epochs=4, batch_size=16, verbose=0, callbacks=[look, callback])
    assert look.seen == 16 and callback.report.reached
    pruned = [w for w in callback.report.weights if w.skip is None]
    assert [w.zeros for w in pruned] == [z.sum() for z in zeros_of(model)[: len(pruned)]]


def test_filters_come_back_in_training():
    """Each unit has a target of its own; that of the one that goes first is ten times larger."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(2, use_bias=False, name="units"),
            keras.layers.Dense(2, use_bias=False, trainable=False, name="logits"),
        ]
    )
    model.get_layer("units").kernel.assign([[0.3, 0.0], [0.0, 0.1]])
    model.get_layer("logits").kernel.assign(np.eye(2))
    model.compile(keras.optimizers.SGD(0.05), "mse")
    x = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")
    callback = kp.PruneCallback(
        0.5,
        granularity="filter",
        regrowth="soft",
        schedule=kp.ConstantSparsity(end_step=0.9, frequency=8),
        filters="units",
    )
    y = x * [[0.3, 3.0]]
    model.fit(x, y, batch_size=8, epochs=10, verbose=0, callbacks=[callback])
    kernel = keras.ops.convert_to_numpy(model.get_layer("units").kernel)
    assert not kernel[:, 0].any() and kernel[1, 1] > 0.5


def test_default_schedule():
    callback = kp.PruneCallback(0.5, regrowth="soft")
    assert callback.pruner.schedule == SoftPruning.schedule
    model = mlp()
    model.fit(*toy_data(), epochs=2, batch_size=16, verbose=0, callbacks=[callback])
    assert callback.report.reached
