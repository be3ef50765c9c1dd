"""Channels that each sample chooses, against their definition."""

import keras
import numpy as np
import pytest
from ai_edge_litert import interpreter

import keras_prune as kp
from keras_prune.layers import FeatureBoosting

pytestmark = pytest.mark.all_backends
layers = keras.layers


def images(count=6, channels=3, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 7, 7, channels)).astype("float32")


def convolution(filters=10, **arguments):
    return layers.Conv2D(filters, 3, use_bias=False, name="conv", **arguments)


def outputs(layer, x, **kwargs):
    return keras.ops.convert_to_numpy(layer(keras.ops.convert_to_tensor(x), **kwargs))


def built(density=1.0, filters=10, **arguments):
    keras.utils.set_random_seed(0)
    layer = FeatureBoosting(convolution(filters), density, **arguments)
    layer.build((None, 7, 7, 3))
    layer.norm.moving_mean.assign(np.linspace(-0.5, 0.5, filters))
    layer.norm.moving_variance.assign(np.linspace(0.5, 2.0, filters))
    return layer


def by_hand(layer, x):
    """The formula, in numpy but for the convolution."""
    gate = [keras.ops.convert_to_numpy(weight) for weight in layer.gate.weights]
    g = np.maximum(np.abs(x).mean((1, 2)) @ gate[0] + gate[1], 0)
    kept = np.ceil(layer.density * g.shape[1] - 1e-6).astype(int)
    for row in g:
        row[np.argsort(row)[: len(row) - kept]] = 0.0
    mean, variance, beta = (
        keras.ops.convert_to_numpy(value)
        for value in (layer.norm.moving_mean, layer.norm.moving_variance, layer.norm.beta)
    )
    y = (outputs(layer.layer, x) - mean) / np.sqrt(variance + layer.norm.epsilon) + beta
    return np.maximum(y * g[:, None, None, :], 0)


@pytest.mark.parametrize("density", [0.05, 0.3, 0.7, 1.0])
def test_it_is_the_formula(density):
    layer, x = built(density), images()
    np.testing.assert_allclose(outputs(layer, x), by_hand(layer, x), atol=1e-5)


@pytest.mark.parametrize("density, kept", [(0.01, 1), (0.25, 3), (0.7, 7), (1.0, 10)])
def test_exactly_so_many_channels_are_left(density, kept):
    spread = keras.initializers.RandomNormal(stddev=2.0)
    layer = built(density, activation="linear", gate_initializer=spread)
    layer.gate.bias.assign(np.full(10, 100.0))  # no prediction is cut off at zero
    scales = np.random.default_rng(1).uniform(0.1, 3.0, (64, 1, 1, 3)).astype("float32")
    found = outputs(layer, images(64) * scales)
    live = (found != 0).any((1, 2))
    assert (live.sum(1) == kept).all()
    assert len({tuple(row) for row in live}) > 1 or kept == 10  # samples choose for themselves
    np.testing.assert_array_equal(found[np.broadcast_to(~live[:, None, None], found.shape)], 0.0)


def test_without_prediction_it_is_convolution_normalization_and_relu():
    layer, x = built(gate_initializer="zeros"), images()
    expected = layers.ReLU()(layer.norm(layer.layer(x)))
    np.testing.assert_allclose(outputs(layer, x), keras.ops.convert_to_numpy(expected), atol=1e-6)


def test_samples_do_not_know_of_each_other():
    layer, x = built(0.4), images()
    np.testing.assert_allclose(outputs(layer, x[::-1]), outputs(layer, x)[::-1], atol=1e-6)


def test_the_penalty_is_a_mean_over_samples():
    layer, x = built(0.5, penalty=0.1), images()
    outputs(layer, x)
    weights = [keras.ops.convert_to_numpy(weight) for weight in layer.gate.weights]
    g = np.maximum(np.abs(x).mean((1, 2)) @ weights[0] + weights[1], 0)
    (loss,) = layer.losses
    assert keras.ops.convert_to_numpy(loss) == pytest.approx(0.1 * g.sum() / len(x), rel=1e-5)


