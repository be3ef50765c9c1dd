import keras
import numpy as np
import pytest

from examples import datasets
from keras_prune.one_shot import prune
from keras_prune.reconstruction.layerwise import prune_layerwise
from tests.small_models import kernels, mlp, toy_data

layers = keras.layers


def convnet():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8, 8, 4)),
            layers.Conv2D(8, 3, padding="same", strides=2, activation="relu"),
            layers.DepthwiseConv2D(3),
            layers.Conv2D(8, 1, groups=2, name="grouped"),
            layers.Flatten(),
            layers.Dense(6),
        ]
    )


def images(count=64):
    return np.random.default_rng(0).normal(size=(count, 8, 8, 4)).astype("float32")


def outputs_of(model, x):
    return keras.ops.convert_to_numpy(model(x, training=False))


@pytest.mark.all_backends
@pytest.mark.parametrize("method", ["obs", "l-obs", "feature"])
def test_sparsity_is_exact_and_the_rest_is_reported(method):
    model = convnet()
    report = prune_layerwise(model, 0.7, images(), method=method)
    assert [weight.zeros for weight in report.pruned] == [202, 134]  # of 288 and 192
    for variable in (model.layers[0].kernel, model.layers[-1].kernel):
        values = keras.ops.convert_to_numpy(variable)
        assert not np.signbit(values[values == 0.0]).any()
    assert [weight.skip for weight in report.skipped] == [
        "depthwise kernel: few weights, one input each",
        "reconstruction does not cover grouped convolutions",
    ]
    assert report.reached


@pytest.mark.all_backends
def test_survivors_are_the_least_squares_solution_on_real_inputs():
    model, (x, _) = mlp(), toy_data()
    before = [np.array(keras.ops.convert_to_numpy(v)) for v in model.layers[0].weights]
    prune_layerwise(model, 0.5, x, damping=0.0, filters="hidden")
    kernel, bias = (keras.ops.convert_to_numpy(v) for v in model.layers[0].weights)
    rows = np.hstack([x, np.ones((len(x), 1))])
    target = x @ before[0] + before[1]
    for unit in range(16):
        kept = np.append(kernel[:, unit] != 0.0, True)
        solution, *_ = np.linalg.lstsq(rows[:, kept], target[:, unit], rcond=None)
        np.testing.assert_allclose(
            np.append(kernel[:, unit], bias[unit])[kept], solution, atol=1e-5
        )


@pytest.mark.parametrize("method", ["obs", "l-obs"])
def test_one_weight_goes_as_in_constrained_least_squares(method):
    model, (x, _) = mlp(), toy_data()
    kernel, bias = (keras.ops.convert_to_numpy(v).copy() for v in model.layers[0].weights)
    prune_layerwise(model, 1 / 128, x, method=method, damping=0.0, filters="hidden")
    pruned, moved = (keras.ops.convert_to_numpy(v) for v in model.layers[0].weights)
    ((row, unit),) = np.argwhere(pruned == 0.0)
    rows = np.hstack([x, np.ones((len(x), 1))])
    # Saliency w^2 / (2 [H^-1]_qq): the cheapest weight of all went.
    inverse = np.diag(np.linalg.inv(rows.T @ rows / len(x)))[:8]
    assert np.argmin(kernel**2 / inverse[:, None]) == row * 16 + unit
    kept = np.arange(9) != row
    target = x @ kernel[:, unit] + bias[unit]
    solution, *_ = np.linalg.lstsq(rows[:, kept], target, rcond=None)
    np.testing.assert_allclose(np.append(pruned[:, unit], moved[unit])[kept], solution, atol=1e-5)
    others = np.arange(16) != unit
    np.testing.assert_allclose(pruned[:, others], kernel[:, others], atol=1e-6)


@pytest.mark.all_backends
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_convolution_changes_less_than_under_magnitude_pruning(padding):
    x = np.cumsum(images(), axis=1)  # neighbours are alike, as in pictures
    model = keras.Sequential([keras.Input((8, 8, 4)), layers.Conv2D(8, 3, padding=padding)])
    weights, expected = model.get_weights(), outputs_of(model, x)
    errors = {}
    for method in ("magnitude", "feature", "l-obs", "obs"):
        model.set_weights(weights)
        if method == "magnitude":
            prune(model, 0.6)
        else:
            prune_layerwise(model, 0.6, x, method=method)
        errors[method] = np.mean((outputs_of(model, x) - expected) ** 2)
    assert errors["obs"] <= errors["l-obs"] < 0.7 * errors["magnitude"]
    assert errors["feature"] < 0.7 * errors["magnitude"]


@pytest.mark.parametrize("granularity, sparsity", [("2:4", None), ("1x4", 0.5)])
def test_whole_units_with_repair(granularity, sparsity):
    model, x = keras.Sequential([keras.Input((8, 8, 4)), layers.Conv2D(8, 3)]), images()
    weights, expected = model.get_weights(), outputs_of(model, x)
    prune(model, sparsity, granularity=granularity)
    plain = np.mean((outputs_of(model, x) - expected) ** 2)
    model.set_weights(weights)
    report = prune_layerwise(model, sparsity, x, method="l-obs", granularity=granularity)
    assert np.mean((outputs_of(model, x) - expected) ** 2) < plain
    kept = (kernels_of(model) != 0.0).sum(axis=2)  # inputs of each tap and output
    assert set(kept.ravel()) == ({2} if granularity == "2:4" else {0, 4})
    assert report.pruned[0].zeros == 144


