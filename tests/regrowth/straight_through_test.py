import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.masks import MaskStore
from keras_prune.weights import find_weights
from tests.small_models import ZeroProbe, kernels, mlp, toy_data, zeros_of


def one_weight_model(optimizer):
    """y = w . x with two weights, trained on x = (1, 1)."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(optimizer, "mse")
    model.layers[0].kernel.assign([[1.0], [0.25]])
    return model


@pytest.mark.all_backends
def test_a_pruned_weight_learns_what_the_masked_network_teaches():
    """Loss (w1 m1 + w2 m2 - 3)^2 with m = (1, 0): dL/d(w m) = 2 (1 - 3) = -4 for both."""
    model = one_weight_model(keras.optimizers.SGD(0.1))
    store = MaskStore(find_weights(model), model.optimizer, revivable=True)
    store.assign(0, np.array([[True], [False]]))
    model.fit(np.ones((1, 2)), np.full((1, 1), 3.0), epochs=1, verbose=0)
    np.testing.assert_allclose(kernels(model)[0], [[1.4], [0.0]], rtol=1e-6)
    np.testing.assert_allclose(store.weights[0].numpy(), [[1.4], [0.65]], rtol=1e-6)
    store.assign(0, np.array([[False], [True]]))
    np.testing.assert_allclose(kernels(model)[0], [[0.0], [0.65]], rtol=1e-6)
    store.detach()
    assert store.weights[0].hidden is None


@pytest.mark.all_backends
@pytest.mark.parametrize("name", ["sgd", "momentum", "adam", "loss_scale", "accumulation"])
def test_hidden_weights_take_the_steps_that_a_masked_forward_pass_asks_for(name):
    """Reference: the same training with w * m in the forward pass and all of w as variable."""

    class Masked(keras.layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(8, 3), initializer="glorot_uniform", name="w")
            self.m = self.add_weight(shape=(8, 3), initializer="ones", trainable=False)

        def call(self, x):
            straight_through = self.w + keras.ops.stop_gradient(self.w * self.m - self.w)
            return keras.ops.matmul(x, straight_through)

    optimizers = {
        "sgd": lambda: keras.optimizers.SGD(0.1),
        "momentum": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        "adam": lambda: keras.optimizers.Adam(0.01),
        "loss_scale": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)),
        "accumulation": lambda: keras.optimizers.SGD(0.1, gradient_accumulation_steps=2),
    }
    x, y = toy_data(64)
    y = keras.utils.to_categorical(y)
    keras.utils.set_random_seed(0)
    reference = keras.Sequential([keras.Input((8,)), Masked()])
    reference.compile(optimizers[name](), "mse")
    stock = keras.Sequential([keras.Input((8,)), keras.layers.Dense(3, use_bias=False)])
    stock.compile(optimizers[name](), "mse")
    stock.layers[0].kernel.assign(reference.layers[0].w)
    stock.optimizer.build(stock.trainable_variables)
    store = MaskStore(find_weights(stock), stock.optimizer, revivable=True)
    mask = np.random.default_rng(0).random((8, 3)) < 0.4
    reference.layers[0].m.assign(mask.astype("float32"))
    store.assign(0, mask)
    for model in (reference, stock):
        model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    expected = keras.ops.convert_to_numpy(reference.layers[0].w)
    np.testing.assert_allclose(store.weights[0].numpy(), expected, rtol=2e-4, atol=1e-6)
    np.testing.assert_array_equal(kernels(stock)[0] == 0.0, ~mask)


@pytest.mark.all_backends
def test_masks_are_the_best_of_all_weights_hidden_ones_too():
    class Look(keras.callbacks.Callback):
        masks = None

        def on_train_end(self, logs=None):
            store = callback.pruner.store
            self.full = [weight.numpy() for weight in store.weights]
            self.masks = [keep.copy() for keep in store.keep]

    callback = kp.PruneCallback(
        0.5, regrowth="ste", schedule=kp.ConstantSparsity(frequency=1), allocation="global"
    )
    look, model = Look(), mlp()
    before = kp.prune(mlp(), 0.5, allocation="global")
    model.fit(*toy_data(), epochs=6, batch_size=16, verbose=0, callbacks=[look, callback])
    assert callback.report.achieved == pytest.approx(before.achieved)
    # The last update came after the last step, so the masks fit the weights as they are.
    magnitudes = np.concatenate([abs(full).ravel() for full in look.full])
    kept = np.concatenate([mask.ravel() for mask in look.masks])
    assert magnitudes[kept].min() >= magnitudes[~kept].max()
    changed = [(a != b).any() for a, b in zip(look.masks, kernels(mlp()), strict=True)]
    assert any(changed)


@pytest.mark.all_backends
@pytest.mark.parametrize("granularity", ["1x4", "2:4", "filter"])
def test_units_come_back_whole(granularity):
    callback = kp.PruneCallback(
        0.5, regrowth="ste", granularity=granularity, schedule=kp.ConstantSparsity(frequency=2)
    )
    model = mlp(keras.optimizers.SGD(0.5))
    model.fit(*toy_data(), epochs=4, batch_size=16, verbose=0, callbacks=[callback])
    assert callback.report.reached


@pytest.mark.all_backends
def test_own_loop_without_a_keras_optimizer_learns_too():
    model = one_weight_model(None)
    pruner = kp.Pruner(0.5, regrowth="ste", schedule=kp.ConstantSparsity(frequency=2))
    kernel = model.layers[0].kernel
    with pruner.attach(model, total_steps=10):
        np.testing.assert_array_equal(kernels(model)[0], [[1.0], [0.0]])
        for _ in range(2):  # steps that push the second weight by 0.5 each
            kernel.assign(kernels(model)[0] + np.float32([[0.0], [0.5]]))
            pruner.step()
        np.testing.assert_array_equal(kernels(model)[0], [[0.0], [1.25]])


@pytest.mark.all_backends
def test_checkpoints_stay_sparse_and_stock(tmp_path):
    model = mlp()
    path = str(tmp_path / "model.keras")
    callbacks = [
        kp.PruneCallback(0.8, regrowth="ste"),
        keras.callbacks.ModelCheckpoint(path),
    ]
    model.fit(*toy_data(), epochs=4, batch_size=16, verbose=0, callbacks=callbacks)
    loaded = keras.saving.load_model(path)  # warns where the optimizer's variables differ
    assert kp.sparsity(loaded).total == kp.sparsity(model).total
    assert len(loaded.optimizer.variables) == len(model.optimizer.variables)


@pytest.mark.all_backends
def test_evaluation_sees_the_pruned_weights_as_zeros():
    class Probe(ZeroProbe):
        def look(self):
            self.seen.append([zero.mean() for zero in zeros_of(self.model)])

    probe, model, data = Probe(), mlp(), toy_data()
    callback = kp.PruneCallback(0.75, regrowth="ste", schedule=kp.ConstantSparsity(frequency=1))
    model.fit(
        *data, epochs=2, batch_size=16, verbose=0, validation_data=data, callbacks=[callback, probe]
    )
    np.testing.assert_allclose(probe.seen, 0.75)
