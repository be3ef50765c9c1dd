"""Channels that tell the classes apart: DCP."""

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune import backend
from keras_prune.recipes.discrimination_aware import discrimination_aware_prune
from keras_prune.recipes.greedy_channels import grow_channels
from tests.surgery.graphs import assert_same

pytestmark = pytest.mark.all_backends
layers = keras.layers


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def kernel_of(model, name):
    return backend.to_numpy(model.get_layer(name).kernel)


def classifier(channels, filters, kernel, readout):
    """An identity, the layer to prune, and a readout of the means of its outputs."""
    model = keras.Sequential(
        [
            keras.Input((2, 2, channels)),
            layers.Conv2D(channels, 1, name="eye"),
            layers.Conv2D(filters, 1, name="conv"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(readout.shape[1], activation="softmax", name="logits"),
        ]
    )
    model.get_layer("eye").kernel.assign(np.eye(channels)[None, None])
    model.get_layer("conv").set_weights([kernel[None, None], np.ones(filters)])
    model.get_layer("logits").kernel.assign(readout)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def network():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 6, 2))
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="first")(inputs)
    for name in ("second", "third"):
        x = layers.Conv2D(6, 3, padding="same", name=name)(x)
        x = layers.ReLU()(layers.BatchNormalization(name=f"{name}_bn")(x))
    x = layers.Dense(3, activation="softmax", name="logits")(layers.GlobalMaxPooling2D()(x))
    model = keras.Model(inputs, x)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def labelled(count=24):
    x = normal(count, 6, 6, 2)
    return x, np.arange(count) % 3


def test_the_first_channel_of_a_linear_layer_is_that_of_the_largest_product():
    for seed in range(4):
        x = normal(32, 2, 2, 5, seed=seed) * np.random.default_rng(seed).uniform(0.5, 2.0, 5)
        kernel = normal(5, 3, seed=seed + 10)
        model = classifier(5, 3, kernel, normal(3, 2))
        data = (x.astype("float32"), np.arange(32) % 2)
        report = discrimination_aware_prune(model, data, 0.8, discrimination=0.0, epochs=0)
        rows = x.reshape(-1, 5)
        expected = np.argmax(np.linalg.norm(rows.T @ (rows @ kernel), axis=1))
        assert report.pruned[0].kept == (expected,)
        # Without any channel the loss is half the mean square of the outputs.
        assert report.pruned[0].losses[0] == pytest.approx(np.mean((rows @ kernel) ** 2) / 2, 1e-4)


@pytest.mark.parametrize("heads", [[], ["conv"]])
def test_a_channel_that_discriminates_comes_before_one_that_varies(heads):
    labels = np.arange(64) % 2
    x = np.zeros((64, 2, 2, 2), "float32")
    x[..., 0] = 2.0 * normal(64, 1, 1)  # large, and tells nothing
    x[..., 0] -= x[labels == 0][..., 0].mean() * (1 - labels)[:, None, None]
    x[..., 0] -= x[labels == 1][..., 0].mean() * labels[:, None, None]
    x[..., 1] = 0.5 * (2 * labels - 1)[:, None, None]
    readout = np.array([[0.0, 0.0], [-2.0, 2.0]])
    for weight, first in ((0.0, 0), (100.0, 1)):
        keras.utils.set_random_seed(0)
        model = classifier(2, 2, np.eye(2), readout)
        report = discrimination_aware_prune(
            model,
            (x, labels),
            0.5,
            heads=heads,
            discrimination=weight,
            head_epochs=5,
            learning_rate=0.001,
        )
        (line,) = report.pruned
        assert line.kept == (first,) and line.head == (heads[0] if heads else None)
        kernel = kernel_of(model, "conv")[0, 0]
        assert kernel[first].any() and (kernel[1 - first] == 0.0).all()


