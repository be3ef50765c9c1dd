import keras
import numpy as np
import pytest

import keras_prune as kp
from tests.small_models import kernels, mlp, toy_data


@pytest.mark.all_backends
def test_scores_add_up_minus_weight_times_gradient():
    """y = w x, x = 1, target 0, L = y^2: dL/dw = 2 w. SGD at 0.25 halves w at every step."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.25), "mse")
    model.layers[0].kernel.assign([[1.0]])
    pruner = kp.Pruner(0.0, criterion="movement", schedule=kp.OneShot(1.0))
    with pruner.attach(model, total_steps=100):
        model.fit(np.ones((2, 1)), np.zeros((2, 1)), batch_size=1, verbose=0)
        np.testing.assert_allclose(kernels(model)[0], [[0.25]])
        # - (1 * 2 + 0.5 * 1)
        np.testing.assert_allclose(
            pruner.criterion.scores(pruner.store.weights, pruner.probe), [[[-2.5]]]
        )


@pytest.mark.all_backends
@pytest.mark.parametrize("regrowth", [None, "ste"])
def test_weights_that_shrink_go_before_weights_that_grow(regrowth):
    """Two inputs that are always 1 and weights 1 and 0.1 whose targets are 0.2 and 0.9."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.layers[0].kernel.assign([[1.0, 0.0], [0.0, 0.1]])
    x = np.eye(2, dtype="float32")
    y = np.array([[0.2, 0.0], [0.0, 0.9]], "float32")
    callback = kp.PruneCallback(
        0.75, criterion="movement", regrowth=regrowth, schedule=kp.OneShot(0.5)
    )
    model.fit(x, y, epochs=8, batch_size=2, verbose=0, callbacks=[callback])
    assert kernels(model)[0][0, 0] == 0.0
    assert kernels(model)[0][1, 1] > 0.1


@pytest.mark.all_backends
def test_movement_pruning_trains():
    model = mlp()
    callback = kp.PruneCallback(0.8, criterion="movement", regrowth="ste")
    model.fit(*toy_data(), epochs=4, batch_size=16, verbose=0, callbacks=[callback])
    assert callback.report.reached


def test_one_shot_and_loops_without_a_keras_optimizer_are_refused():
    with pytest.raises(ValueError, match=r"(?s)what a training does.*Received: no training"):
        kp.prune(mlp(), 0.5, criterion="movement")
    with pytest.raises(ValueError, match=r"(?s)needs a Keras optimizer.*Received: "):
        kp.Pruner(0.5, criterion="movement").attach(mlp(None), total_steps=10)
