import keras
import numpy as np
import pytest

from keras_prune.masks import MaskStore
from keras_prune.weights import find_weights
from tests.small_models import kernels, mlp


def attached(optimizer):
    model = mlp(optimizer)
    model.optimizer.build(model.trainable_variables)
    return model, MaskStore(find_weights(model), model.optimizer)


def half(store):
    for index, weight in enumerate(store.weights):
        keep = np.ones(weight.shape, bool)
        keep[::2] = False
        store.assign(index, keep)


@pytest.mark.all_backends
def test_a_masked_weight_is_plus_zero_whatever_the_gradient():
    model, store = attached(keras.optimizers.SGD(1.0))
    half(store)
    for value in (1.0, -1.0, np.inf, np.nan):
        gradients = [
            keras.ops.full(variable.shape, value if variable.name == "kernel" else 0.0)
            for variable in model.trainable_variables
        ]
        model.optimizer.apply(gradients)
        for kernel in kernels(model):
            assert (kernel[::2] == 0.0).all()
            assert not np.signbit(kernel[::2]).any()


@pytest.mark.all_backends
def test_optimizer_state_is_written_and_read_without_masks():
    def optimizer():
        return keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01))

    model, _ = attached(optimizer())
    plain = mlp(optimizer())
    plain.optimizer.build(plain.trainable_variables)
    for wrapped, stock in [
        (model.optimizer, plain.optimizer),
        (model.optimizer.inner_optimizer, plain.optimizer.inner_optimizer),
    ]:
        ours, theirs = {}, {}
        wrapped.save_own_variables(ours)
        stock.save_own_variables(theirs)
        assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}
        wrapped.load_own_variables(theirs)  # a difference in number would warn
        assert len(wrapped.variables) == len(stock.variables) + 2


@pytest.mark.all_backends
def test_detach_gives_everything_back():
    model, store = attached("adam")
    stock = len(model.optimizer.variables) - 2
    half(store)
    assert store.sparsity == 0.5
    # Writing through the model does not pass the optimizer: only `project` sees it.
    model.layers[0].kernel.assign(np.ones((8, 16)))
    store.project()
    assert (kernels(model)[0] == 0.0).sum() == 64
    store.detach()
    assert len(model.optimizer.variables) == stock
    assert all(variable.constraint is None for variable in model.trainable_variables)
    assert "load_own_variables" not in vars(model.optimizer)


@pytest.mark.all_backends
def test_zeros_are_the_memory():
    model, store = attached("sgd")
    kernel = kernels(model)[0]
    kernel[:, 3] = 0.0
    model.layers[0].kernel.assign(kernel)
    model.layers[1].kernel.assign(np.zeros((16, 3)))
    store.recover()
    np.testing.assert_array_equal(store.keep[0], kernel != 0.0)
    assert store.keep[1].all()


@pytest.mark.all_backends
def test_moving_averages_are_projected_too():
    model, store = attached(keras.optimizers.SGD(0.1, use_ema=True))
    assert store.has_averages
    half(store)
    for average in model.optimizer._model_variables_moving_average:
        average.assign(keras.ops.ones(average.shape))
    store.project()
    model.optimizer.finalize_variable_values(model.trainable_variables)
    assert [int((kernel == 0.0).sum()) for kernel in kernels(model)] == [64, 24]
