"""Copies of models compile as the models were, registered with Keras or not."""

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.surgery.compiled_copy import compile_arguments, compile_like, uncompiled

pytestmark = pytest.mark.all_backends


def squared(y, prediction):
    return keras.ops.mean(keras.ops.square(y - prediction), axis=-1)


class HalfAsFast(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, first):
        super().__init__()
        self.first = first

    def __call__(self, step):
        return self.first * 0.5 ** keras.ops.cast(step, "float32")

    def get_config(self):
        return {"first": self.first}


class Tripled(keras.losses.Loss):
    def call(self, y, prediction):
        return 3.0 * squared(y, prediction)


LOSSES = {
    "function": squared,
    "lambda": lambda y, prediction: 2.0 * squared(y, prediction),
    "class": Tripled(),
}
DATA = np.linspace(-1, 1, 48, dtype="float32").reshape(16, 3), np.ones((16, 2), "float32")


def copy_of(model):
    with uncompiled(model):
        copy = keras.models.clone_model(model)
    assert model.compiled and not copy.compiled
    copy.set_weights(model.get_weights())
    return copy


def network(loss, **options):
    keras.utils.set_random_seed(0)
    hidden, last = keras.layers.Dense(8, activation="relu", name="hidden"), keras.layers.Dense(2)
    model = keras.Sequential([keras.Input((3,)), hidden, last])
    model.compile("sgd", loss, **options)
    return model


@pytest.mark.parametrize("name", LOSSES)
def test_what_is_not_registered_is_copied(name):
    metrics = [keras.metrics.MeanMetricWrapper(squared, name="wrapped"), squared, "mae"]
    model = network(LOSSES[name], metrics=metrics, steps_per_execution=1)
    copy = copy_of(model)
    compile_like(copy, model)
    wanted, got = (m.evaluate(*DATA, verbose=0, return_dict=True) for m in (model, copy))
    assert set(got) == set(wanted)
    np.testing.assert_allclose([got[key] for key in wanted], list(wanted.values()), rtol=1e-6)
    assert copy.optimizer is not model.optimizer
    copy.fit(*DATA, epochs=1, verbose=0)
    assert int(model.optimizer.iterations.numpy()) == 0


def test_the_optimizer_is_made_anew():
    model = network(squared)
    model.compile(keras.optimizers.Adam(HalfAsFast(0.25), beta_1=0.5), squared)
    copies = [copy_of(model) for _ in range(2)]
    compile_like(copies[0], model)
    compile_like(copies[1], model, optimizer=keras.optimizers.SGD(HalfAsFast(0.125)))
    rates = [float(keras.ops.convert_to_numpy(copy.optimizer.learning_rate)) for copy in copies]
    assert rates == [0.25, 0.125]
    assert [type(copy.optimizer).__name__ for copy in copies] == ["Adam", "SGD"]
    assert copies[0].optimizer.beta_1 == 0.5
    assert copies[0].optimizer.built


def test_one_loss_for_each_output():
    inputs = keras.Input((3,))
    outputs = {name: keras.layers.Dense(2, name=name)(inputs) for name in ("a", "b")}
    model = keras.Model(inputs, outputs)
    model.compile("sgd", {"a": squared, "b": "mse"}, loss_weights={"a": 2.0, "b": 0.5})
    copy = copy_of(model)
    compile_like(copy, model)
    data = DATA[0], {"a": DATA[1], "b": DATA[1]}
    assert copy.evaluate(*data, verbose=0) == pytest.approx(model.evaluate(*data, verbose=0))


def test_a_metric_that_cannot_be_made_anew():
    class Needy(keras.metrics.Mean):
        def __init__(self, unit):
            super().__init__(name="needy")
            self.unit = unit

    model = network(squared, metrics=[Needy("m")])
    with pytest.raises(ValueError, match=r"cannot be compiled as the model was.*Received: <"):
        compile_arguments(model)

    def train(*_):
        pytest.fail("it is refused before anything is trained")

    with pytest.raises(ValueError, match=r"cannot be compiled as the model was"):
        kp.joint_prune(model, train, DATA, sparsity=0.5, rounds=1, winner_rates=0.5)


@pytest.mark.parametrize("name", LOSSES)
def test_joint_pruning_and_shrinking_need_no_registration(name):
    model = network(LOSSES[name], metrics=[squared])

    def train(model, callbacks, round):
        model.fit(*DATA, epochs=1, callbacks=callbacks, verbose=0)

    report = kp.joint_prune(model, train, DATA, sparsity=0.5, rounds=1, winner_rates=0.5)
    assert report.model.compiled
    assert not kp.strip(model).compiled
    kp.prune(model, 0.5, granularity="filter")
    small = kp.shrink(model)
    assert small.compiled
    small.fit(*DATA, epochs=1, verbose=0)
