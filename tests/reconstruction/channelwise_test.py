import keras
import numpy as np
import pytest

from keras_prune.allocation import PerLayer
from keras_prune.one_shot import prune
from keras_prune.reconstruction.channelwise import prune_channels
from keras_prune.reconstruction.removal import choose_removal
from keras_prune.surgery import shrink
from tests.small_models import toy_data

layers = keras.layers
METHODS = ("lasso", "thinet", "omp", "greedy", "brute")


def images(count=48, channels=3):
    """Smooth, as pictures are."""
    x = np.random.default_rng(0).normal(size=(count, 8, 8, channels))
    return np.cumsum(x, axis=1).astype("float32") / 3.0


def convnet(channels=8):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(channels, 3, padding="same", activation="relu", name="one"),
            layers.Conv2D(6, 3, strides=2, use_bias=False, name="two"),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.Conv2D(6, 2, name="three"),
            layers.Flatten(),
            layers.Dense(4, name="head"),
        ]
    )


def outputs_of(model, x):
    return keras.ops.convert_to_numpy(model(x, training=False))


def seen_at(model, name, x):
    """What a layer of a Sequential model puts out."""
    for layer in model.layers:
        x = layer(x)
        if layer.name == name:
            return keras.ops.convert_to_numpy(x)
    raise KeyError(name)


def values_of(model, name="dense"):
    return np.array(keras.ops.convert_to_numpy(model.get_layer(name).kernel))


def going(values):
    """The inputs that a kernel has no weight for."""
    return np.flatnonzero((values == 0.0).all(axis=(*range(values.ndim - 2), values.ndim - 1)))


def dense(kernel, bias=None):
    kernel = np.array(kernel, "float32")
    model = keras.Sequential(
        [
            keras.Input((len(kernel),)),
            layers.Dense(kernel.shape[1], name="dense", use_bias=bias is not None),
        ]
    )
    model.get_layer("dense").set_weights([kernel, *([np.array(bias)] if bias else [])])
    return model


@pytest.mark.all_backends
@pytest.mark.parametrize("method", METHODS)
def test_what_is_not_read_any_more_is_cut_and_nothing_changes(method):
    model, x = convnet(), images()
    report = prune_channels(model, 0.5, x, method=method, seed=0)
    assert report.reached and report.asked == 0.5
    assert [line.skip for line in report.weights] == [
        "no channel that it reads can be cut: it is an input of the model",
        None,
        None,
        None,
    ]
    assert [line.note for line in report.weights] == [None] * 4
    assert [len(going(values_of(model, name))) for name in ("two", "three")] == [4, 3]
    head = values_of(model, "head").reshape(4, 6, 4)  # places, channels, outputs
    assert ((head == 0.0).all(axis=(0, 2))).sum() == 3
    for name in ("two", "three", "head"):
        values = values_of(model, name)
        assert not np.signbit(values[values == 0.0]).any()
    small = shrink(model)
    widths = [small.get_layer(name).kernel.shape[-1] for name in ("one", "two", "three", "head")]
    assert widths == [4, 3, 3, 4]
    np.testing.assert_allclose(outputs_of(small, x), outputs_of(model, x), atol=1e-5)


def with_filters_that_are_alike():
    model, random = convnet(), np.random.default_rng(1)
    kernel, bias = (np.tile(a[..., :4], 2) for a in model.get_layer("one").get_weights())
    kernel += 0.02 * random.normal(size=kernel.shape)
    model.get_layer("one").set_weights([kernel, bias])
    return model