def kernels_of(model):
    return keras.ops.convert_to_numpy(model.layers[0].kernel)


def test_zeros_stay_and_pruning_goes_on_from_them():
    model, (x, _) = mlp(), toy_data()
    prune(model, 0.5)
    before = kernels(model)
    report = prune_layerwise(model, 0.8, x)
    for old, new in zip(before, kernels(model), strict=True):
        assert not np.any((old == 0.0) & (new != 0.0))
    assert [weight.zeros for weight in report.pruned] == [102, 38]


def test_shares_follow_the_allocation():
    model, (x, _) = mlp(), toy_data()
    model.get_layer("hidden").kernel.assign(model.get_layer("hidden").kernel * 10.0)
    report = prune_layerwise(model, 0.5, x, allocation="global")
    assert sum(weight.zeros for weight in report.pruned) == 88
    assert report.pruned[1].zeros > 40


def test_inputs_from_the_pruned_or_from_the_original_network():
    x, results = toy_data()[0], {}
    for inputs in ("pruned", "original"):
        model = mlp()
        prune_layerwise(model, 0.7, x, inputs=inputs)
        results[inputs] = kernels(model)
    np.testing.assert_array_equal(results["pruned"][0], results["original"][0])
    assert not np.array_equal(results["pruned"][1], results["original"][1])


def test_layer_without_data_is_reported_and_left_alone():
    model = mlp()
    half = keras.Model(model.inputs, model.layers[0].output)

    class Lazy(keras.Model):
        def __init__(self):
            super().__init__()
            self.used, self.unused = half, layers.Dense(3)
            self.unused.build((None, 8))

        def call(self, inputs):
            return self.used(inputs)

    lazy = Lazy()
    lazy.build((None, 8))
    before = keras.ops.convert_to_numpy(lazy.unused.kernel).copy()
    report = prune_layerwise(lazy, 0.5, toy_data()[0])
    assert {weight.skip for weight in report.weights} == {None, "the data never reach this layer"}
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(lazy.unused.kernel), before)


@pytest.mark.parametrize("dtype", ["float16", "mixed_bfloat16"])
def test_half_precision(dtype):
    model = keras.Sequential([keras.Input((8,)), layers.Dense(4, dtype=dtype)])
    report = prune_layerwise(model, 0.5, toy_data()[0])
    assert report.pruned[0].zeros == 16


@pytest.mark.all_backends
@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"model": mlp}, "Expected a `keras.Model`"),
        ({"sparsity": 1.0}, "Received: sparsity=1.0"),
        ({"data": None}, "Received: data of type NoneType"),
        ({"method": "obd"}, "Received: method='obd'"),
        ({"inputs": "none"}, "Received: inputs='none'"),
        ({"granularity": "1x4"}, 'need method="l-obs".*Block'),
        ({"granularity": "1x4", "method": "feature"}, 'need method="l-obs".*Block'),
        ({"damping": -1.0}, "Received: damping=-1.0"),
        ({"damping": float("nan")}, "Received: damping=nan"),
        ({"filters": "nowhere"}, "no weight that can be pruned.*left out by `filters`"),
        ({"data": np.zeros((9, 8), "float32"), "damping": 0}, "hidden.*not positive definite"),
        ({"data": np.full((9, 8), np.inf, "float32")}, "hidden gets inputs that are not finite"),
        ({"data": toy_data()[0][:9], "damping": 0.0}, "logits.*not positive definite"),
    ],
)
def test_wrong_arguments_get_a_sentence_and_change_nothing(arguments, sentence):
    model = mlp()
    before = [np.array(kernel) for kernel in kernels(model)]
    with pytest.raises(ValueError, match=sentence):
        prune_layerwise(**{"model": model, "sparsity": 0.5, "data": toy_data()[0], **arguments})
    for old, new in zip(before, kernels(model), strict=True):
        np.testing.assert_array_equal(old, new)


def test_layers_of_other_kinds_alone_are_refused():
    model = keras.Sequential([keras.Input((4,)), layers.EinsumDense("ab,bc->ac", 3)])
    with pytest.raises(ValueError, match="does not cover EinsumDense layers"):
        prune_layerwise(model, 0.5, np.ones((4, 4), "float32"))


def test_lenet_keeps_its_accuracy_without_retraining(data_dir):
    data = datasets.load("mnist")
    # The inner 20 x 20 pixels hold the digits; 784 inputs would take six times as long.
    x, y = data.train[0][:, 4:24, 4:24].reshape(-1, 400), data.train[1]
    test = data.test[0][:, 4:24, 4:24].reshape(-1, 400), data.test[1]
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((400,)),
            layers.Dense(300, activation="relu"),
            layers.Dense(100, activation="relu"),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    model.fit(x[:20000], y[:20000], batch_size=128, epochs=2, verbose=0)
    weights = model.get_weights()

    def accuracy(prune_model):
        model.set_weights(weights)
        prune_model()
        return model.evaluate(*test, batch_size=1000, verbose=0)[1]

    magnitude = accuracy(lambda: prune(model, 0.95))
    single = accuracy(lambda: prune_layerwise(model, 0.95, x[:2000], method="l-obs"))
    sequential = accuracy(lambda: prune_layerwise(model, 0.95, x[:2000]))
    assert sequential > 0.85
    assert single > magnitude + 0.15
    assert sequential > single + 0.05
