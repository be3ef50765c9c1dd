import keras
import numpy as np
import pytest

from examples.datasets import load
from keras_prune.callbacks import PruneCallback
from keras_prune.criteria import SNIP, Sensitivity
from keras_prune.one_shot import prune
from keras_prune.schedules import ConstantSparsity
from tests.quadratics import quadratic, scores_of
from tests.small_models import mlp, toy_data


@pytest.mark.all_backends
def test_shares_of_the_squared_weights():
    model, x, y, loss = quadratic([3.0, -4.0, 0.0], np.eye(3), np.zeros(3))
    (scores,) = scores_of(SNIP(loss), model, x, y)
    np.testing.assert_allclose(scores.ravel(), [9 / 25, 16 / 25, 0.0], rtol=1e-6)


def test_the_largest_share_stays():
    model, x, y, loss = quadratic([3.0, -4.0, 0.5], np.eye(3), np.zeros(3))
    prune(model, 2 / 3, criterion=SNIP(loss), data=(x, y))
    np.testing.assert_array_equal(model.get_weights()[0].ravel(), [0.0, -4.0, 0.0])


def test_shares_sum_to_one_over_all_kernels_and_do_not_see_the_scale_of_the_loss():
    x, y = toy_data()
    model = mlp()
    scores = scores_of(SNIP(), model, x, y)
    np.testing.assert_allclose(sum(score.sum() for score in scores), 1.0, rtol=1e-5)
    sensitivity = scores_of(Sensitivity(), model, x, y)
    ratio = sensitivity[0].max() / scores[0].max()
    np.testing.assert_allclose(sensitivity[1], scores[1] * ratio, rtol=1e-4)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    scaled = scores_of(SNIP(lambda y, y_pred: 1000.0 * loss(y, y_pred)), model, x, y)
    for one, other in zip(scores, scaled, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-8)


def test_lenet_300_100_at_95_percent_learns_mnist_better_than_at_random(data_dir):
    del data_dir  # skips where there is none
    mnist = load("mnist")
    x, y = (array[:2000] for array in mnist.train)
    accuracy = {}
    for criterion, data in (("snip", (x[:200], y[:200])), ("random", None)):
        keras.utils.set_random_seed(0)
        dense = keras.layers.Dense
        stack = [dense(300, "relu"), dense(100, "relu"), dense(10, "softmax")]
        model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), *stack])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        callback = PruneCallback(
            0.95,
            criterion=criterion,
            allocation="global",
            schedule=ConstantSparsity(begin_step=0, end_step=0),
            data=data,
            seed=0,
        )
        model.fit(x, y, batch_size=50, epochs=5, callbacks=[callback], verbose=0)
        assert callback.report.reached
        accuracy[criterion] = model.evaluate(*mnist.validation, verbose=0)[1]
    assert accuracy["snip"] > accuracy["random"] + 0.02
