"""Samples that pass through blocks or around them, and the policy that decides."""

import itertools

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.callbacks.skip_policy import policy_loss, returns
from keras_prune.layers import SkipController, SkipGate

pytestmark = pytest.mark.all_backends
layers = keras.layers


def images(count=6, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 8, 8, 4)).astype("float32")


def to_numpy(value):
    return keras.ops.convert_to_numpy(value)


def decided(probabilities):
    """A gate whose probabilities are given."""
    p = np.asarray(probabilities, "float32")[:, None]
    x, y = images(len(p)), images(len(p), 1)
    gate = SkipGate(design=None)
    return gate, [keras.ops.convert_to_tensor(value) for value in (x, y, p)], x, y


def test_each_sample_goes_one_way():
    gate, inputs, x, y = decided([0.1, 0.9, 0.5, 0.51])
    expected = np.where(np.array([0, 1, 0, 1])[:, None, None, None], y[:4], x[:4])
    np.testing.assert_array_equal(to_numpy(gate(inputs)), expected)
    np.testing.assert_allclose(to_numpy(gate(inputs, training=True)), expected, atol=1e-6)


def network(design="convolution", blocks=2, **arguments):
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((8, 8, 4))
    for number in range(blocks):
        y = layers.Conv2D(4, 3, padding="same", activation="relu", name=f"conv{number}")(x)
        x = SkipGate(design, seed=number, name=f"gate{number}", **arguments)([x, y])
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, layers.Dense(2, name="logits")(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model


def without_gates(model, through):
    """The network with all blocks, or with none."""
    x = model.input
    for layer in model.layers:
        if layer.name.startswith("conv") and through:
            x = layer(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(model.input, model.get_layer("logits")(x))


@pytest.mark.parametrize("design", ["convolution", "two_convolutions"])
@pytest.mark.parametrize("bias, through", [(50.0, True), (-50.0, False)])
def test_open_gates_are_the_network_and_closed_ones_the_shortcut(design, bias, through):
    model, x = network(design, bias=bias), images()
    expected = without_gates(model, through).predict(x, verbose=0)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=1e-5)


def test_supervised_training_moves_gates_by_the_gradient_of_the_probability():
    model = network(bias=0.0)
    names = [weight.path for weight in model.trainable_weights]
    before = [to_numpy(weight) for weight in model.trainable_weights]
    model.fit(images(32), np.arange(32) % 2, verbose=0)
    moved = [
        (to_numpy(weight) != old).any()
        for weight, old in zip(model.trainable_weights, before, strict=True)
    ]
    assert all(move for move, name in zip(moved, names, strict=True) if "gate" in name)


def test_the_straight_through_gradient_is_that_of_the_soft_gate():
    """d loss / d bias = mean of (y - x) p (1 - p), as if G were p."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,))
    ones = keras.ops.ones_like(inputs[:, :1])
    p = layers.Dense(1, "sigmoid", use_bias=False, kernel_initializer="zeros", name="p")(ones)
    model = keras.Model(inputs, SkipGate(design=None)([inputs, 3.0 * inputs, p]))
    model.compile(keras.optimizers.SGD(1.0), lambda y, predicted: keras.ops.mean(predicted, -1))
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    model.fit(x, x, batch_size=8, verbose=0)
    found = to_numpy(model.get_layer("p").kernel)[0, 0]
    assert found == pytest.approx(-0.25 * (2.0 * x).mean(), rel=1e-4)


def test_what_a_decision_earns():
    actions, losses = [np.array([1.0]), np.array([0.0]), np.array([0.0])], np.array([2.0])
    found = [float(np.ravel(to_numpy(r))[0]) for r in returns(actions, losses, 0.3, 1.0)]
    assert found == pytest.approx([0.0 + 0.1 + 0.1 - 2.0, 0.2 - 2.0, 0.1 - 2.0])
    found = [float(np.ravel(to_numpy(r))[0]) for r in returns(actions, losses, 0.3, 0.5)]
    assert found == pytest.approx([0.05 + 0.025 - 0.25, 0.1 + 0.05 - 0.5, 0.1 - 1.0])


def test_the_mean_of_the_policy_gradient_is_the_exact_gradient():
    """All actions of two gates, weighted by their probabilities."""
    logits, alpha = np.array([0.3, -0.7]), 0.4
    table = {(0, 0): 1.0, (0, 1): 0.2, (1, 0): 0.7, (1, 1): 0.1}

    def probability(logits, actions):
        p = 1 / (1 + np.exp(-logits))
        return np.prod(np.where(actions, p, 1 - p))

    def expected_reward(logits):
        return sum(
            probability(logits, np.array(a)) * (alpha * (2 - sum(a)) / 2 - table[a]) for a in table
        )

    exact = np.array(
        [
            (expected_reward(logits + step) - expected_reward(logits - step)) / 2e-5
            for step in np.eye(2) * 1e-5
        ]
    )
    mean = np.zeros(2)
    for actions in itertools.product((0, 1), repeat=2):
        a = np.array(actions, float)
        earned = returns([a[:1], a[1:]], np.array([table[actions]]), alpha, 1.0)
        slopes = a - 1 / (1 + np.exp(-logits))  # of log p(a) by the logits
        mean += probability(logits, a) * np.array([float(np.ravel(r)[0]) for r in earned]) * slopes
    np.testing.assert_allclose(mean, exact, atol=1e-8)


def test_the_policy_loss_is_the_formula():
    actions = [np.array([1.0, 0.0], "float32"), np.array([0.0, 0.0], "float32")]
    logs = [np.log(np.array([0.7, 0.4], "float32")), np.log(np.array([0.2, 0.9], "float32"))]
    losses = np.array([0.5, 2.0], "float32")
    tensors = [[keras.ops.convert_to_tensor(x) for x in part] for part in (actions, logs)]
    found = to_numpy(policy_loss(*tensors, keras.ops.convert_to_tensor(losses), 0.1, 1.0))
    earned = np.array([[0.05 - 0.5, 0.1 - 2.0], [0.05 - 0.5, 0.05 - 2.0]])
    np.testing.assert_allclose(found, -(earned * np.array(logs)).sum(0), rtol=1e-5)


def test_rewards_close_gates_that_do_not_matter():
    """Blocks that change nothing are skipped once skipping pays."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 4))
    x = SkipGate(seed=1, bias=1.0)([inputs, layers.Activation("linear")(inputs)])
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss)
    x, y = images(64), np.arange(64) % 2
    gate = next(layer for layer in model.layers if isinstance(layer, SkipGate))
    before = to_numpy(gate.predictor(x)).mean()
    policy = kp.SkipPolicy(alpha=20.0, weight=0.1, reduction="mean")
    model.fit(x, y, batch_size=16, epochs=8, verbose=0, callbacks=[policy])
    assert to_numpy(gate.predictor(x)).mean() < before - 0.2
    assert gate.decisions is None and "compute_loss" not in vars(model)
    model.fit(x, y, verbose=0)  # supervised again
    assert gate.decisions is None


