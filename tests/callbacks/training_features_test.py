"""Pruning together with what else Keras's training can do.

`prune_callback_test.py` has the common cases; here are the rarer ones and their combinations.
"""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_prune.callbacks import PruneCallback
from keras_prune.pruner import Pruner
from tests.small_models import ZeroProbe, mlp, toy_data, zeros_of

pytestmark = pytest.mark.all_backends

BACKEND = keras.backend.backend()
ROOT = pathlib.Path(__file__).parents[2]
optimizers, layers = keras.optimizers, keras.layers
# 128 and 48 weights: the nearest to 80 % are 102 and 38.
ZEROS = [102, 38]


def fit(model, callbacks=(), sparsity=0.8, **arguments):
    """Three epochs of four steps; fails as soon as a zero comes back. Returns the report."""
    x, y = toy_data()
    arguments = {"batch_size": 16, "epochs": 3, "shuffle": False, "verbose": 0, **arguments}
    ours = PruneCallback(sparsity, filters=arguments.pop("filters", None))
    model.fit(x, y, callbacks=[ZeroProbe(), *callbacks, ours], **arguments)
    return ours.report


def counts(model):
    return [int(zero.sum()) for zero in zeros_of(model)]


def test_the_sparsity_at_every_step_is_that_of_the_schedule_to_a_weight():
    model, counted = mlp(jit_compile=False), []

    class Count(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            counted.append(counts(self.model)[0])

    fit(model, [Count()])
    # 0.8 (1 - (1 - t / 8) ** 3) of 128 weights, t = 0 ... 8: the end is at 70 % of 12 steps.
    assert counted == [0, 34, 59, 77, 90, 97, 101, 102] + [102] * 4


# Optimizers.

FACTORIES = {
    "adadelta": lambda: optimizers.Adadelta(0.1),
    "adafactor": lambda: optimizers.Adafactor(0.01),
    "adagrad": lambda: optimizers.Adagrad(0.01),
    "adam amsgrad": lambda: optimizers.Adam(0.01, amsgrad=True),
    "adamax": lambda: optimizers.Adamax(0.01),
    "clipping": lambda: optimizers.Adam(0.01, global_clipnorm=0.1),
    "ftrl": lambda: optimizers.Ftrl(0.1, l1_regularization_strength=0.01),
    "lamb": lambda: optimizers.Lamb(0.01),
    "lion": lambda: optimizers.Lion(0.01, weight_decay=0.1),
    "muon": lambda: optimizers.Muon(0.01),
    "nadam": lambda: optimizers.Nadam(0.01),
    "rmsprop": lambda: optimizers.RMSprop(0.01, momentum=0.9, centered=True),
    "schedule": lambda: optimizers.SGD(optimizers.schedules.CosineDecay(0.1, 12), momentum=0.9),
    "schedule free": lambda: optimizers.ScheduleFreeAdamW(0.01),
}
ELSEWHERE = {"AdamW", "LossScaleOptimizer", "MultiOptimizer", "Optimizer", "OptimizerMap"}


@pytest.mark.parametrize("name", FACTORIES)
def test_every_optimizer_keeps_the_zeros(name):
    model = mlp(FACTORIES[name](), jit_compile=False)
    report = fit(model, epochs=2)
    assert counts(model) == ZEROS
    assert report.reached


def test_no_optimizer_of_keras_is_left_out():
    public = {name for name in dir(optimizers) if name[0].isupper()}
    assert public - ELSEWHERE == {type(make()).__name__ for make in FACTORIES.values()}


# Precision, compilation, bundled steps, accumulation and averages, together.

COMBINATIONS = {
    "bfloat16": ("bfloat16", lambda: optimizers.SGD(0.1, momentum=0.9)),
    "mixed bfloat16 and averages": (
        "mixed_bfloat16",
        lambda: optimizers.Adam(0.01, use_ema=True, ema_momentum=0.5),
    ),
    "loss scale and accumulation": (
        "mixed_float16",
        lambda: optimizers.LossScaleOptimizer(
            optimizers.Adam(0.01, gradient_accumulation_steps=2), initial_scale=8.0
        ),
    ),
    "averages and accumulation": (
        "float32",
        lambda: optimizers.Adam(
            0.01, gradient_accumulation_steps=2, use_ema=True, ema_overwrite_frequency=3
        ),
    ),
}


@pytest.mark.parametrize("name", COMBINATIONS)
def test_features_work_together_in_compiled_and_bundled_steps(name):
    policy, make = COMBINATIONS[name]
    before = keras.config.dtype_policy()
    compiled = {} if BACKEND == "torch" else {"jit_compile": True, "steps_per_execution": 3}
    try:
        keras.config.set_dtype_policy(policy)
        model = mlp(make(), **{"jit_compile": False, **compiled})
        report = fit(model)
    finally:
        keras.config.set_dtype_policy(before)
    assert counts(model) == ZEROS
    assert report.reached


# Several devices.


@pytest.mark.skipif(BACKEND == "torch", reason="Keras has no distribution API on torch.")
def test_all_devices_that_share_a_step_hold_the_same_zeros():
    # Under TensorFlow's strategy Keras itself cannot accumulate gradients or bundle steps.
    names = ["adam", "averages", "loss_scale"]
    names += ["accumulation", "bundle"] if BACKEND == "jax" else []
    worker = [sys.executable, "-m", "tests.callbacks.replicas_worker", *names]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(worker, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout.splitlines()[-1])
    assert list(results) == names
    for result in results.values():
        assert result["reached"]
        assert result["final"] == [[zeros, zeros] for zeros in ZEROS]
        for step in result["steps"]:
            assert step["devices"] == [2, 2]
            assert step["agree"] and step["exact"]
        zeros = [step["zeros"] for step in result["steps"]]
        assert zeros == sorted(zeros) and zeros[0] < zeros[-1] == ZEROS


# Steps that the user writes.


def tensorflow_train_step(model, data):
    import tensorflow as tf

    x, y = data
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x=x, y=y, y_pred=model(x, training=True))
    variables = model.trainable_variables
    model.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
    return {"loss": loss}


