import keras
import numpy as np
import pytest

from keras_prune.callbacks import RegularizeCallback
from keras_prune.granularity import Block, Filter
from keras_prune.regularizers import ADMM
from tests.quadratics import linear_model
from tests.small_models import kernels, mlp, toy_data, zeros_of

pytestmark = pytest.mark.all_backends
ON_TORCH = keras.backend.backend() == "torch"


def fit(model, callbacks, epochs=4, **arguments):
    """Four batches an epoch, in a fixed order."""
    x, y = toy_data()
    arguments = {"batch_size": 16, "shuffle": False, "verbose": 0, **arguments}
    return model.fit(x, y, epochs=epochs, callbacks=callbacks, **arguments)


def without_gradients(model, callbacks, epochs=4):
    return fit(model, callbacks, epochs, sample_weight=np.zeros(64, "float32"))


def quadratic_fit(target, admm, epochs=40):
    """Minimizes sum (w - target)^2 / 2 in ten steps an epoch; the kernel and the history."""
    target = np.asarray(target, "float32")
    model = linear_model(np.zeros_like(target) + 0.01)
    x = np.tile(np.eye(len(target), dtype="float32"), (10, 1))

    def loss(y, y_pred):
        return keras.ops.sum(keras.ops.square(y - y_pred), axis=-1) * (len(target) / 2)

    model.compile(keras.optimizers.SGD(0.2), loss)
    history = model.fit(
        x,
        np.tile(target, (10, 1)),
        batch_size=len(target),
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=[RegularizeCallback(admm)],
    )
    return keras.ops.convert_to_numpy(model.layers[0].kernel), history.history


def test_the_fixed_point_of_a_quadratic_is_its_top_k():
    target = [[3.0], [-2.0], [0.5], [0.1], [-0.4]]
    admm = ADMM(0.6, rho=2.0, rounds=30, end_step=0.9)
    kernel, history = quadratic_fit(target, admm)
    np.testing.assert_allclose(kernel, [[3.0], [-2.0], [0.0], [0.0], [0.0]], atol=1e-4)
    assert (kernel[2:] == 0.0).all()
    residuals = history["primal_residual"]
    assert residuals[0] > 0.05
    assert max(residuals[20:35]) < 1e-3  # W = Z long before W is pruned
    assert residuals[-1] == 0.0
    assert admm.report.reached
    assert admm.report.achieved == 0.6


@pytest.mark.parametrize("granularity", ["filter", Filter(norm=2), Block(2, 1)])
def test_units_are_kept_by_their_energy(granularity):
    # |w| sums to 3.0 and 2.8, w^2 to 4.5 and 7.84.
    target = [[1.5, 2.8], [1.5, 0.0]]
    kernel, _ = quadratic_fit(target, ADMM(0.5, granularity, rho=2.0))
    expected = [[0.0, 2.8], [0.0, 0.0]]
    if isinstance(granularity, Block):  # two outputs of one input: energies 10.09 and 2.25
        expected = [[1.5, 2.8], [0.0, 0.0]]
    np.testing.assert_allclose(kernel, expected, atol=1e-3)


def test_rounds_follow_the_equations():
    model = mlp(keras.optimizers.SGD(0.1))
    admm = ADMM(0.5, rho=1.0, rounds=2, begin_step=0, end_step=4)
    zero = [keras.ops.zeros(v.shape) for v in model.trainable_variables]
    (w, _) = kernels(model)
    with admm.attach(model):
        z = np.where(np.abs(w) >= np.sort(np.abs(w), axis=None)[64], w, 0.0)
        u = np.zeros_like(z)
        for step in range(1, 4):
            np.testing.assert_allclose(admm.state()["z_0"], z, atol=1e-6)
            np.testing.assert_allclose(admm.state()["u_0"], u, atol=1e-6)
            w = w - 0.1 * (w - z + u)
            model.optimizer.apply(zero)
            np.testing.assert_allclose(kernels(model)[0], w, atol=1e-6)
            admm.step()
            if step == 2:
                total = w + u
                z = np.where(np.abs(total) >= np.sort(np.abs(total), axis=None)[64], total, 0.0)
                u = u + w - z
                assert admm.state()["round"] == 1


def test_a_round_has_a_hundred_steps_unless_their_number_is_given():
    for rounds, firsts in ((None, (116, 232)), (7, (50, 100))):
        with ADMM(0.5, rounds=rounds, end_step=350).attach(mlp()) as admm:
            for number, first in enumerate(firsts):
                admm.update(first - 1)
                assert admm.state()["round"] == number
                admm.update(first)
                assert admm.state()["round"] == number + 1


def test_after_the_end_masks_hold_and_nothing_pulls():
    model = mlp(keras.optimizers.SGD(0.1, momentum=0.9))
    ends = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            ends.append(kernels(self.model))

    without_gradients(model, [RegularizeCallback(ADMM(0.8, rho=1.0, end_step=8)), Look()], epochs=4)
    assert not (ends[0][0] == 0.0).any()
    for epoch in (1, 2, 3):
        assert [(kernel == 0.0).sum() for kernel in ends[epoch]] == [102, 38]
    # Momentum moves a weight for a while; a pull of rho = 1 would never let go.
    fit(model, [RegularizeCallback(ADMM(0.8, rho=1e-4, end_step=0))])
    assert [zero.sum() for zero in zeros_of(model)] == [102, 38]


