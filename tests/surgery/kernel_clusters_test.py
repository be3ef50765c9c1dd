"""Filters that share windows: KSE."""

import sys

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_prune as kp
from keras_prune.layers import ClusteredConv2D
from keras_prune.surgery.kernel_clusters import cluster_kernels, expand_clusters
from keras_prune.surgery.window_entropy import channel_values, kept_windows, window_entropy
from tests.surgery.graphs import assert_same, disturb

pytestmark = pytest.mark.all_backends
layers = keras.layers


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def network(activation="relu"):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, padding="same", name="stem")(inputs)
    y = layers.Conv2D(8, 3, padding="same", activation=activation, name="branch")(x)
    x = layers.Add()([x, y])
    x = layers.Conv2D(6, 1, name="narrow")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return disturb(keras.Model(inputs, layers.Dense(2, name="logits")(x)))


@pytest.mark.parametrize("shift, counts", [(0, {0, 16, 32, 64}), (1, {0, 8, 16, 64})])
def test_how_many_windows_are_kept(shift, counts):
    values = np.linspace(0.011, 0.989, 50)
    assert set(kept_windows(values, 64, 4, shift)) == counts
    assert kept_windows([0.25], 64) == [8]  # one number between the steps
    assert kept_windows([0.0, 0.2, 0.3, 0.6, 0.9, 1.0], 64) == [0, 0, 16, 32, 64, 64]


@given(st.integers(1, 64), st.integers(2, 6), st.integers(0, 3))
def test_more_weight_never_keeps_fewer_windows(filters, levels, shift):
    counts = kept_windows(np.linspace(0.0, 1.0, 40), filters, levels, shift)
    assert counts == sorted(counts)
    assert counts[0] == 0 and counts[-1] == filters


def test_entropy_of_windows():
    assert window_entropy(np.ones((8, 9))) == 0.0
    assert window_entropy(np.eye(16)) == pytest.approx(4.0)  # equally distant: log2 16
    assert window_entropy(np.ones((1, 9))) == 0.0
    # On a line, to the nearest one: distances 1, 1, 3, so p = 0.2, 0.2, 0.6.
    line = np.array([[0.0], [1.0], [4.0]])
    expected = -(0.4 * np.log2(0.2) + 0.6 * np.log2(0.6))
    assert window_entropy(line, neighbors=1) == pytest.approx(expected)
    assert 0.0 < window_entropy(normal(16, 9)) < 4.0


def test_the_value_of_a_channel_is_that_of_inputs_not_of_outputs():
    kernel = np.zeros((3, 3, 3, 6))  # channels: nothing, all the same, all different
    kernel[:, :, 1] = normal(3, 3, 1)
    kernel[:, :, 2] = normal(3, 3, 6)
    kernel[:, :, 2] *= abs(kernel[:, :, 1]).sum() / abs(kernel[:, :, 2]).sum()
    values = channel_values(kernel)
    np.testing.assert_allclose(values, [0.0, 1.0, np.sqrt(0.5)])  # sqrt(1 / (1 + e)), e = 1
    np.testing.assert_allclose(channel_values(kernel, alpha=0.0), [0.0, 1.0, 1.0])
    np.testing.assert_array_equal(channel_values(np.ones((3, 3, 4, 6))), np.ones(4))