def torch_train_step(model, data):
    import torch

    x, y = data
    model.zero_grad()
    loss = model.compute_loss(x=x, y=y, y_pred=model(x, training=True))
    loss.backward()
    variables = model.trainable_variables
    with torch.no_grad():
        model.optimizer.apply([variable.value.grad for variable in variables], variables)
    return {"loss": loss}


def jax_train_step(model, state, data):
    import jax

    trainable, others, slots, metrics = state
    x, y = data

    def loss(trainable):
        y_pred, _ = model.stateless_call(trainable, others, x, training=True)
        return model.compute_loss(x=x, y=y, y_pred=y_pred)

    value, gradients = jax.value_and_grad(loss)(trainable)
    trainable, slots = model.optimizer.stateless_apply(slots, gradients, trainable)
    return {"loss": value}, (trainable, others, slots, metrics)


class OwnStep(keras.Sequential):
    train_step = {
        "tensorflow": tensorflow_train_step,
        "torch": torch_train_step,
        "jax": jax_train_step,
    }[BACKEND]


def test_a_train_step_of_the_users_own_keeps_the_zeros_in_fit():
    stock = mlp()
    model = OwnStep(stock.layers, name="mlp")
    model.compile(optimizers.Adam(0.01), stock.loss)
    assert fit(model).reached
    assert counts(model) == ZEROS


@pytest.mark.skipif(BACKEND != "torch", reason="A loop with an optimizer of torch.")
@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.Sequential(mlp().layers),
        mlp,
    ],
    ids=["bare", "compiled"],
)
def test_step_restores_the_zeros_that_an_optimizer_of_torch_takes(make):
    import torch

    model = make()
    x, y = map(torch.from_numpy, toy_data())
    with Pruner(0.8).attach(model, total_steps=8) as pruner:
        optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
        seen = zeros_of(model)
        for _ in range(10):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            pruner.step()
            assert not any(np.any(a & ~b) for a, b in zip(seen, zeros_of(model), strict=True))
            seen = zeros_of(model)
    assert counts(model) == ZEROS and pruner.report().reached


@pytest.mark.skipif(BACKEND != "jax", reason="A loop that carries the state outside the model.")
def test_zeros_hold_in_a_state_that_never_goes_back_into_the_model():
    import jax

    model, (x, y) = mlp(optimizers.Adam(0.01)), toy_data()
    with Pruner(0.8, schedule="one_shot").attach(model):

        @jax.jit
        def step(trainable, slots):
            def loss(trainable):
                y_pred, _ = model.stateless_call(trainable, model.non_trainable_variables, x)
                return model.loss(y, y_pred)

            return model.optimizer.stateless_apply(slots, jax.grad(loss)(trainable), trainable)

        trainable = [variable.value for variable in model.trainable_variables]
        slots = [variable.value for variable in model.optimizer.variables]
        for _ in range(5):
            trainable, slots = step(trainable, slots)
            assert [int((value == 0.0).sum()) for value in trainable[0::2]] == ZEROS