@pytest.mark.all_backends
@pytest.mark.parametrize("method", METHODS)
def test_correlated_channels_are_made_up_for(method):
    """The errors of the layer and of the whole model, against magnitude at equal sparsity."""
    model, x = with_filters_that_are_alike(), images()
    before = seen_at(model, "two", x), outputs_of(model, x)

    def errors():
        assert len(going(values_of(model, "two"))) == 4
        after = seen_at(model, "two", x), outputs_of(model, x)
        return [np.mean((a - b) ** 2) for a, b in zip(after, before, strict=True)]

    prune(model, 0.5, granularity="channel", filters="two")
    magnitude = errors()
    factors = 0.8 if method in ("thinet", "omp") else 0.4
    for repair, part in ((None, factors), ("least_squares", 0.4)):
        model = with_filters_that_are_alike()
        prune_channels(model, 0.5, x, method, filters="two", repair=repair, seed=0)
        mine = errors()
        assert mine[0] < part * magnitude[0]
        assert repair is None or mine[1] < 0.6 * magnitude[1]


@pytest.mark.parametrize("method", METHODS)
def test_on_inputs_of_ones_the_weights_are_the_contributions(method):
    """On an input of ones, a row of the kernel is what a channel adds."""
    model = dense(np.diag([3.0, 1.0, 2.0, 5.0]))
    x = np.ones((400, 4), "float32")
    arguments = {"cut_inputs": True, "repair": "none", "seed": 0}
    report = prune_channels(model, 0.5, x, method, **arguments)
    np.testing.assert_array_equal(going(values_of(model)), [1, 2])
    np.testing.assert_array_equal(values_of(model)[[0, 3]], np.diag([3.0, 1.0, 2.0, 5.0])[[0, 3]])
    assert report.achieved == 14 / 16  # of the kernel's weights, twelve were zero before


@pytest.mark.parametrize("method, gone", [("greedy", [0, 2]), ("brute", [1, 2])])
def test_channels_that_cancel_out(method, gone):
    model = dense([[1.0], [2.0], [-2.0], [3.0]])
    x = np.ones((8, 4), "float32")
    prune_channels(model, 0.5, x, method, cut_inputs=True, repair="none")
    np.testing.assert_array_equal(going(values_of(model)), gone)
    contributions = [[1.0, 2.0, -2.0, 3.0]]
    assert sorted(choose_removal(contributions, 2, method=method)[0]) == gone


def test_least_squares_on_all_inputs_with_an_intercept():
    random = np.random.default_rng(0)
    x = (random.normal(size=(60, 6)) @ random.normal(size=(6, 6)) + 2.0).astype("float32")
    kernel, bias = random.normal(size=(6, 3)).astype("float32"), [1.0, 2.0, 3.0]
    model = dense(kernel, bias)
    prune_channels(model, 0.5, x, damping=0.0, cut_inputs=True)
    kept = np.setdiff1d(np.arange(6), going(values_of(model)))
    rows = np.hstack([x[:, kept], np.ones((60, 1))])
    solution, *_ = np.linalg.lstsq(rows, x @ kernel + bias, rcond=None)
    np.testing.assert_allclose(values_of(model)[kept], solution[:-1], atol=1e-4)
    found = keras.ops.convert_to_numpy(model.get_layer("dense").bias)
    np.testing.assert_allclose(found, solution[-1], atol=1e-4)


@pytest.mark.parametrize("name", ["two", "three"])  # the second one has a bias
@pytest.mark.parametrize("method", ["lasso", "greedy"])
def test_each_repair_is_better_than_the_one_before(method, name):
    x, errors = images(), []
    before = seen_at(convnet(), name, x)
    for repair in ("none", "factors", "least_squares"):
        model = convnet()
        # All 9 places are looked at, so that what is made less is what is measured.
        prune_channels(model, 0.5, x, method, filters=name, samples=9, repair=repair, damping=0.0)
        errors.append(np.mean((seen_at(model, name, x) - before) ** 2))
    assert errors[2] < 0.9 * errors[1] < 0.9 * errors[0]