def test_a_loss_by_name_and_weights_of_samples():
    model = network()
    model.compile("adam", "mse")
    x, y = images(16), np.zeros((16, 2), "float32")
    history = model.fit(x, y, sample_weight=np.ones(16), verbose=0, callbacks=[kp.SkipPolicy()])
    assert np.isfinite(history.history["loss"]).all()


def test_a_recurrent_controller_decides_for_all_gates(tmp_path):
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((8, 8, 4))
    controller, state = SkipController(6, name="controller"), None
    for _ in range(3):
        pooled = layers.Dense(5)(layers.GlobalAveragePooling2D()(x))
        probability, state = controller(pooled, state)
        y = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
        x = SkipGate(design=None)([x, y, probability])
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = to_numpy(controller.cell.recurrent_kernel)
    model.fit(images(16), np.arange(16) % 2, verbose=0)
    model.fit(images(16), np.arange(16) % 2, verbose=0, callbacks=[kp.SkipPolicy()])
    assert (to_numpy(controller.cell.recurrent_kernel) != before).any()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert len(again.get_layer("controller").weights) == 5
    np.testing.assert_allclose(
        again.predict(images(), verbose=0), model.predict(images(), verbose=0), atol=1e-6
    )


def test_cost_counts_only_what_is_passed_through():
    keras.utils.set_random_seed(0)
    inputs, choice = keras.Input((8, 8, 4)), keras.Input((1,))
    y = layers.Conv2D(4, 3, padding="same", activation="relu", name="first")(inputs)
    y = layers.DepthwiseConv2D(3, padding="same", name="second")(y)
    way = layers.Conv2D(4, 1, name="around")(inputs)
    x = SkipGate(design=None)([way, y, choice])
    model = keras.Model([inputs, choice], layers.Dense(2, name="logits")(layers.Flatten()(x)))
    x = images(8)
    p = np.array([1, 0, 0, 1, 0, 0, 0, 0], "float32")[:, None]
    spent = kp.cost(model, data=[((x[:5], p[:5]), None), ((x[5:], p[5:]), None)])
    found = {layer.path: layer for layer in spent.layers}
    assert found["first"].output_density == found["second"].output_density == 0.25
    assert found["around"].output_density == 0.75
    assert found["logits"].output_density == 1.0
    whole = kp.cost(keras.Model(inputs, y), data=x[[0, 3]])
    assert [found[n].pairs for n in ("first", "second")] == [n.pairs for n in whole.layers]
    assert found["around"].pairs == 6 * 64 * 16


@pytest.mark.parametrize(
    "arguments, shapes, sentence",
    [
        ({"design": "other"}, None, r"`design` must be one of .* Received: design='other'"),
        ({"filters": 0}, None, r"`filters`.*Received: filters=0"),
        ({}, [(None, 8, 8, 4), (None, 8, 8, 5)], r"must have one shape"),
        ({}, [(None, 8, 8, 4), (None, 8, 8, 4), (None, 1)], r"Received: 3 inputs"),
        ({"design": None}, [(None, 8), (None, 8)], r"Received: 2 inputs, design=None"),
        ({}, [(None, 8), (None, 8)], r"are for images"),
    ],
)
def test_wrong_gates(arguments, shapes, sentence):
    with pytest.raises(ValueError, match=sentence):
        SkipGate(**arguments).build(shapes)


def test_wrong_policies():
    for arguments, sentence in [
        ({"alpha": -1}, r"`alpha` must be a number >= 0. Received: alpha=-1"),
        ({"gamma": 0}, r"`gamma` must be in"),
        ({"reduction": "max"}, r"Received: reduction='max'"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            kp.SkipPolicy(**arguments)
    plain = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    plain.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"needs a model with `SkipGate` layers"):
        plain.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0, callbacks=[kp.SkipPolicy()])
    model = network()
    model.compile("sgd", ["mse"])
    with pytest.raises(ValueError, match=r"compiled with one loss. Received: loss="):
        model.fit(images(4), np.ones((4, 2)), verbose=0, callbacks=[kp.SkipPolicy()])