@pytest.mark.skipif(BACKEND != "tensorflow", reason="A loop with GradientTape.")
def test_zeros_hold_in_a_compiled_loop_with_loss_scaling():
    import tensorflow as tf

    model, (x, y) = mlp(optimizers.LossScaleOptimizer(optimizers.Adam(0.01))), toy_data()

    @tf.function(jit_compile=True)
    def step():
        with tf.GradientTape() as tape:
            loss = model.optimizer.scale_loss(model.loss(y, model(x, training=True)))
        variables = model.trainable_variables
        model.optimizer.apply(tape.gradient(loss, variables), variables)

    with Pruner(0.8).attach(model, total_steps=8) as pruner:
        for _ in range(10):
            before = zeros_of(model)
            step()
            assert not any(np.any(a & ~b) for a, b in zip(before, zeros_of(model), strict=True))
            pruner.step()
    assert counts(model) == ZEROS and pruner.report().reached


# Models.


def house():
    """A nested model, and layers that are shared, frozen, constrained and sparse already."""
    keras.utils.set_random_seed(0)
    entry = keras.Input((8,))
    inner = keras.Model(entry, layers.Dense(8, name="room")(entry), name="inner")
    shared = layers.Dense(8, name="shared")
    limited = layers.Dense(8, kernel_constraint="unit_norm", name="limited")
    inputs = keras.Input((8,))
    outputs = limited(inner(shared(shared(inputs))))
    outputs = layers.Dense(8, trainable=False, name="frozen")(outputs)
    outputs = layers.Dense(3, name="logits")(layers.Dense(8, name="sparse")(outputs))
    model = keras.Model(inputs, outputs)
    kernel = np.array(keras.ops.convert_to_numpy(model.get_layer("sparse").kernel))
    kernel[:7] = 0.0
    model.get_layer("sparse").kernel.assign(kernel)
    model.compile(
        optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    return model


def test_every_kind_of_layer_in_one_functional_model(tmp_path):
    model = house()
    frozen = keras.ops.convert_to_numpy(model.get_layer("frozen").kernel)
    report = fit(model, sparsity=0.5)
    found = {weight.path.split("/")[-2]: weight for weight in report.weights}
    assert len(found) == len(report.weights) == 6
    zeros = {name: weight.zeros for name, weight in found.items()}
    # The kernel of the layer "sparse" had 56 of 64 zeros and keeps them.
    assert zeros == dict(room=32, shared=32, limited=32, frozen=0, sparse=56, logits=12)
    assert [w.skip for w in report.skipped] == ["frozen: `trainable` is False"]
    assert report.reached
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(model.get_layer("frozen").kernel), frozen
    )
    model.save(tmp_path / "model.keras")
    for restored in (model, keras.models.load_model(tmp_path / "model.keras")):
        limited = restored.get_layer("limited")
        assert isinstance(limited.kernel.constraint, keras.constraints.UnitNorm)
        kernel = keras.ops.convert_to_numpy(limited.kernel)
        assert np.linalg.norm(kernel, axis=0).max() <= 1.0 + 1e-5
        assert (kernel == 0.0).sum() == 32


def frozen_throughout():
    model = mlp()
    loss, model.trainable = model.loss, False
    model.compile("adam", loss)
    return model


def quantized():
    model = mlp()
    loss = model.loss
    model.quantize("int8", filters="hidden|logits")
    model.compile("adam", loss)
    return model


@pytest.mark.parametrize(
    "make, reason",
    [
        (frozen_throughout, "'mlp/hidden/kernel': 'frozen: `trainable` is False'"),
        (quantized, "quantized to int8: prune before `model.quantize`"),
    ],
)
def test_models_with_nothing_to_prune_are_refused_before_the_first_step(make, reason):
    model = make()
    before = model.get_weights()
    with pytest.raises(ValueError, match="no weight that can be pruned") as error:
        model.fit(*toy_data(), verbose=0, callbacks=[PruneCallback()])
    assert reason in str(error.value)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