def test_later_layers_make_up_for_what_earlier_ones_lost():
    """The target is what the original model gives, on inputs of the pruned one."""
    x = np.random.default_rng(0).normal(size=(80, 6)).astype("float32")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, activation="relu", name="first"),
            layers.Dense(4, name="second"),
        ]
    )
    expected = outputs_of(model, x)
    table = PerLayer({"first": 0.5, "second": 1 / 8})
    prune_channels(model, None, x, allocation=table, cut_inputs=True, damping=0.0)
    hidden = seen_at(model, "first", x)
    kept = np.setdiff1d(np.arange(8), going(values_of(model, "second")))
    assert len(kept) == 7
    rows = np.hstack([hidden[:, kept], np.ones((80, 1))])
    solution, *_ = np.linalg.lstsq(rows, expected, rcond=None)
    np.testing.assert_allclose(outputs_of(model, x), rows @ solution, atol=1e-4)


def test_nothing_asked_nothing_changed():
    model, x = convnet(), images()
    before = model.get_weights()
    report = prune_channels(model, 0.0, x)
    assert report.reached
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_zeros_stay_and_pruning_goes_on_from_them():
    model, x = convnet(), images()
    prune(model, 0.3)
    single = values_of(model, "two") == 0.0
    prune_channels(model, 0.25, x)
    first = going(values_of(model, "two"))
    again = values_of(model, "two")
    prune_channels(model, 0.25, x)  # is so already
    np.testing.assert_array_equal(values_of(model, "two"), again)
    prune_channels(model, 0.75, x)
    assert len(first) == 2 and len(going(values_of(model, "two"))) == 6
    assert set(first) <= set(going(values_of(model, "two")))
    assert (values_of(model, "two")[single] == 0.0).all()


@pytest.mark.parametrize("rank, layer", [(1, layers.Conv1D), (3, layers.Conv3D)])
def test_convolutions_of_other_ranks(rank, layer):
    keras.utils.set_random_seed(0)
    shape = (5,) * rank
    model = keras.Sequential(
        [
            keras.Input((*shape, 2)),
            layer(6, 2, activation="relu"),
            layer(3, 2, padding="same", name="last"),
        ]
    )
    x = np.random.default_rng(0).normal(size=(12, *shape, 2)).astype("float32")
    assert prune_channels(model, 0.5, x).reached
    small = shrink(model)
    assert small.layers[0].kernel.shape[-1] == 3
    np.testing.assert_allclose(outputs_of(small, x), outputs_of(model, x), atol=1e-5)


def test_residual_streams_stay_and_the_report_says_so():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 6, 3))
    stream = layers.Conv2D(4, 1, name="stem")(inputs)
    branch = layers.Conv2D(6, 3, padding="same", activation="relu", name="first")(stream)
    branch = layers.Conv2D(4, 3, padding="same", name="second")(branch)
    x = layers.GlobalAveragePooling2D()(layers.Add()([stream, branch]))
    model = keras.Model(inputs, layers.Dense(2, name="head")(x))
    data = np.random.default_rng(0).normal(size=(20, 6, 6, 3)).astype("float32")
    report = prune_channels(model, 0.5, data, filters=["first", "second"])
    notes = {line.path.split("/")[-2]: line.note for line in report.pruned}
    assert notes == {
        "first": "zero channels that stay in the model: 2 of 2: `head` (Dense) reads them too",
        "second": None,
    }
    small = shrink(model)
    assert small.get_layer("stem").kernel.shape[-1] == 4
    assert small.get_layer("first").kernel.shape[-1] == 3
    np.testing.assert_allclose(outputs_of(small, data), outputs_of(model, data), atol=1e-5)


def test_channels_of_the_inputs_stay_beside_others():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    hidden = layers.Dense(8, activation="relu")(inputs)
    joined = layers.Concatenate()([inputs, hidden])
    model = keras.Model(inputs, layers.Dense(3, name="head")(joined))
    x = np.random.default_rng(0).normal(size=(30, 4)).astype("float32")
    report = prune_channels(model, 0.5, x, filters="head")
    assert report.reached and going(values_of(model, "head")).min() >= 4
    assert report.pruned[0].note == (
        "channels that are never pruned: 4: it is an input of the model"
    )
    assert not prune_channels(model, 0.8, x, filters="head").reached
    assert len(going(values_of(model, "head"))) == 8


