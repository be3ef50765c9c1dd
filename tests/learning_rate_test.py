import keras
import numpy as np
import pytest

from keras_prune import learning_rate
from keras_prune.callbacks import PruneCallback
from keras_prune.pruner import Pruner
from keras_prune.schedules import Iterative, OneShot
from tests.small_models import kernels, mlp, toy_data, zeros_of


class Rates(keras.callbacks.Callback):
    """The learning rate after every epoch."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(rate(self.model.optimizer))


def rate(optimizer):
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def fit(model, callbacks, epochs=6, **arguments):
    """Four batches an epoch."""
    x, y = toy_data()
    return model.fit(
        x,
        y,
        epochs=epochs,
        batch_size=16,
        shuffle=False,
        verbose=0,
        callbacks=callbacks,
        **arguments,
    )


def rounds(**arguments):
    """Pruning at steps 4, 10 and 16, of 24."""
    schedule = Iterative(3, begin_step=4, end_step=16, learning_rate_factor=0.5)
    return PruneCallback(0.875, schedule=schedule, **arguments)


@pytest.mark.all_backends
def test_every_round_scales_the_learning_rate():
    model, rates, callback = mlp(keras.optimizers.Adam(0.8)), Rates(), rounds()
    history = fit(model, [callback, rates]).history["sparsity"]
    assert rates.seen == pytest.approx([0.4, 0.4, 0.2, 0.1, 0.1, 0.1])
    # 1 - 0.5 ** round, exact to the weight: 64 + 24, 96 + 36, 112 + 42 of 176.
    assert history == pytest.approx([0.5, 0.5, 0.75, 0.875, 0.875, 0.875])
    assert [zero.sum() for zero in zeros_of(model)] == [112, 42]
    assert callback.report.reached


@pytest.mark.all_backends
def test_training_itself_uses_the_scaled_rate():
    # With a rate of 1e-30 from the first round on, weights stand still.
    schedule = Iterative(1, begin_step=0, learning_rate_factor=1e-30)
    model = mlp(keras.optimizers.SGD(1.0))
    before = kernels(model)
    fit(model, [PruneCallback(0.5, schedule=schedule)], epochs=1)
    for old, new in zip(before, kernels(model), strict=True):
        np.testing.assert_array_equal(new[new != 0.0], old[new != 0.0])
    fit(model, [], epochs=1)
    assert rate(model.optimizer) == pytest.approx(1e-30)


@pytest.mark.all_backends
@pytest.mark.parametrize("epochs, before", [(1, True), (1, False), (2, False), (4, True)])
def test_resumed_training_does_not_count_a_round_twice(epochs, before, tmp_path):
    # Epochs end at steps 4, 8 and 16; rounds begin at 4, 10 and 16.
    whole = mlp(keras.optimizers.SGD(0.8))
    fit(whole, [rounds()])
    model = mlp(keras.optimizers.SGD(0.8))
    path = tmp_path / "model.keras"
    saver = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: model.save(path) if epoch + 1 == epochs else None
    )
    fit(model, [saver, rounds()] if before else [rounds(), saver])
    resumed = keras.saving.load_model(path)
    fit(resumed, [rounds()], initial_epoch=epochs)
    assert rate(resumed.optimizer) == pytest.approx(0.1)
    for one, other in zip(kernels(whole), kernels(resumed), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


@pytest.mark.all_backends
def test_wrapped_optimizers_and_own_loops():
    x, y = toy_data()
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.8))
    model = mlp(optimizer)
    schedule = Iterative(2, begin_step=1, end_step=3, learning_rate_factor=0.5)
    pruner = Pruner(0.75, schedule=schedule)
    seen = []
    with pruner.attach(model):
        for _ in range(4):
            model.train_on_batch(x, y)
            pruner.step()
            seen.append(rate(optimizer))
    assert seen == pytest.approx([0.4, 0.4, 0.2, 0.2])


@pytest.mark.all_backends
def test_one_shot_in_the_middle_of_training():
    model, callback = mlp(), PruneCallback(0.5, schedule=OneShot(0.5))
    history = fit(model, [callback], epochs=4).history["sparsity"]
    assert history == pytest.approx([0.0, 0.5, 0.5, 0.5])
    assert callback.report.reached


def test_other_kinds_of_learning_rate_are_refused():
    decay = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    model = mlp(keras.optimizers.SGD(decay))
    with pytest.raises(ValueError, match="Received: learning_rate=ExponentialDecay"):
        fit(model, [rounds()])
    assert all(variable.constraint is None for variable in model.trainable_variables)
    # Without a factor the schedule of the optimizer does not matter.
    fit(model, [PruneCallback(0.5, schedule=Iterative(2))], epochs=2)
    with pytest.raises(ValueError, match="Received: learning_rate=function"):
        learning_rate.check(keras.optimizers.SGD(lambda: 0.1))