def test_the_pull_ends_with_the_rounds():
    model = mlp(keras.optimizers.SGD(0.1))
    seen = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(kernels(self.model)[0])

    without_gradients(model, [RegularizeCallback(ADMM(0.5, rho=1.0, end_step=8)), Look()])
    np.testing.assert_array_equal(seen[1], seen[3])
    assert np.abs(seen[0] - seen[1]).max() > 1e-3


@pytest.mark.parametrize("jit_compile", [False] if ON_TORCH else [False, True])
@pytest.mark.parametrize("steps_per_execution", [1] if ON_TORCH else [1, 2])
def test_compiled_and_bundled_steps(jit_compile, steps_per_execution):
    model = mlp(jit_compile=jit_compile, steps_per_execution=steps_per_execution)
    admm = ADMM(0.8, rho=0.1, end_step=8)
    fit(model, [RegularizeCallback(admm)])
    assert [zero.sum() for zero in zeros_of(model)] == [102, 38]
    assert len(model.optimizer.variables) == 2 + 2 * 4
    assert "apply" not in vars(model.optimizer)
    assert all(variable.constraint is None for variable in model.trainable_variables)


OPTIMIZERS = {
    "accumulation": lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=2),
    "ema": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.5),
    "loss scale": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)),
    "several": lambda: keras.optimizers.MultiOptimizer(
        keras.optimizers.OptimizerMap(keras.optimizers.Adam(0.01))
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_zeros_hold_with_every_optimizer(name):
    keras.config.set_dtype_policy("mixed_float16" if name == "loss scale" else "float32")
    try:
        model = mlp(OPTIMIZERS[name]())
        fit(model, [RegularizeCallback(ADMM(0.8, rho=0.1))])
    finally:
        keras.config.set_dtype_policy("float32")
    assert [zero.sum() for zero in zeros_of(model)] == [102, 38]


@pytest.mark.parametrize("granularity, allocation", [("2:4", "uniform"), ("1x4", "global")])
def test_patterns_and_allocations(granularity, allocation):
    sparsity = None if granularity == "2:4" else 0.75
    admm = ADMM(sparsity, granularity, allocation, rho=0.1)
    fit(mlp(), [RegularizeCallback(admm, filters="hidden")])
    assert admm.report.reached
    assert admm.report.achieved == (0.5 if granularity == "2:4" else 0.75)


def test_a_short_training_reaches_its_target():
    model = mlp()
    fit(model, [RegularizeCallback(ADMM(0.8))], epochs=1)
    assert [zero.sum() for zero in zeros_of(model)] == [102, 38]


def test_a_training_that_ends_early_says_so():
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    with pytest.warns(UserWarning, match="did not reach the sparsity.*Received: sparsity=0.8"):
        fit(mlp(), [RegularizeCallback(ADMM(0.8)), Stop()])


class Keep(keras.callbacks.Callback):
    """Holds on to the weights, the optimizer's state and the penalty's after one epoch."""

    def __init__(self, penalty, epoch, path):
        super().__init__()
        self.penalty, self.epoch, self.path = penalty, epoch, path

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            self.model.save_weights(self.path)
            self.state = {name: np.array(value) for name, value in self.penalty.state().items()}


class Restore(keras.callbacks.Callback):
    def __init__(self, penalty, state):
        super().__init__()
        self.penalty, self.state = penalty, state

    def on_train_begin(self, logs=None):
        self.penalty.restore(self.state)


@pytest.mark.parametrize("first", [True, False])
def test_a_restored_state_goes_on_as_if_nothing_had_happened(tmp_path, first):
    def penalty():
        return ADMM(0.8, rho=0.5, rounds=3, end_step=12)

    whole, admm = mlp(), penalty()
    ours, keep = RegularizeCallback(admm), Keep(admm, 1, tmp_path / "kept.weights.h5")
    fit(whole, [keep, ours] if first else [ours, keep], epochs=4)
    # A round ends with the epoch: the checkpoint comes before it or after it.
    assert keep.state["round"] == (1 if first else 2)
    again = penalty()
    resumed = fit_on(keep.path, [RegularizeCallback(again), Restore(again, keep.state)])
    for one, two in zip(kernels(whole), kernels(resumed), strict=True):
        np.testing.assert_array_equal(one == 0.0, two == 0.0)
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)
    # Without the state Z and U begin anew, and the result is another one.
    anew = fit_on(keep.path, [RegularizeCallback(penalty())])
    assert np.abs(kernels(anew)[0] - kernels(whole)[0]).max() > 1e-3


def fit_on(path, callbacks):
    """The last two of four epochs, from a checkpoint of weights and optimizer."""
    model = mlp(seed=1)
    model.optimizer.build(model.trainable_variables)
    model.load_weights(path)
    fit(model, callbacks, epochs=4, initial_epoch=2)
    return model


def test_arguments_make_it_again():
    admm = ADMM(0.75, "1x4", "global", rho=0.01, rounds=3)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(admm))
    assert again == admm


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"rho": 0.0}, "must be positive. Received: rho=0.0"),
        ({"rounds": 0}, "int > 0. Received: rounds=0"),
        ({"sparsity": 1.0}, "Received: sparsity=1.0"),
        ({"begin_step": 5, "end_step": 2}, "cannot end before it begins"),
    ],
)
def test_wrong_arguments_get_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        fit(mlp(), [RegularizeCallback(ADMM(**arguments))])
