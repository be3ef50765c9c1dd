import math

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.optimizer_variables import slots
from tests.small_models import kernels, mlp, toy_data


def attached(regrowth, **arguments):
    model = mlp(keras.optimizers.SGD(0.1, momentum=0.9))
    pruner = kp.Pruner(
        0.5, regrowth=regrowth, schedule=kp.ConstantSparsity(frequency=1), **arguments
    )
    pruner.attach(model, total_steps=100, initial_step=None)
    return model, pruner


@pytest.mark.all_backends
def test_the_smallest_weights_go_and_as_many_grow_at_zero_without_momentum():
    model, pruner = attached(kp.SET(0.25, seed=1))
    for slot in model.optimizer.variables:
        if "momentum" in slot.name:
            slot.assign(keras.ops.ones(slot.shape))
    dense = kernels(model)
    with pruner:
        pruner.start(0)
        for index, (before, now) in enumerate(zip(dense, kernels(model), strict=True)):
            keep = pruner.store.keep[index]
            assert np.count_nonzero(keep) == keep.size // 2
            half = np.sort(abs(before).ravel())[keep.size // 2 :]
            left = now != 0.0
            # A quarter of the half is dropped, unless chance chooses it again.
            assert abs(before)[left].min() >= half[0]
            assert np.isin(half[keep.size // 8 :], abs(now)).all()
            grown = keep & ~left
            assert 0 < np.count_nonzero(grown) <= keep.size // 8
            kernel = pruner.store.weights[index].variable
            (momentum,) = slots(model.optimizer, kernel)
            momentum = keras.ops.convert_to_numpy(momentum)
            assert not momentum[grown].any()
            assert momentum[left].all()


@pytest.mark.all_backends
def test_weights_grow_where_the_gradient_is_largest():
    """L = 1/2 (w . x - y)^2 with x = (1, 2, 3, 4): |dL/dw_i| = |e| x_i."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, use_bias=False)])
    model.compile("sgd", "mse")
    model.layers[0].kernel.assign([[4.0], [3.0], [2.0], [1.0]])
    data = (np.array([[1.0, 2.0, 3.0, 4.0]] * 2, "float32"), np.zeros((2, 1), "float32"))
    pruner = kp.Pruner(
        0.5, regrowth=kp.RigL(0.5, batch_size=2), schedule=kp.ConstantSparsity(), data=data
    )
    with pruner.attach(model, total_steps=100):
        # (4, 3) is left, 3 is dropped, and the last input grows.
        np.testing.assert_array_equal(pruner.store.keep[0].ravel(), [True, False, False, True])
        np.testing.assert_array_equal(kernels(model)[0].ravel(), [4.0, 0.0, 0.0, 0.0])


def test_the_exchanged_fraction_follows_the_cosine():
    class Update:
        progress = 0.0

    rigl, fractions = kp.RigL(0.3), []
    for Update.progress in (0.0, 1 / 3, 0.5, 1.0):
        fractions.append(rigl.exchanged(Update))
    np.testing.assert_allclose(fractions, [0.3, 0.225, 0.15, 0.0], atol=1e-12)
    assert math.isclose(kp.SET(0.2).exchanged(Update), 0.2)


@pytest.mark.all_backends
@pytest.mark.parametrize("regrowth", ["set", "rigl"])
@pytest.mark.parametrize("granularity", ["unstructured", "1x4", "shape"])
def test_training_keeps_its_sparsity_while_masks_move(regrowth, granularity):
    class Watch(keras.callbacks.Callback):
        sparsities = ()
        masks = ()

        def on_train_batch_end(self, batch, logs=None):
            self.masks += ([keep.copy() for keep in callback.pruner.store.keep],)
            self.sparsities += (callback.pruner.store.sparsity,)

    data = toy_data()
    callback = kp.PruneCallback(
        0.5,
        criterion="random",
        granularity=granularity,
        schedule=kp.ConstantSparsity(end_step=0.75, frequency=2),
        regrowth=regrowth,
        data=data if regrowth == "rigl" else None,
        seed=3,
    )
    watch = Watch()
    model = mlp(keras.optimizers.SGD(0.5))
    model.fit(*data, epochs=6, batch_size=16, verbose=0, callbacks=[callback, watch])
    assert len(set(watch.sparsities)) == 1
    # Above it where a unit that grew at zero has nothing yet to learn from.
    assert callback.report.achieved >= watch.sparsities[0] == pytest.approx(0.5, abs=0.02)
    moved = sum(
        any((a != b).any() for a, b in zip(then, now, strict=True))
        for then, now in zip(watch.masks, watch.masks[1:], strict=False)
    )
    assert moved >= 1
    assert callback.report.reached


@pytest.mark.all_backends
def test_gradual_pruning_with_regrowth_reaches_its_target():
    callback = kp.PruneCallback(0.8, regrowth=kp.RigL(batch_size=16), data=toy_data())
    mlp().fit(*toy_data(), epochs=6, batch_size=16, verbose=0, callbacks=[callback])
    assert callback.report.reached
    assert callback.report.achieved == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: kp.Pruner(0.5, regrowth="rigl"), "looks at data"),
        (lambda: kp.Pruner(0.5, regrowth="set", data=toy_data()), "looks at the weights alone"),
        (lambda: kp.Pruner(granularity="2:4", regrowth="set"), "exchanges units of a whole layer"),
        (lambda: kp.Pruner(granularity="filter", regrowth="set"), "begins at zero"),
        (lambda: kp.SET(1.0), "Argument `fraction`"),
        (lambda: kp.RigL(batch_size=0), "Argument `batch_size`"),
    ],
)
def test_wrong_arguments_get_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=f"(?s){sentence}.*Received: "):
        make()