def network(density=1.0, activation="relu"):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((7, 7, 3))
    x = FeatureBoosting(convolution(8), density, name="a")(inputs)
    second = layers.Conv2D(6, 3, use_bias=False)
    x = FeatureBoosting(second, density, activation=activation, name="b")(x)
    x = FeatureBoosting(layers.Dense(5, use_bias=False), density, name="c")(layers.Flatten()(x))
    model = keras.Model(inputs, layers.Dense(2, name="logits")(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    return model


def test_the_schedule_lowers_the_density_while_training(tmp_path):
    model, seen = network(), []
    x, y = images(24), np.arange(24) % 2
    note = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(model.get_layer("b").density)
    )
    schedule = kp.FeatureBoostingSchedule(0.5, step=0.2, every=2)
    history = model.fit(x, y, batch_size=8, epochs=8, verbose=0, callbacks=[schedule, note])
    assert seen == pytest.approx([1.0, 1.0, 0.8, 0.8, 0.6, 0.6, 0.5, 0.5])
    assert history.history["feature_boosting_density"] == pytest.approx(seen)
    spent = kp.cost(model, data=x)
    assert [layer.output_density for layer in spent.layers if layer.outputs] == pytest.approx(
        [4 / 8, 3 / 6, 3 / 5]
    )
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.get_layer("b").density == 0.5
    np.testing.assert_allclose(outputs(again, x), outputs(model, x), atol=1e-6)
    with pytest.raises(ValueError, match=r"layers that match. Received: model="):
        model.fit(x, y, verbose=0, callbacks=[kp.FeatureBoostingSchedule(0.5, filters="none")])


def test_gradients_pass_through_the_factors_of_the_winners():
    model = network(0.5)
    before = keras.ops.convert_to_numpy(model.get_layer("a").gate.kernel)
    model.fit(images(24), np.arange(24) % 2, verbose=0)
    assert (keras.ops.convert_to_numpy(model.get_layer("a").gate.kernel) != before).any()


def test_cost_counts_what_is_left_of_both_sides():
    model, x = network(0.5, "linear"), images(5)
    spent = kp.cost(model, data=x, batch_size=2)
    found = {layer.path.split("/")[-1]: layer for layer in spent.layers}
    first = model.get_layer("a")
    maps = keras.Model(model.input, first.output)
    live = (np.abs(maps.predict(x, verbose=0)).max((1, 2)) > 0).sum()
    assert found["conv"].live_outputs == 5 * 4
    assert found["conv"].pairs == 5 * 4 * 25 * 27  # no input is zero
    second = next(layer for layer in spent.layers if layer.params == 9 * 8 * 6)
    assert second.pairs <= live * 9 * 9 * 3
    # By hand, from the maps and the gates.
    y = maps.predict(x, verbose=0)
    kernel = keras.ops.convert_to_numpy(model.get_layer("b").layer.kernel) != 0
    gates = keras.Model(model.input, model.get_layer("b").output).predict(x, verbose=0)
    alive = (gates != 0).any((1, 2))
    windows = np.lib.stride_tricks.sliding_window_view(y != 0, (3, 3), (1, 2))
    uses = np.einsum("bhwiyx,yxio->bo", windows.astype(int), kernel.astype(int))
    assert (alive.sum(1) == 3).all()
    assert second.pairs == (uses * alive).sum()
    product = second.weight_density * second.input_density * 0.5
    assert spent.mac_density() < 0.6 and 0.0 < product < 0.5


def test_a_pruned_model_with_gates_exports(tmp_path):
    model = network(0.5)
    kp.prune(model, 0.5, filters="conv")
    x = images(3)
    kp.export_tflite(model, tmp_path / "model.tflite")
    reader = interpreter.Interpreter(str(tmp_path / "model.tflite"))
    reader.allocate_tensors()
    for one, expected in zip(x, outputs(model, x), strict=True):
        reader.set_tensor(reader.get_input_details()[0]["index"], one[None])
        reader.invoke()
        found = reader.get_tensor(reader.get_output_details()[0]["index"])[0]
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"layer": layers.Conv2D(4, 3)}, r"without bias and activation.* Received: layer='conv"),
        ({"layer": layers.Dense(4, "relu", use_bias=False)}, r"without bias and activation"),
        ({"layer": layers.ReLU()}, r"wraps a Dense or convolutional layer"),
        ({"density": 0.0}, r"`density` must be a number from 0 \(not itself\) to 1"),
        ({"penalty": -1}, r"`penalty` must be a number >= 0. Received: penalty=-1"),
    ],
)
def test_wrong_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        FeatureBoosting(**{"layer": convolution(), **arguments})


def test_wrong_schedules():
    for arguments, sentence in [
        ({"density": 0}, r"`density` must be a number"),
        ({"density": 0.5, "start": 0.4}, r"falls from `start`. Received: start=0.4, density=0.5"),
        ({"density": 0.5, "every": 0}, r"`every`.*Received: every=0"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            kp.FeatureBoostingSchedule(**arguments)