def test_what_is_kept_is_counted_and_the_rest_is_zero_and_can_be_cut():
    model, data = network(), labelled()
    before = [np.array(array) for array in model.get_weights()]
    report = discrimination_aware_prune(model, data, 0.5, heads=["second_bn", "third_bn"])
    assert [(line.name, line.head) for line in report.pruned] == [
        ("second", "second_bn"),
        ("third", "third_bn"),
    ]
    assert {line.name: line.skip for line in report.skipped} == {
        "first": "it reads the model's inputs",
        "logits": "only convolutions without groups are covered",
    }
    for line in report.pruned:
        kernel = kernel_of(model, line.name)
        alive = kernel.any(axis=(0, 1, 3))
        assert len(set(line.kept)) == 3 and len(line.losses) == 4
        assert set(np.flatnonzero(alive)) == set(line.kept)  # while the second head trained, too
    assert "3 of 6" in str(report) and "first: it reads the model's inputs" in str(report)
    assert any(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    small = kp.shrink(model)
    assert small.get_layer("first").filters == small.get_layer("second").filters == 3
    assert_same(model, small, data[0])
    model.fit(*data, verbose=0)  # as it was compiled


def test_all_channels_without_training_are_the_layer_as_it_was():
    model, data = network(), labelled()
    before = [np.array(array) for array in model.get_weights()]
    report = discrimination_aware_prune(model, data, 0.0, discrimination=0.0, epochs=0, step=4)
    assert [len(line.kept) for line in report.pruned] == [6, 6]
    assert [len(line.losses) for line in report.pruned] == [3, 3]  # none, 4, 6
    assert all(line.losses[-1] < 1e-10 for line in report.pruned)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_training_the_chosen_channels_lowers_the_loss():
    losses = []
    for epochs in (0, 3):
        report = discrimination_aware_prune(
            network(), labelled(), 0.5, filters="second", epochs=epochs, learning_rate=0.05
        )
        losses.append(report.pruned[0].losses[-1])
    assert losses[1] < losses[0]


def test_it_stops_when_the_loss_hardly_changes():
    report = discrimination_aware_prune(
        network(), labelled(), 0.0, tolerance=1e9, epochs=0, filters="third"
    )
    assert [(line.name, len(line.kept)) for line in report.pruned] == [("third", 1)]


def test_channels_grow_along_the_gradient():
    x, truth = normal(50, 6), np.zeros((6, 2), "float32")
    truth[[1, 4]] = [[3.0, 1.0], [1.0, -1.0]]
    y, seen = x @ truth, []

    def refine(kernel, inside):
        seen.append(np.flatnonzero(inside))
        kernel[inside[:, 0]] = np.linalg.lstsq(x[:, inside[:, 0]], y, rcond=None)[0]
        return kernel

    kernel, chosen, losses = grow_channels(
        truth + 0.1,
        6,
        lambda kernel: x.T @ (x @ kernel - y),
        refine,
        lambda kernel: float(np.mean((x @ kernel - y) ** 2)),
        tolerance=1e-6,
    )
    assert chosen[:2] == [1, 4] and len(chosen) == 3  # the third changes nothing
    assert [list(numbers) for numbers in seen[:2]] == [[1], [1, 4]]
    np.testing.assert_allclose(kernel, truth, atol=1e-5)
    assert losses[0] > losses[1] > losses[2] and losses[2] < 1e-9


def test_after_an_error_the_model_is_as_it_was(monkeypatch):
    model, data = network(), labelled()
    before = [np.array(array) for array in model.get_weights()]
    x = data[0].copy()
    x[5] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        discrimination_aware_prune(model, (x, data[1]), 0.5, heads=["second"])
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert all(variable.constraint is None for variable in model.trainable_variables)


def test_residual_blocks_keep_their_stream():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 6, 2))
    stem = layers.Conv2D(4, 3, padding="same", name="stem")(inputs)
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="up")(stem)
    x = layers.Conv2D(4, 3, padding="same", name="down")(x)
    x = layers.Flatten()(layers.Add()([stem, x]))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = labelled()
    discrimination_aware_prune(model, (x, y), 0.5, filters="down")
    small = kp.shrink(model)
    assert small.get_layer("up").filters == 3 and small.get_layer("stem").filters == 4
    assert_same(model, small, x)


@pytest.mark.parametrize(
    "arguments, text",
    [
        ({"sparsity": 1.0}, "Received: sparsity=1.0"),
        ({"discrimination": -1.0}, "`discrimination` must be a number >= 0"),
        ({"tolerance": "no"}, "`tolerance` must be a number >= 0"),
        ({"step": 0}, "`step` must be an int of at least 1. Received: step=0"),
        ({"epochs": -1}, "`epochs` must be an int of at least 0"),
        ({"heads": ["logits"]}, r"some of \['first'.*Received: heads=\['logits'\]"),
        ({"heads": "second"}, "must be a list of names"),
        ({"filters": "first"}, "no layer that can be pruned.*it reads the model's inputs"),
        ({"data": np.zeros((2, 6, 6, 2))}, r"a tuple of two arrays \(x, y\)"),
        ({"data": (np.zeros((2, 6, 6, 2)), np.zeros(3))}, "of one length"),
    ],
)
def test_wrong_arguments_get_a_sentence(arguments, text):
    model = network()
    with pytest.raises(ValueError, match=text):
        discrimination_aware_prune(model, **{"data": labelled(), **arguments})


def test_a_model_needs_a_loss_and_one_output():
    model = network()
    for given in (
        keras.Model(model.inputs, model.outputs),
        keras.Model(model.input, [model.output] * 2),
    ):
        with pytest.raises(ValueError, match=r"compile the model with one|with one input and one"):
            discrimination_aware_prune(given, labelled())
