import keras
import numpy as np
import pytest

from keras_prune.callbacks import RegularizeCallback
from keras_prune.granularity import Block
from keras_prune.regularizers import GroupLasso, ProximalGroupLasso, ProximalL1, ProximalL2
from keras_prune.regularizers.proximal import group_soft_threshold, soft_threshold
from keras_prune.regularizers.units import Units
from keras_prune.weights import find_weights
from tests.quadratics import linear_model

pytestmark = pytest.mark.all_backends


def numpy_of(tensor):
    return keras.ops.convert_to_numpy(tensor)


def tensor(values):
    return keras.ops.convert_to_tensor(np.asarray(values, "float32"))


def regression(target, penalty, rate=0.5, steps=60, start=None):
    """The kernel that minimizes sum (w - target)^2 / 2 with a penalty: an orthonormal design."""
    target = np.asarray(target, "float32")
    model = linear_model(np.zeros_like(target) + 0.1 if start is None else start)
    x = np.eye(len(target), dtype="float32")

    def loss(y, y_pred):
        return keras.ops.sum(keras.ops.square(y - y_pred), axis=-1) * (len(target) / 2)

    model.compile(keras.optimizers.SGD(rate), loss)
    callback = RegularizeCallback(penalty)
    model.fit(
        x, target, batch_size=len(x), epochs=steps, verbose=0, callbacks=[callback], shuffle=False
    )
    return numpy_of(model.layers[0].kernel)


def test_soft_threshold_of_scalars():
    found = numpy_of(soft_threshold(tensor([2.0, -3.0, 0.4, -0.4, 0.5, 0.0]), 0.5))
    np.testing.assert_allclose(found, [1.5, -2.5, 0.0, 0.0, 0.0, 0.0])
    assert not np.signbit(found[2:]).any()


def test_what_is_no_number_stays_none():
    assert np.isnan(numpy_of(soft_threshold(tensor([np.nan]), 0.5))).all()
    (weight,) = find_weights(linear_model(np.ones((2, 2))))
    for granularity in (GroupLasso("filter").granularity, Block(1, 2)):
        units = Units(weight, granularity)
        found = group_soft_threshold(tensor([[np.nan, 3.0], [1.0, 4.0]]), 1.0, units)
        assert np.isnan(numpy_of(found)[:, 0]).all()
        np.testing.assert_allclose(numpy_of(found)[:, 1], [2.4, 3.2], rtol=1e-6)


@pytest.mark.parametrize("granularity", ["column", Block(1, 2)])
def test_group_soft_threshold_in_closed_form(granularity):
    model = linear_model([[3.0, -0.3, 0.0], [-4.0, 0.4, 0.0]])
    (weight,) = find_weights(model)
    units = Units(weight, GroupLasso(granularity).granularity)
    # Norms 5, 0.5 and 0: (1 - 1/5) of the first is left.
    found = numpy_of(group_soft_threshold(tensor(weight.numpy()), 1.0, units))
    np.testing.assert_allclose(found, [[2.4, 0.0, 0.0], [-3.2, 0.0, 0.0]], rtol=1e-6)
    assert not np.signbit(found[:, 1:]).any()


def test_l1_on_an_orthonormal_design_is_the_soft_threshold():
    target = [[1.0], [-2.0], [0.3], [-0.2], [0.5]]
    found = regression(target, ProximalL1(0.5))
    np.testing.assert_allclose(found, [[0.5], [-1.5], [0.0], [0.0], [0.0]], atol=1e-5)
    assert (found[2:] == 0.0).all()


def test_l2_is_ridge():
    target = np.array([[1.0], [-2.0], [0.3]])
    implicit = regression(target, ProximalL2(0.25))
    np.testing.assert_allclose(implicit, target / (1.0 + 2.0 * 0.25), rtol=1e-4)
    in_the_loss = regression(target, keras.regularizers.L2(0.25))
    np.testing.assert_allclose(in_the_loss, target / (1.0 + 2.0 * 0.25), rtol=1e-4)


def test_one_implicit_step_of_l2_divides():
    # At the minimum the loss has no slope: w / (1 + 2 * 0.1 * 0.5).
    found = regression([[1.0], [-2.0]], ProximalL2(0.5), 0.1, 1, np.array([[1.0], [-2.0]]))
    np.testing.assert_allclose(found, [[1.0 / 1.1], [-2.0 / 1.1]], rtol=1e-6)


@pytest.mark.parametrize("scale_by_size", [False, True])
def test_group_lasso_recovers_planted_groups(scale_by_size):
    random = np.random.default_rng(0)
    planted = np.zeros((6, 8))  # units are rows: the weights of one input
    planted[[1, 4]] = random.normal(size=(2, 8)) + 2.0
    noisy = planted + 0.05 * random.normal(size=planted.shape)
    strength = 0.4 / (np.sqrt(8.0) if scale_by_size else 1.0)
    penalty = ProximalGroupLasso("row", strength, scale_by_size)
    found = regression(noisy, penalty)
    assert [row for row in range(6) if found[row].any()] == [1, 4]
    norms = np.linalg.norm(noisy[[1, 4]], axis=1, keepdims=True)
    np.testing.assert_allclose(found[[1, 4]], noisy[[1, 4]] * (1.0 - 0.4 / norms), rtol=1e-4)


def test_the_loss_form_has_the_same_minimum():
    target = np.array([[3.0, 1.0], [-4.0, 1.0]])
    expected = target * (1.0 - 0.5 * np.sqrt(2.0) / np.linalg.norm(target, axis=0))
    for penalty in (GroupLasso("column", 0.5), ProximalGroupLasso("column", 0.5)):
        np.testing.assert_allclose(regression(target, penalty, 0.1, 200), expected, rtol=1e-3)


def test_two_operators_follow_one_another():
    # Sparse group lasso: single weights first, then what is left of the units.
    penalties = [ProximalL1(0.5), ProximalGroupLasso("column", 1.0, scale_by_size=False)]
    found = regression([[3.5, 0.9], [4.5, -0.8]], penalties)
    np.testing.assert_allclose(found, [[3.0 * 0.8, 0.0], [4.0 * 0.8, 0.0]], rtol=1e-4)


def test_an_empty_layer_under_a_shortcut_is_the_identity():
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    inputs = keras.Input((4,))
    branch = keras.layers.Dense(4, use_bias=False, name="residual")(inputs)
    model = keras.Model(inputs, keras.layers.Add()([inputs, branch]))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    penalty = ProximalGroupLasso("layer", 2.0)
    callbacks = [RegularizeCallback(penalty, filters="residual")]
    model.fit(x, x + 0.01, epochs=20, verbose=0, callbacks=callbacks)
    assert not numpy_of(model.get_layer("residual").kernel).any()
    np.testing.assert_array_equal(numpy_of(model(x)), x)


def test_arguments_make_the_penalty_again():
    for penalty in (ProximalL1(0.1), ProximalL2(0.1), ProximalGroupLasso(Block(1, 4), 0.1, False)):
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(penalty))
        assert again == penalty


def test_without_an_optimizer_it_is_refused():
    model = linear_model(np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"acts in the steps of a Keras optimizer.*=None"):
        ProximalL1(0.1).attach(model)
