import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_prune.analysis import activation_counter
from keras_prune.analysis.activation_places import find_places
from keras_prune.backend import nonzero_marks
from keras_prune.callbacks import PruneCallback
from keras_prune.callbacks.activation_density import ActivationDensity
from keras_prune.model_cost import cost
from tests.small_models import mlp, toy_data

pytestmark = pytest.mark.all_backends
BACKEND = keras.backend.backend()
ROOT = pathlib.Path(__file__).parents[2]
layers = keras.layers
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def still(model, **arguments):
    """The model compiled so that training leaves its weights alone."""
    model.compile(keras.optimizers.SGD(0.0), LOSS, **{"jit_compile": False, **arguments})
    return model


def fit(model, callbacks, data=None, **arguments):
    x, y = toy_data(37) if data is None else data
    arguments = {"batch_size": 8, "epochs": 2, "verbose": 0, **arguments}
    return model.fit(x, y, callbacks=callbacks, **arguments).history


def maps(model, x, names):
    """The outputs of some layers, as numpy arrays."""
    outputs = [model.get_layer(name).output for name in names]
    found = keras.Model(model.inputs[0], outputs)(x)
    return [keras.ops.convert_to_numpy(array) for array in found]


def residual():
    """Two convolutions around a shortcut, on (6, 6, 1)."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 6, 1))
    y = layers.Conv2D(4, 3, padding="same", name="first")(inputs)
    shortcut = layers.MaxPooling2D()(layers.ReLU(name="relu")(y))
    y = layers.Conv2D(4, 3, padding="same", name="second")(shortcut)
    y = layers.Activation("relu", name="sum")(layers.Add()([y, shortcut]))
    y = layers.Flatten()(layers.Dropout(0.5)(y))
    return keras.Model(inputs, layers.Dense(3, name="logits")(y))


def images(rows=11):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows, 6, 6, 1)).astype("float32")
    return x, generator.integers(0, 3, rows)


STEPS = [
    {},
    {"jit_compile": True, "steps_per_execution": 2},
    {"run_eagerly": True},
]


@pytest.mark.parametrize("compiled", STEPS[:1] if BACKEND == "torch" else STEPS)
def test_counts_are_exact_on_partial_batches_and_without_validation(compiled):
    model, (x, y) = still(residual(), **compiled), images()
    callback = ActivationDensity()
    history = fit(model, [callback], (x, y), batch_size=4, validation_data=images(5))
    relu, total = maps(model, x, ["relu", "sum"])
    first = np.count_nonzero(relu) / relu.size
    second = np.count_nonzero(total) / total.size
    sizes = np.array([relu.size, total.size, 11 * 3])
    assert history["activation_density/first"] == [first] * 2
    assert history["activation_density/second"] == [second] * 2
    assert history["activation_density/logits"] == [1.0] * 2
    expected = (np.count_nonzero(relu) + np.count_nonzero(total) + 33) / sizes.sum()
    assert history["activation_density"] == [expected] * 2
    # One minus the mean of APoZ over the units.
    zeros = (relu == 0.0).mean((0, 1, 2))
    np.testing.assert_allclose(1 - callback.counts["first"].nonzero / (11 * 36), zeros, 1e-12)
    assert callback.counts["first"].positions == 11 * 36
    assert history["activation_density/first"][0] == pytest.approx(1 - zeros.mean())


def test_maps_by_hand():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(4, "relu"), layers.Dense(1)])
    model.set_weights(
        [np.array([[1, -1, 1, 0], [0, 0, 1, 0]]), np.zeros(4), np.ones((4, 1)), np.zeros(1)]
    )
    model.compile(keras.optimizers.SGD(0.0), "mse", jit_compile=False)
    x = np.array([[1, 0], [-1, 0], [1, -1]], "float32")
    # After ReLU: (1, 0, 1, 0), (0, 1, 0, 0), (1, 0, 0, 0).
    callback = ActivationDensity(filters="^dense")
    model.fit(x, x[:, :1], batch_size=2, verbose=0, callbacks=[callback])
    hidden = callback.counts[model.layers[0].name]
    assert hidden.nonzero.tolist() == [2, 1, 1, 0]
    assert hidden.density == 4 / 12
    assert callback.density == (4 + 3) / (12 + 3)


def test_it_agrees_with_cost_on_finished_models():
    model, (x, _) = still(mlp()), toy_data(37)
    callback = ActivationDensity(prefix="ad")
    history = fit(model, [callback])
    report = cost(model, data=x)
    assert history["ad"] == [report.activation_density] * 2
    assert history["ad/hidden"][0] == report.layers[0].activation_density


def test_values_up_to_eps_count_as_zero_and_two_callbacks_do_not_meddle():
    model = keras.Sequential(
        [keras.Input((8,)), layers.Dense(6, name="hidden"), layers.LeakyReLU(0.1), layers.Dense(3)]
    )
    x, _ = toy_data(37)
    callbacks = [ActivationDensity(), ActivationDensity("hidden", 0.2, "large")]
    history = fit(still(model), callbacks)
    values = keras.ops.convert_to_numpy(keras.ops.leaky_relu(model.layers[0](x), 0.1))
    assert history["activation_density/hidden"] == [1.0] * 2
    assert history["large"] == [np.count_nonzero(np.abs(values) > 0.2) / values.size] * 2
    assert "train_step" not in vars(model)


class Halves(keras.Model):
    """Subclassed: a nested model, one ReLU for all layers, a layer that is called twice."""

    def __init__(self):
        super().__init__()
        self.relu = layers.ReLU()
        self.inner = keras.Sequential([keras.Input((8,)), layers.Dense(8, name="room")])
        self.twice = layers.Dense(8, name="twice")
        self.logits = layers.Dense(3, name="logits")

    def call(self, inputs):
        y = self.relu(self.inner(inputs))
        for _ in range(2):
            y = self.relu(self.twice(y))
        return self.logits(y)


def test_subclassed_and_nested_models_and_layers_that_are_called_twice():
    model, (x, _) = Halves(), toy_data(37)
    model(np.zeros((2, 8), "float32"))
    history = fit(still(model), [ActivationDensity()])
    room = model.relu(model.inner(x))
    first = model.relu(model.twice(room))
    second = model.relu(model.twice(first))
    room, first, second = map(keras.ops.convert_to_numpy, (room, first, second))
    assert history["activation_density/room"] == [np.count_nonzero(room) / room.size] * 2
    both = np.count_nonzero(first) + np.count_nonzero(second)
    assert history["activation_density/twice"] == [both / (2 * first.size)] * 2


def test_layers_of_one_name_go_by_their_paths():
    def room(name):
        return keras.Sequential([keras.Input((8,)), layers.Dense(8, "relu", name="in")], name=name)

    model = keras.Sequential([keras.Input((8,)), room("a"), room("b"), layers.Dense(3, name="c")])
    callback = ActivationDensity()
    fit(still(model), [callback])
    names = list(callback.counts)
    assert names[2] == "c"
    assert all(name.endswith(f"{room}/in") for name, room in zip(names, "ab", strict=False))


def test_what_cannot_be_counted_is_named():
    class Bare(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden, self.logits = layers.Dense(8), layers.Dense(3)

        def call(self, inputs):
            return self.logits(keras.ops.relu(self.hidden(inputs)))

    model = Bare()
    model(np.zeros((2, 8), "float32"))
    callback = ActivationDensity()
    fit(still(model), [callback])
    assert list(callback.skipped.values()) == [
        "what reads its activations is no layer: make the non-linearity one"
    ]
    loop = keras.Sequential([keras.Input((4, 2)), layers.LSTM(3), layers.Dense(3)])
    x, y = np.ones((5, 4, 2), "float32"), np.zeros(5, int)
    fit(still(loop), [callback], (x, y))
    assert list(callback.skipped.values()) == ["it runs inside the loop of LSTM"]
    assert list(callback.counts) == [loop.layers[1].name]


def test_channels_first_counts_channels():
    if BACKEND == "tensorflow":
        pytest.skip("TensorFlow has no such convolution on the CPU.")
    model = keras.Sequential(
        [
            keras.Input((1, 6, 6)),
            layers.Conv2D(4, 3, data_format="channels_first", activation="relu", name="conv"),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )
    x, y = images()
    callback = ActivationDensity()
    fit(still(model), [callback], (x.transpose(0, 3, 1, 2), y))
    made = keras.ops.convert_to_numpy(model.layers[0](x.transpose(0, 3, 1, 2)))
    assert callback.counts["conv"].nonzero.tolist() == np.count_nonzero(made, (0, 2, 3)).tolist()


def test_open_sizes_need_a_shape():
    model = keras.Sequential(
        [
            keras.Input((None, None, 1)),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(3),
        ]
    )
    x, y = images()
    with pytest.raises(ValueError, match=r"pass `input_shape`.*Received: "):
        fit(still(model), [ActivationDensity()], (x, y))
    callback = ActivationDensity(input_shape=(5, 5, 1))
    fit(model, [callback], (x, y))
    made = keras.ops.convert_to_numpy(model.layers[0](x))
    assert callback.counts["conv"].positions == 11 * 16
    assert callback.counts["conv"].nonzero.sum() == np.count_nonzero(made)


# Large numbers.


def test_sums_are_exact_beyond_32_bits():
    model = still(mlp())
    counter = counter_of(model)
    digits = counter.variable.shape[0]  # three where a backend has no 64 bits
    value, dtype = 2 ** (30 if digits == 3 else 40), counter.variable.dtype
    counter.variable.assign(keras.ops.full(counter.variable.shape, value, dtype))
    counter.collect()
    counter.collect()  # what was collected is not collected twice
    expected = value * (1 + 2**11 + 2**22 if digits == 3 else 1)
    assert counter.counts()[0] == (expected, pytest.approx([expected] * 16, abs=0))
    counter.detach()


def counter_of(model):
    found = find_places(model, np.zeros((1, 8), "float32"))
    return activation_counter.ActivationCounter(model, found, 0.0)


@pytest.mark.parametrize("number", [0, 5, 2**11, 2**22 + 3, 2**31 - 1])
def test_a_count_is_split_into_digits_and_put_together_again(number):
    counter = counter_of(still(mlp()))
    # The layer before the logits has 16 units; these are dense, only their positions count.
    counter._found = {0: (number, keras.ops.full((16,), number, "int32")), 1: (number, None)}
    counter._calls = counter.places.calls
    counter._add()
    counter._add()
    counter.collect()
    assert counter.sums.tolist() == [2 * number] * 18
    assert counter.counts()[1][1].tolist() == [2 * number] * 3
    counter.detach()


@pytest.mark.parametrize("eps", [0.0, 0.5])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int32"])
def test_marks_of_what_is_not_zero(eps, dtype):
    values = np.array([[0.0, -0.0, 2.0], [-3.0, 1e-3, np.nan]])
    tensor = keras.ops.cast(np.nan_to_num(values) if dtype == "int32" else values, dtype)
    small = 0.0 if eps or dtype == "int32" else 1.0
    marks = keras.ops.convert_to_numpy(nonzero_marks(tensor, eps))
    assert marks.dtype == np.float32
    assert marks.tolist() == [[0, 0, 1], [1, small, 0]]


def test_counters_are_emptied_in_the_middle_of_a_long_epoch(monkeypatch):
    monkeypatch.setattr("keras_prune.callbacks.activation_density.STEPS_AT_MOST", 2)
    callback = ActivationDensity()
    fit(still(mlp()), [callback])
    assert callback.counts["hidden"].positions == 37


# The model stays as it is.


def look(model):
    return (
        [variable.path for variable in model.variables],
        [layer.name for layer in model.layers],
        {key for key in vars(model) if key in ("call", "train_step", "make_train_function")},
        {key for layer in model.layers for key in vars(layer) if "call" in key},
        type(model._seed_generators),
        len(model.metrics_variables),
    )


def test_the_model_is_as_before_and_files_know_nothing(tmp_path):
    model, plain = still(residual()), still(residual())
    names = ["epoch{epoch}.keras", "epoch{epoch}.weights.h5"]
    savers = [
        keras.callbacks.ModelCheckpoint(tmp_path / name, save_weights_only="h5" in name)
        for name in names
    ]
    plain.fit(*images(), verbose=0)
    before = look(model)
    fit(model, [*savers, ActivationDensity()], images())
    assert look(model) == before
    assert look(model)[2:] == look(plain)[2:]
    loaded = keras.models.load_model(tmp_path / "epoch1.keras")
    assert look(loaded)[1:5] == before[1:5]
    fresh = still(residual())
    fresh.load_weights(tmp_path / "epoch1.weights.h5")
    for one, other in zip(fresh.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    model.save(tmp_path / "after.keras")
    keras.models.load_model(tmp_path / "after.keras")
    if BACKEND == "tensorflow":
        model.export(tmp_path / "saved_model", verbose=False)


def test_weights_stay_the_same_list_while_it_counts():
    seen = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append([value.shape for value in self.model.get_weights()])

    model = mlp()
    before = [value.shape for value in model.get_weights()]
    fit(model, [ActivationDensity(), Look()])
    assert seen == [before] * 2


def test_training_is_the_same_with_it_and_without():
    weights = []
    for callbacks in ([], [ActivationDensity()]):
        model = residual()
        model.compile(keras.optimizers.Adam(0.01), LOSS, jit_compile=False)
        keras.utils.set_random_seed(1)
        fit(model, callbacks, images())
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


class Killed(BaseException):
    pass


class Dying(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        if batch == 2:
            raise Killed


@pytest.mark.parametrize("same", [True, False])
def test_a_training_that_broke_off_leaves_no_counters(same):
    model, before = still(mlp()), look(still(mlp()))
    first = ActivationDensity()
    with pytest.raises(Killed):
        fit(model, [first, Dying()])
    if not same:
        fit(model, [])  # the beginning of any training takes them away
        assert len(model.variables) == len(still(mlp()).variables)
    callback = first if same else ActivationDensity()
    fit(model, [callback])
    assert callback.counts["hidden"].positions == 37
    assert look(model)[2:5] == before[2:5]
    assert len(model.variables) == len(still(mlp()).variables)


def test_it_goes_with_pruning_and_stopping():
    model = mlp()
    pruning, callback = PruneCallback(0.5), ActivationDensity()
    stopping = keras.callbacks.EarlyStopping("loss", patience=5, restore_best_weights=True)
    history = fit(model, [stopping, pruning, callback], epochs=3)
    assert pruning.report.reached
    assert len(history["activation_density"]) == len(history["sparsity"]) == 3


def test_an_epoch_that_is_taken_up_again_is_counted_anew():
    model, callback = still(mlp()), ActivationDensity()
    history = fit(model, [callback], epochs=3, initial_epoch=2)
    assert callback.counts["hidden"].positions == 37
    assert len(history["activation_density"]) == 1


@pytest.mark.skipif(BACKEND == "torch", reason="Keras has no distribution API on torch.")
def test_devices_that_share_a_step_are_counted_together():
    worker = [sys.executable, "-m", "tests.callbacks.activation_worker"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(worker, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["positions"] == [64, 64]
    assert result["nonzero"] == result["expected"]


# Bad input.


@pytest.mark.parametrize(
    "arguments",
    [{"eps": -1.0}, {"eps": "small"}, {"eps": True}, {"prefix": ""}, {"eps": float("nan")}],
)
def test_bad_arguments_get_a_sentence(arguments):
    with pytest.raises(ValueError, match=r"must be .* Received: "):
        ActivationDensity(**arguments)


@pytest.mark.parametrize("filters, message", [("nothing", "no layer"), (3, "`filters`")])
def test_filters_that_leave_nothing_are_refused_with_the_model_as_it_was(filters, message):
    model = still(mlp())
    with pytest.raises(ValueError, match=message):
        fit(model, [ActivationDensity(filters)])
    assert look(model) == look(still(mlp()))


def test_other_calls_in_training_than_in_inference_are_refused():
    class Moody(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden, self.relu, self.logits = layers.Dense(8), layers.ReLU(), layers.Dense(3)

        def call(self, inputs, training=False):
            y = self.relu(self.hidden(inputs))
            return self.logits(self.relu(y) if training else y)

    model = Moody()
    model(np.zeros((2, 8), "float32"))
    with pytest.raises(ValueError, match="cannot tell the calls of a layer apart"):
        fit(still(model), [ActivationDensity()])
    assert len(model.variables) == 4 and not {"call", "train_step"} & set(vars(model))
    for value in model.get_weights():
        assert np.isfinite(value).all()
