import keras
import numpy as np
import pytest

from keras_prune.one_shot import prune
from keras_prune.reconstruction.woodfisher import prune_woodfisher
from tests.small_models import kernels, mlp, toy_data

layers = keras.layers


@pytest.mark.all_backends
@pytest.mark.parametrize("allocation, zeros", [("global", None), ("uniform", [102, 38])])
def test_sparsity_is_exact(allocation, zeros):
    model, (x, y) = mlp(), toy_data()
    report = prune_woodfisher(model, 0.8, (x, y), allocation=allocation, batch_size=8)
    assert sum(weight.zeros for weight in report.pruned) in (140, 141)
    assert zeros is None or [weight.zeros for weight in report.pruned] == zeros
    for kernel in kernels(model):
        assert not np.signbit(kernel[kernel == 0.0]).any()
    assert report.reached


@pytest.mark.all_backends
def test_large_damping_makes_it_magnitude_pruning():
    model, other, (x, y) = mlp(), mlp(), toy_data()
    prune_woodfisher(model, 0.8, (x[:8], y[:8]), damping=1e6)
    prune(other, 0.8, allocation="global")
    for ours, theirs in zip(kernels(model), kernels(other), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4)


@pytest.mark.all_backends
def test_twin_of_an_input_takes_over_its_weight():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[1.0], [1.1], [0.8]], "float32")])
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 2)).astype("float32")[:, [0, 0, 1]]  # inputs 0 and 1 are equal
    y = x @ [[1.0], [1.1], [0.8]] + random.normal(size=(64, 1))
    # Magnitude would remove the last weight; removing the first changes nothing.
    prune_woodfisher(model, 1 / 3, (x, y), loss="mse", damping=1e-5)
    np.testing.assert_allclose(kernels_of(model), [[0.0], [2.1], [0.8]], atol=1e-3)


def test_worked_example_through_the_gradients_of_a_model():
    # The loss is w . x, so every gradient is the sample itself and F = damping I + X^T X / N.
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[1.0], [2.0]], "float32")])
    # The rows have X^T X / N = [[1, 1], [1, 1]]; with damping 1 that is [[2, 1], [1, 2]].
    x = np.array([[1.0, 1.0], [-1.0, -1.0]], "float32")
    prune_woodfisher(model, 0.5, (x, np.zeros(2)), loss=lambda _, z: z[:, 0], damping=1.0)
    np.testing.assert_allclose(kernels_of(model), [[0.0], [2.5]], atol=1e-6)


def kernels_of(model):
    return keras.ops.convert_to_numpy(model.layers[0].kernel)


def test_blocks_of_weights_and_convolutions():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((6, 6, 4)), layers.Conv2D(8, 3), layers.Flatten(), layers.Dense(3)]
    )
    random = np.random.default_rng(0)
    data = random.normal(size=(8, 6, 6, 4)).astype("float32"), random.integers(0, 3, 8)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    report = prune_woodfisher(
        model, 0.5, data, loss=loss, granularity="1x4", allocation="uniform", block_size=10
    )
    kept = (kernels_of(model) != 0.0).sum(axis=2)
    assert set(kept.ravel()) == {0, 4}
    assert report.reached


def test_zeros_stay():
    model, (x, y) = mlp(), toy_data()
    prune(model, 0.5)
    before = kernels(model)
    prune_woodfisher(model, 0.8, (x, y), batch_size=8)
    for old, new in zip(before, kernels(model), strict=True):
        assert not np.any((old == 0.0) & (new != 0.0))


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"model": keras.Sequential()}, "Received: loss=None"),
        ({"model": mlp, "loss": "mse"}, "Expected a `keras.Model`"),
        ({"sparsity": 1.0}, "Received: sparsity=1.0"),
        ({"data": toy_data()[0]}, r"pass data=\(x, y\)"),
        ({"damping": 0.0}, "Received: damping=0.0"),
        ({"block_size": 0}, "Received: block_size=0"),
        ({"loss": 3}, "Received: loss=3"),
        ({"filters": "nowhere"}, "no weight that can be pruned.*left out by `filters`"),
        ({"data": (np.full((8, 8), np.nan, "float32"), np.zeros(8))}, "not finite"),
    ],
)
def test_wrong_arguments_get_a_sentence_and_change_nothing(arguments, sentence):
    model = mlp()
    before = [np.array(kernel) for kernel in kernels(model)]
    with pytest.raises(ValueError, match=sentence):
        prune_woodfisher(
            **{"model": model, "sparsity": 0.5, "data": toy_data(8), "batch_size": 8, **arguments}
        )
    for old, new in zip(before, kernels(model), strict=True):
        np.testing.assert_array_equal(old, new)