def test_shares_follow_the_allocation_and_the_seed_fixes_what_is_drawn():
    x, kernels = images(), []
    for seed in (1, 1, 2):
        model = convnet()
        model.get_layer("two").kernel.assign(model.get_layer("two").kernel * 10.0)
        report = prune_channels(model, 0.5, x, "thinet", "global", seed=seed)
        lines = {line.path.split("/")[-2]: line.achieved for line in report.pruned}
        assert lines["two"] < 0.5 < lines["head"]
        kernels.append(values_of(model, "head"))
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


@pytest.mark.all_backends
@pytest.mark.parametrize("followed", [True, False])
def test_layers_that_nobody_calls_are_left_alone_with_a_reason(followed):
    class Partly(keras.Model):
        def __init__(self):
            super().__init__()
            self.one, self.two, self.unused = (layers.Dense(n) for n in (8, 3, 3))
            self.unused.build((None, 8))

        def call(self, inputs):
            hidden = self.one(inputs)
            if not followed:  # symbolic tensors have no values
                hidden = hidden * float(np.abs(keras.ops.convert_to_numpy(inputs)).max() > 0.0)
            return self.two(hidden)

    model, x = Partly(), toy_data()[0]
    model(x)
    before = np.array(keras.ops.convert_to_numpy(model.unused.kernel))
    report = prune_channels(model, 0.5, x)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(model.unused.kernel), before)
    lines = {id(layer): line for layer, line in zip(model.layers, report.weights, strict=True)}
    one, two, unused = (lines[id(layer)] for layer in (model.one, model.two, model.unused))
    assert len(going(np.array(model.two.get_weights()[0]))) == 4 and two.skip is None
    if followed:
        assert one.skip == "no channel that it reads can be cut: it is an input of the model"
        assert unused.skip.endswith("surgery does not know what it reads")
        assert two.note is None
    else:
        assert one.skip is None and unused.skip == "the data never reach this layer"
        assert two.note == (
            "its zero channels stay in the model: the model cannot be followed from layer to layer"
        )


@pytest.mark.parametrize("dtype", ["float16", "mixed_bfloat16"])
def test_half_precision(dtype):
    model = keras.Sequential([keras.Input((8,)), layers.Dense(4, dtype=dtype, name="dense")])
    assert prune_channels(model, 0.5, toy_data()[0], cut_inputs=True).reached
    assert len(going(np.array(model.layers[0].get_weights()[0], "float32"))) == 4


@pytest.mark.all_backends
@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"model": lambda: 3}, "Expected a `keras.Model`"),
        ({"sparsity": 1.0}, "Received: sparsity=1.0"),
        ({"data": None}, "Received: data of type NoneType"),
        ({"method": "obs"}, "Received: method='obs'"),
        ({"repair": "some"}, "Received: repair='some'"),
        ({"samples": 0}, "Received: samples=0"),
        ({"samples": 2.0}, "Received: samples=2.0"),
        ({"damping": -1.0}, "Received: damping=-1.0"),
        ({"cut_inputs": "yes"}, "Received: cut_inputs='yes'"),
        ({"seed": -1}, "Received: seed=-1"),
        ({"filters": "one"}, "no weight that can be pruned.*it is an input of the model"),
        ({"filters": "nowhere"}, "no weight that can be pruned.*left out by `filters`"),
        ({"data": np.full((9, 8, 8, 3), np.inf, "float32")}, "gets inputs that are not finite"),
        ({"model": lambda: convnet(40), "method": "brute"}, 'take "greedy".*20 of 40 units'),
    ],
)
def test_wrong_arguments_get_a_sentence_and_change_nothing(arguments, sentence):
    arguments = {"model": convnet, "sparsity": 0.5, "data": images(), **arguments}
    model = arguments["model"]()
    before = model.get_weights() if isinstance(model, keras.Model) else []
    with pytest.raises(ValueError, match=sentence):
        prune_channels(**{**arguments, "model": model})
    for old, new in zip(before, model.get_weights() if before else [], strict=True):
        np.testing.assert_array_equal(old, new)