def test_a_model_shares_windows_and_its_stock_copy_does_the_same():
    model, x = network(), normal(2, 8, 8, 3)
    before = model.get_weights()
    new, report = cluster_kernels(model)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    branch = new.get_layer("branch")
    assert isinstance(branch, ClusteredConv2D) and branch.counts.count(0) >= 1
    counts = kept_windows(channel_values(model.get_layer("branch").get_weights()[0]), 8)
    assert list(branch.counts) == counts
    line = {line.name: line for line in report.replaced}["branch"]
    assert line.params == 8 * 8 * 9 and line.params_after == 9 * sum(counts)
    assert line.macs == 64 * line.params and line.macs_after == 64 * line.params_after
    kernel, shared = (
        keras.ops.convert_to_numpy(m.get_layer("branch").kernel) for m in (model, new)
    )
    for channel, count in enumerate(counts):
        assert len(np.unique(shared[:, :, channel].reshape(9, 8), axis=1).T) == max(count, 1)
    error = np.linalg.norm(kernel - shared) / np.linalg.norm(kernel)
    assert line.error == pytest.approx(error, rel=1e-4) and 0.0 < error < 1.0
    skipped = {line.name: line.skip for line in report.skipped}
    assert skipped["narrow"] == "its windows are single weights"
    assert skipped["logits"] == "Dense layers are not covered"
    assert "windows" in str(report) and "logits: Dense layers" in str(report)
    costs = {layer.path: layer.macs for layer in kp.cost(new).layers}
    assert line.macs_after in costs.values()
    stock = expand_clusters(new)
    assert_same(new, stock, x)
    assert type(stock.get_layer("branch")) is layers.Conv2D
    assert not any(isinstance(layer, ClusteredConv2D) for layer in stock.layers)


def test_few_different_windows_are_kept_as_they_are():
    model = network()
    for name in ("stem", "branch"):
        layer = model.get_layer(name)
        kernel = keras.ops.convert_to_numpy(layer.kernel).copy()
        kernel[..., 1::2] = kernel[..., ::2]  # 4 of 8 are different
        kernel[:, :, 0] *= 1e-6  # so that the others weigh more than half
        layer.kernel.assign(kernel)
    new, report = cluster_kernels(model, levels=2, filters=["stem", "branch"])
    assert {line.name for line in report.replaced} == {"stem", "branch"}
    for name, channels in (("stem", 3), ("branch", 8)):
        counts = list(new.get_layer(name).counts)
        assert counts[0] == 0 and set(counts[1:]) <= {0, 4}
        kernel, shared = (
            keras.ops.convert_to_numpy(m.get_layer(name).kernel) for m in (model, new)
        )
        for channel in range(channels):
            if counts[channel]:
                np.testing.assert_array_equal(shared[:, :, channel], kernel[:, :, channel])


@settings(max_examples=5)
@given(st.integers(0, 100))
def test_the_centroids_are_the_means_of_what_takes_them(seed):
    model = keras.Sequential([keras.Input((5, 5, 4)), layers.Conv2D(8, 3, name="conv")])
    kernel = normal(3, 3, 4, 8, seed=seed)
    model.get_layer("conv").kernel.assign(kernel)
    new, _ = cluster_kernels(model, levels=3)
    layer = new.get_layer("conv")
    index = keras.ops.convert_to_numpy(layer.index)
    centroids = keras.ops.convert_to_numpy(layer.centroids)
    windows = kernel.transpose(2, 3, 0, 1)
    assert sum(layer.counts) == len(centroids)
    for number, centroid in enumerate(centroids):
        np.testing.assert_allclose(windows[index == number].mean(axis=0), centroid, atol=1e-5)


def test_it_trains_and_the_same_call_gives_the_same():
    model, x = network(), normal(16, 8, 8, 3)
    new, _ = cluster_kernels(model)
    again, _ = cluster_kernels(model)
    for one, other in zip(new.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    new.compile("sgd", "mse")
    losses = new.fit(x, normal(16, 2), epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert_same(new, expand_clusters(new), x)


def test_wrong_arguments_get_a_sentence(monkeypatch):
    model = network()
    for arguments, text in (
        ({"levels": 1}, "`levels` must be an int of at least 2. Received: levels=1"),
        ({"shift": -1}, "`shift` must be an int of at least 0. Received: shift=-1"),
        ({"neighbors": 0}, "`neighbors` must be an int of at least 1"),
        ({"alpha": -1.0}, "`alpha` must be a number >= 0. Received: alpha=-1.0"),
        ({"filters": "logits"}, "no layer that can be replaced. Received: {'stem': 'left out"),
    ):
        with pytest.raises(ValueError, match=text):
            cluster_kernels(model, **arguments)
    with pytest.raises(ValueError, match="no `ClusteredConv2D` to expand"):
        expand_clusters(model)
    monkeypatch.setitem(sys.modules, "sklearn.cluster", None)
    with pytest.raises(ImportError, match=r"keras-prune\[search\]"):
        cluster_kernels(model)
