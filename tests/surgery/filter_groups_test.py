"""Convolutions as convolutions in groups: filter group approximation."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_prune as kp
from keras_prune import backend
from keras_prune.reconstruction.layer_inputs import layer_hessians
from keras_prune.surgery.filter_groups import approximate_by_groups, group_layers
from keras_prune.surgery.grouped_svd import factors, grouped, ungrouped
from tests.surgery.graphs import assert_same, disturb, outputs

pytestmark = pytest.mark.all_backends
layers = keras.layers


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def network(**arguments):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, padding="same", name="stem")(inputs)
    y = layers.Conv2D(8, 3, padding="same", name="branch", **arguments)(x)
    x = layers.GlobalAveragePooling2D()(layers.Add()([x, y]))
    return disturb(keras.Model(inputs, layers.Dense(2, name="logits")(x)))


def one_layer(inputs=6, filters=8, window=3, cls=layers.Conv2D, **arguments):
    keras.utils.set_random_seed(0)
    layer = cls(filters, window, name="conv", **arguments)
    rank = 1 if cls is layers.Conv1D else 2
    return disturb(keras.Sequential([keras.Input((8,) * rank + (inputs,)), layer])), layer


def product(shape, groups, rank, seed=0):
    """A kernel whose part for each group of inputs has a low rank."""
    rows = int(np.prod(shape[:-1])) // groups
    return ungrouped(normal(groups, rows, rank, seed=seed) @ normal(groups, rank, shape[-1]), shape)


def values_of(layer):
    return backend.to_numpy(layer.kernel).astype("float64")


def outputs_error(model, other, x):
    return np.linalg.norm(outputs(model, x) - outputs(other, x))


def test_groups_are_neighbouring_inputs():
    kernel = np.arange(2 * 2 * 4 * 3).reshape(2, 2, 4, 3)
    parts = grouped(kernel, 2)
    np.testing.assert_array_equal(parts[1], kernel[:, :, 2:].reshape(8, 3))
    np.testing.assert_array_equal(ungrouped(parts, kernel.shape), kernel)


@given(st.integers(1, 4), st.integers(1, 8), st.integers(0, 1000))
def test_the_error_is_that_of_the_singular_values_left_out(groups, rank, seed):
    kernel = normal(3, 2, groups * 2, 5, seed=seed).astype("float64")
    parts = grouped(kernel, groups)
    first, second = factors(parts, rank)
    left_out = [np.linalg.svd(part, compute_uv=False)[rank:] for part in parts]
    error = np.linalg.norm(parts - first @ second) ** 2
    np.testing.assert_allclose(error, np.square(left_out).sum(), atol=1e-9)
    assert first.shape[-1] == min(rank, 5)


def test_a_part_of_the_energy_takes_the_fewest_that_keep_it():
    matrices = np.stack([np.diag([3.0, 2.0, 1.0]), np.diag([3.0, 0.0, 0.0])])  # 9 + 9, 4, 1 of 23
    for part, rank in ((0.5, 1), (0.78, 1), (0.79, 2), (0.95, 2), (0.96, 3)):
        assert factors(matrices, part)[0].shape[-1] == rank
    assert factors(np.zeros((2, 3, 3)), 0.5)[0].shape[-1] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"padding": "same", "strides": 2, "activation": "relu", "use_bias": False},
        {"dilation_rate": 2, "window": (3, 2)},
        {"cls": layers.Conv1D, "padding": "causal"},
        {"window": 1},
    ],
)
@pytest.mark.parametrize("groups", [1, 2, 3])
def test_with_all_singular_values_nothing_changes(arguments, groups):
    model, layer = one_layer(**arguments)
    new, words, same = group_layers(layer, values_of(layer), groups, 100)
    np.testing.assert_allclose(same, values_of(layer), atol=1e-6)
    rank = min(8, int(np.prod(layer.kernel_size)) * 6 // groups)
    assert words == f"{groups} groups of rank {rank}"
    assert new[0].groups == groups and new[0].filters == groups * rank
    assert new[0].bias is None and new[1].kernel_size == (1,) * layer.rank
    x = normal(2, *model.input_shape[1:])
    assert_same(model, kp.replace(model, {"conv": new}), x)


@settings(max_examples=8)
@given(st.sampled_from([1, 2, 3]), st.integers(0, 1000))
def test_a_kernel_of_low_rank_in_groups_is_found_again(groups, seed):
    model, layer = one_layer()
    layer.kernel.assign(product((3, 3, 6, 8), groups, 1, seed))
    for rank in (1, 0.999):
        small, report = approximate_by_groups(model, groups, rank)
        (line,) = report.layers
        assert line.error < 1e-5 and line.by == f"{groups} groups of rank 1"
        assert_same(model, small, normal(2, 8, 8, 6))


def test_what_a_model_saves_is_counted():
    model = network()
    small, report = approximate_by_groups(model, 4)
    (line,) = report.replaced  # C = N = N' = 8: 1 / g + N / (kh kw C) = 1/4 + 1/9 is left
    assert line.name == "branch" and line.params == 576
    assert line.params_after == 576 * (1 / 4 + 1 / 9) == 144 + 64
    assert line.macs == 64 * 576 and line.macs_after == 64 * 208
    costs = {layer.path: layer.macs for layer in kp.cost(small).layers}
    assert costs["branch_groups"] + costs["branch_pointwise"] == line.macs_after
    reasons = {line.name: line.skip for line in report.skipped}
    assert reasons == {
        "stem": "its inputs, 3, are no multiple of 4",
        "logits": "Dense layers are not covered",
    }
    assert "branch" in str(report) and "stem: its inputs, 3" in str(report)
    kernel = values_of(model.get_layer("branch"))
    tail = np.linalg.svd(grouped(kernel, 4), compute_uv=False)[:, 2:]
    error = np.linalg.norm(tail) / np.linalg.norm(kernel)
    assert line.error == pytest.approx(error, rel=1e-5)
    assert [layer.name for layer in model.layers].count("branch") == 1


def test_each_layer_may_have_its_own_groups():
    def groups(layer):
        return {"stem": 3}.get(layer.name)

    _, report = approximate_by_groups(network(), groups, 2)
    assert [(line.name, line.by) for line in report.replaced] == [("stem", "3 groups of rank 2")]
    assert {line.skip for line in report.skipped} >= {"left out by `groups`"}


def test_what_would_not_be_cheaper_stays():
    _, report = approximate_by_groups(network(), 1, 7)
    assert [line.name for line in report.replaced] == ["branch"]  # (72 + 8) * 7 < 576
    reasons = {line.name: line.skip for line in report.skipped}
    assert reasons["stem"] == "it would not become cheaper: 245 weights instead of 216"
    with pytest.raises(ValueError, match="it would not become cheaper: 704 weights instead of 576"):
        approximate_by_groups(network(), 2, 10, filters="branch")


def test_with_data_the_outputs_change_least():
    model, layer = one_layer()
    x = normal(64, 8, 8, 6) * np.geomspace(0.01, 3.0, 6, dtype="float32") + 0.5
    plain, _ = approximate_by_groups(model, 1, 2)
    fitted, report = approximate_by_groups(model, 1, 2, data=x, damping=0.0)
    error = outputs_error(model, fitted, x)
    assert error < 0.9 * outputs_error(model, plain, x)
    assert report.layers[0].error > approximate_by_groups(model, 1, 2)[1].layers[0].error
    # The best of that rank for the outputs: the values left out of L^T W, and more with the bias.
    moments = layer_hessians(model, [layer], [(x, None)])[0][:-1, :-1]
    root = np.linalg.cholesky(moments + 1e-12 * np.eye(len(moments))).T
    tail = np.linalg.svd(root @ values_of(layer).reshape(-1, 8), compute_uv=False)[2:]
    assert error <= np.sqrt((tail**2).sum() * 64 * 36) * (1 + 1e-4)


@pytest.mark.parametrize("use_bias", [True, False])
def test_with_data_all_groups_make_up_for_each_other(use_bias):
    model, layer = one_layer(use_bias=use_bias)
    mixing = normal(6, 6, seed=1)
    x = normal(64, 8, 8, 6) @ mixing + (1.0 if use_bias else 0.0)  # groups that go together
    moments = layer_hessians(model, [layer], [(x, None)])[0]
    fitted, _, same = group_layers(layer, values_of(layer), 3, 1, moments)
    first = values_of(fitted[0])
    new = kp.replace(model, {"conv": fitted})
    error = outputs_error(model, new, x)
    second = values_of(fitted[1])
    for seed in range(5):  # no other second layer does better
        changed = second + 0.01 * normal(*second.shape, seed=seed)
        fitted[1].kernel.assign(changed)
        assert outputs_error(model, new, x) > error
    fitted[1].kernel.assign(second)
    if use_bias:
        fitted[1].bias.assign(fitted[1].bias + 0.01)
        assert outputs_error(model, new, x) > error
    windows = [first[..., i : i + 1].reshape(-1, 1) * second[0, 0, i] for i in range(3)]
    np.testing.assert_allclose(same, ungrouped(np.stack(windows), (3, 3, 6, 8)), atol=1e-5)


def test_layers_that_cannot_be_replaced_say_why():
    class Own(layers.Conv2D):
        pass

    inputs = keras.Input((8, 8, 4))
    x = layers.Conv2D(4, 3, padding="same", name="good")(inputs)
    x = layers.Conv2D(4, 3, padding="same", groups=2, name="grouped")(x)
    x = layers.Conv2D(4, 3, padding="same", kernel_constraint="max_norm", name="bound")(x)
    x = Own(4, 3, padding="same", name="own")(x)
    x = layers.Conv2D(4, 3, padding="same", trainable=False, name="frozen")(x)
    nested = [keras.Input((8, 8, 4)), layers.Conv2D(4, 3, padding="same", name="twice")]
    x = keras.Sequential(nested)(x)
    x = layers.Conv2D(4, 3, padding="same", name="twice")(x)
    x = layers.Reshape((1, 8, 8, 4))(x)
    x = layers.TimeDistributed(layers.Conv2D(4, 3, name="inner"), name="timed")(x)
    model = keras.Model(inputs, x)
    _, report = approximate_by_groups(model, 2, 1)
    assert [line.name for line in report.replaced] == ["good", "twice", "twice"]
    reasons = {line.name: line.skip for line in report.skipped}
    assert reasons["grouped"] == "its inputs are in groups already"
    assert "a constraint holds its kernel" in reasons["bound"]
    assert reasons["own"] == "class Own may do anything"
    assert reasons["frozen"].startswith("frozen")
    assert reasons["inner"] == "it is part of another layer"


def test_layers_in_nested_models_are_replaced_and_open_sizes_have_no_macs():
    inner = keras.Sequential([keras.Input((None, None, 4)), layers.Conv2D(8, 3, name="conv")])
    inputs = keras.Input((None, None, 4))
    model = keras.Model(inputs, inner(inner(inputs)[..., :4]))
    inner.get_layer("conv").kernel.assign(product((3, 3, 4, 8), 2, 2))
    small, report = approximate_by_groups(model, 2, 2)
    assert report.layers[0].macs is None and "?" in str(report)
    assert_same(model, small, normal(2, 8, 8, 4))


@pytest.mark.parametrize(
    "arguments, text",
    [
        ({"groups": 0}, "`groups` must be an int of at least 1.*Received: groups=0"),
        ({"groups": lambda layer: 1.5}, "Received: groups=1.5"),
        ({"groups": 2, "rank": 0}, r"float in \(0, 1\).*Received: rank=0"),
        ({"groups": 2, "rank": 1.0}, "Received: rank=1.0"),
        ({"groups": 2, "rank": True}, "Received: rank=True"),
        ({"groups": 2, "damping": -1}, "`damping` must be a number >= 0"),
        ({"groups": 2, "data": []}, "holds no sample"),
        (
            {"groups": 5},
            "no layer that can be replaced. Received: {'stem': 'its inputs, 3, are no multiple",
        ),
    ],
)
def test_wrong_arguments_get_a_sentence(arguments, text):
    with pytest.raises(ValueError, match=text):
        approximate_by_groups(network(), **arguments)
