"""Dynamic winners against their definition, and the static twin."""

import itertools

import hypothesis
import hypothesis.extra.numpy
import hypothesis.strategies as st
import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.layers import ActivationThreshold, WinnerTakeAll

pytestmark = pytest.mark.all_backends


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def outputs(layer, x, **kwargs):
    return keras.ops.convert_to_numpy(layer(keras.ops.convert_to_tensor(x), **kwargs))


def winners(a, count):
    """The definition, for one sample."""
    theta = np.sort(np.abs(a), axis=None)[::-1][count] if count < a.size else -1.0
    return np.where(np.abs(a) > theta, a, 0.0)


# The projection.


@hypothesis.settings(max_examples=25)
@hypothesis.given(
    a=hypothesis.extra.numpy.arrays("float32", 6, elements=st.integers(-50, 50), unique=True),
    count=st.integers(0, 6),
)
def test_it_is_the_nearest_point_with_so_few_that_are_not_zero(a, count):
    hypothesis.assume(len(set(np.abs(a))) == 6)
    found = outputs(WinnerTakeAll(count / 6), a[None])[0]
    best = min(
        sum(a[j] ** 2 for j in range(6) if j not in support)
        for support in itertools.combinations(range(6), count)
    )
    assert np.sum((found - a) ** 2) == best
    assert np.count_nonzero(found) <= count and set(found) <= {*a, 0.0}


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.37, 0.5, 0.9, 0.999, 1.0])
@pytest.mark.parametrize("shape", [(10,), (5, 4), (3, 5, 4)])
def test_every_sample_keeps_its_largest(shape, rate):
    x = normal(4, *shape) * np.logspace(-3, 3, 4).reshape(4, *[1] * len(shape))
    x = x.astype("float32")
    found = outputs(WinnerTakeAll(rate), x)
    count = int(rate * x[0].size + 0.5)
    for one, a in zip(found, x, strict=True):
        assert np.count_nonzero(one) == count
        np.testing.assert_array_equal(one, winners(a, count))


@pytest.mark.parametrize("axis", [-1, 1])
def test_every_group_of_channels_keeps_its_largest(axis):
    x = normal(2, 3, 5, 6)
    found = outputs(WinnerTakeAll(0.3, groups=3, axis=axis), np.moveaxis(x, -1, axis))
    found = np.moveaxis(found, axis, -1)
    for one, a in zip(found, x, strict=True):
        for group in (slice(0, 2), slice(2, 4), slice(4, 6)):
            np.testing.assert_array_equal(one[..., group], winners(a[..., group], 9))


def test_those_that_equal_the_threshold_lose():
    x = np.array([[3.0, -2.0, 2.0, 2.0, 1.0], [0.0, 0.0, 0.0, 4.0, 0.0]], "float32")
    found = outputs(WinnerTakeAll(0.4), x)
    np.testing.assert_array_equal(found, [[3.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 4.0, 0.0]])


def test_nan_passes_and_stays_in_its_sample():
    x = normal(2, 8)
    x[0, 3] = np.nan
    for layer in (WinnerTakeAll(0.25), ActivationThreshold(0.5)):
        found = outputs(layer, x)
        assert np.isnan(found[0, 3]) and np.isfinite(found[1]).all()
        np.testing.assert_array_equal(found[1], outputs(layer, x[1:])[0])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "mixed_float16", "float64"])
def test_small_floats_keep_their_largest(dtype):
    if dtype == "float64" and keras.backend.backend() == "jax":
        pytest.skip("JAX has no float64 unless its configuration asks for it.")
    x = normal(3, 50) * 100.0
    layer = WinnerTakeAll(0.2, dtype=dtype)
    found = keras.ops.convert_to_numpy(keras.ops.cast(layer(x), "float32"))
    assert keras.backend.standardize_dtype(layer(x).dtype) == dtype.replace("mixed_", "")
    rounded = keras.ops.convert_to_numpy(
        keras.ops.cast(keras.ops.cast(x, layer(x).dtype), "float32")
    )
    for one, a in zip(found, rounded, strict=True):
        np.testing.assert_array_equal(one, winners(a, 10))


# The threshold from a sample.


def test_a_sample_of_all_is_exact():
    x = normal(3, 7, 6)
    found = outputs(WinnerTakeAll(0.3, sample=1.0, seed=1), x)
    np.testing.assert_array_equal(found, outputs(WinnerTakeAll(0.3), x))


def test_a_sample_hits_the_rate_on_average():
    x, rate = normal(400, 1000), 0.2
    kept = [
        np.count_nonzero(outputs(WinnerTakeAll(rate, sample=0.1, seed=seed), x)) / x.size
        for seed in range(4)
    ]
    # One sample's share has a deviation of sqrt(0.2 * 0.8 / 100) = 0.04; its mean over 1600 draws,
    # which share places within a seed, far less. The bias is below 1 / 100.
    assert abs(np.mean(kept) - rate) < 0.01
    assert len(set(kept)) > 1


