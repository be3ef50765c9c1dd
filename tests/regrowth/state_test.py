"""What regrowth and movement remember survives an interruption."""

import keras
import numpy as np
import pytest

import keras_prune as kp
from tests.small_models import kernels, mlp, toy_data

EVERY_STEP = kp.ConstantSparsity(frequency=3)
METHODS = {
    "ste": lambda: kp.PruneCallback(0.6, regrowth="ste", schedule=EVERY_STEP),
    "dns": lambda: kp.PruneCallback(regrowth=kp.DNS(0.5), schedule=kp.RandomDecay(0.05)),
    "set": lambda: kp.PruneCallback(0.6, regrowth="set", schedule=EVERY_STEP),
    "rigl": lambda: kp.PruneCallback(
        0.6, regrowth=kp.RigL(batch_size=16), schedule=EVERY_STEP, data=toy_data()
    ),
    "movement": lambda: kp.PruneCallback(0.6, criterion="movement"),
    "movement, ste": lambda: kp.PruneCallback(0.6, criterion="movement", regrowth="ste"),
}


class Kill(Exception):
    pass


class KillAfter(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.last = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch > self.last:
            raise Kill


def fit(model, callbacks, **arguments):
    model.fit(
        *toy_data(),
        epochs=6,
        batch_size=16,
        verbose=0,
        shuffle=False,
        callbacks=callbacks,
        **arguments,
    )


@pytest.mark.all_backends
@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("first", ["ours", "backup"])
def test_killed_training_goes_on_to_the_same_weights(name, first, tmp_path):
    def callbacks(callback):
        backup = keras.callbacks.BackupAndRestore(str(tmp_path))
        return [callback, backup] if first == "ours" else [backup, callback]

    whole = mlp(keras.optimizers.Adam(0.02))
    straight = METHODS[name]()
    fit(whole, [straight])
    with pytest.raises(Kill):
        fit(mlp(keras.optimizers.Adam(0.02)), [*callbacks(METHODS[name]()), KillAfter(2)])
    resumed = mlp(keras.optimizers.Adam(0.02), seed=7)
    again = METHODS[name]()
    fit(resumed, callbacks(again))
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(straight.pruner.store.keep, again.pruner.store.keep, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.all_backends
def test_nothing_stays_behind():
    model = mlp("adam")
    model.optimizer.build(model.trainable_variables)
    before = len(model.optimizer.variables)
    for name in METHODS:
        fit(model, [METHODS[name]()])
        assert len(model.optimizer.variables) == before
        assert not {"save_own_variables", "load_own_variables", "apply"} & set(
            vars(model.optimizer)
        )
        assert all(variable.constraint is None for variable in model.trainable_variables)
    fit(model, [])


@pytest.mark.all_backends
def test_own_loop_saves_and_restores_a_state():
    def pruner():
        return kp.Pruner(0.5, regrowth="ste", schedule=kp.ConstantSparsity(frequency=2))

    model = mlp("sgd")
    with pruner().attach(model, total_steps=10) as one:
        gradients = [keras.ops.ones(v.shape) for v in model.trainable_variables]
        for _ in range(3):
            model.optimizer.apply(gradients)
            one.step()
        state, weights = one.state(), model.get_weights()
        full = [weight.numpy() for weight in one.store.weights]
    other = mlp("sgd", seed=5)
    with pruner().attach(other, total_steps=10, initial_step=None) as two:
        other.set_weights(weights)
        two.restore(state)
        two.start(3)
        for a, b in zip(full, two.store.weights, strict=True):
            np.testing.assert_array_equal(a, b.numpy())
        for a, b in zip(one.store.keep, two.store.keep, strict=True):
            np.testing.assert_array_equal(a, b)
        with pytest.raises(ValueError, match=r"(?s)another pruner or model.*Received: keep/0"):
            two.restore({"updated": 3})
    assert [kernel.shape for kernel in kernels(other)] == [(8, 16), (16, 3)]