def test_the_sample_is_the_same_at_every_call_and_in_the_config():
    x = normal(4, 100)
    layer = WinnerTakeAll(0.3, sample=0.2)
    twin = WinnerTakeAll.from_config(layer.get_config())
    np.testing.assert_array_equal(outputs(layer, x), outputs(layer, x))
    np.testing.assert_array_equal(outputs(layer, x), outputs(twin, x))


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.7, 1.0])
def test_a_tensor_smaller_than_a_sample_still_has_winners_and_losers(rate):
    found = outputs(WinnerTakeAll(rate, sample=0.01, seed=0), normal(50, 4))
    if rate in (0.0, 1.0):
        assert np.count_nonzero(found) == 50 * 4 * rate
    else:
        assert (found == 0.0).any(axis=1).all()
        assert (found != 0.0).any()


# Gradients, forms of use, the twin.


def test_the_gradient_passes_through_the_winners_alone():
    x = normal(3, 20)
    dense = keras.layers.Dense(20, use_bias=False, kernel_initializer="identity")
    model = keras.Sequential([keras.Input((20,)), dense, WinnerTakeAll(0.25)])
    model.compile(keras.optimizers.SGD(1.0), loss=lambda y, out: keras.ops.sum(out, axis=-1))
    kept = model.predict(x, verbose=0) != 0.0
    before = keras.ops.convert_to_numpy(dense.kernel)
    model.train_on_batch(x, np.zeros((3, 1), "float32"))
    change = before - keras.ops.convert_to_numpy(dense.kernel)
    np.testing.assert_allclose(change, x.T @ kept / 3.0, atol=1e-6)


def test_leaky_activations_keep_their_sign():
    x = np.array([[-100.0, 0.5, 0.1, -0.2]], "float32")
    layer = WinnerTakeAll(0.5, activation=keras.layers.LeakyReLU(negative_slope=0.1))
    np.testing.assert_allclose(outputs(layer, x), [[-10.0, 0.5, 0.0, 0.0]])


def test_dynamic_winners_beat_a_static_threshold_where_scales_differ():
    x = normal(8, 200) * np.logspace(-2, 2, 8)[:, None].astype("float32")
    dynamic = outputs(WinnerTakeAll(0.25), x)
    static = outputs(ActivationThreshold(float(np.quantile(np.abs(x), 0.75))), x)
    assert np.count_nonzero(static) == np.count_nonzero(dynamic)
    lost = [np.linalg.norm(y - x, axis=1) / np.linalg.norm(x, axis=1) for y in (dynamic, static)]
    assert lost[0].mean() < 0.8 * lost[1].mean()


def test_as_an_activation_it_is_saved_and_trained(tmp_path):
    keras.utils.set_random_seed(0)
    activation = kp.layers.WinnerTakeAll(0.25, sample=0.5, activation="relu")
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(16, activation=activation),
            WinnerTakeAll(0.1, groups=2),
            ActivationThreshold(0.01),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    x = normal(64, 6)
    model.fit(x, (x[:, 0] > 0).astype(int), epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)


@pytest.mark.parametrize(
    "arguments, text",
    [
        ({"rate": 1.5}, "`rate` must be a number from 0 to 1. Received: rate=1.5"),
        ({"rate": -0.1}, "Received: rate=-0.1"),
        ({"rate": True}, "Received: rate=True"),
        ({"rate": float("nan")}, "Received: rate=nan"),
        ({"rate": "half"}, "Received: rate='half'"),
        ({"rate": 0.5, "sample": 0.0}, r"from 0 \(not itself\) to 1. Received: sample=0.0"),
        ({"rate": 0.5, "seed": -1}, "`seed` must be an int >= 0. Received: seed=-1"),
        ({"rate": 0.5, "groups": 0}, "`groups` must be an int >= 1. Received: groups=0"),
        ({"rate": 0.5, "axis": 0}, "not 0, the batch. Received: axis=0"),
    ],
)
def test_wrong_arguments_get_a_sentence(arguments, text):
    with pytest.raises(ValueError, match=text):
        WinnerTakeAll(**arguments)


def test_wrong_inputs_get_a_sentence():
    with pytest.raises(ValueError, match=r"of known sizes.*Received: input_shape=\(None, No"):
        WinnerTakeAll(0.5)(keras.Input((None, 3)))
    with pytest.raises(ValueError, match=r"4 channels do not form groups.*Received: groups=3"):
        WinnerTakeAll(0.5, groups=3)(normal(2, 4))
    with pytest.raises(ValueError, match="has no axis 2"):
        WinnerTakeAll(0.5, axis=2)(normal(2, 4))
    with pytest.raises(ValueError, match=r"`threshold` must be a number >= 0.*threshold=-1"):
        ActivationThreshold(-1)


@pytest.mark.parametrize("options", [{}, {"groups": 2}, {"sample": 0.5, "seed": 1}])
@pytest.mark.parametrize("rate", [0.0, 0.05, 0.6])
def test_samples_are_masked_alike_alone_and_together(rate, options):
    x = normal(5, 6, 8)
    x[1] = np.round(x[1])  # ties
    x[2] *= 1e-30
    x[3, 0, :2] = np.inf, -np.inf
    x[4] = 0.0
    layer = WinnerTakeAll(rate, **options)
    alone = np.concatenate([outputs(layer, one[None]) for one in x])
    np.testing.assert_array_equal(outputs(layer, x), alone)
