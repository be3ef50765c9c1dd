import keras
import numpy as np
import pytest

from keras_prune.analysis.producers import find_producers
from keras_prune.callbacks import PruneCallback
from keras_prune.criteria import GreedyMagnitude, Magnitude
from keras_prune.granularity import Filter
from keras_prune.one_shot import prune
from keras_prune.schedules import ConstantSparsity
from keras_prune.weights import find_weights
from tests.small_models import kernels, mlp, toy_data

layers = keras.layers
pytestmark = pytest.mark.all_backends


def chain(middle=()):
    """Two filters, then two that differ in which of the first they read, then the logits."""
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Conv2D(2, 1, use_bias=False, name="first"),
            *middle,
            layers.Conv2D(2, 1, use_bias=False, name="second"),
            layers.Flatten(),
            layers.Dense(2, name="logits"),
        ]
    )
    model.get_layer("first").kernel.assign(np.reshape([0.1, 1.0], (1, 1, 1, 2)))
    # Filter 0 reads 5 of the filter that goes and 1 of the one that stays; filter 1 reads 0 and 2.
    kernel = np.array([[5.0, 0.0], [1.0, 2.0]])
    model.get_layer("second").kernel.assign(kernel.reshape(1, 1, 2, 2))
    return model


def kept(model, name):
    kernel = keras.ops.convert_to_numpy(model.get_layer(name).kernel)
    return np.flatnonzero(kernel.reshape(-1, kernel.shape[-1]).any(axis=0)).tolist()


MIDDLES = {
    "nothing": lambda: [],
    "block": lambda: [layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D(2)],
    "padding": lambda: [layers.ZeroPadding2D(1), layers.Dropout(0.5)],
}


@pytest.mark.parametrize("norm", [1, 2])
@pytest.mark.parametrize("middle", MIDDLES)
def test_greedy_and_independent_differ(middle, norm):
    """Independent norms 6 > 2, so filter 0 stays; without the input that went 1 < 2."""
    for criterion, stays in (("magnitude", 0), ("greedy_magnitude", 1)):
        model = chain(MIDDLES[middle]())
        report = prune(model, 0.5, criterion, Filter(norm))
        assert report.reached
        assert kept(model, "first") == [1]
        assert kept(model, "second") == [stays]


def test_what_has_gone_earlier_does_not_count_either():
    model = chain()
    prune(model, 0.5, granularity="filter", filters="first")
    prune(model, 0.5, "greedy_magnitude", "filter", filters="second")
    assert kept(model, "second") == [1]


@pytest.mark.parametrize("granularity", ["filter", Filter(2), "unstructured"])
def test_without_a_decision_before_it_is_the_magnitude(granularity):
    models = [mlp(), mlp()]
    for model, criterion in zip(models, (Magnitude(), GreedyMagnitude()), strict=True):
        prune(model, 0.5, criterion, granularity, filters="hidden")
    for one, other in zip(*map(kernels, models), strict=True):
        np.testing.assert_array_equal(one, other)


def test_inputs_of_flattened_maps_and_of_groups():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((5, 5, 2)),
            layers.Conv2D(6, 2, name="first"),
            layers.LeakyReLU(),
            layers.Conv2D(4, 2, groups=2, name="grouped"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(3, name="hidden"),
        ]
    )
    first, grouped, hidden = find_weights(model)
    producers = find_producers(model)
    assert id(first.variable) not in producers
    source, owners = producers[id(grouped.variable)]
    assert source.variable is first.variable and owners.tolist() == list(range(6))
    source, owners = producers[id(hidden.variable)]
    assert source.variable is grouped.variable and owners.tolist() == [0, 1, 2, 3]
    criterion = GreedyMagnitude()
    probe = criterion.probe(model, None)
    kernel = first.numpy()
    kernel[..., [1, 3]] = 0.0  # input 1 of the first group, input 0 of the second
    first.variable.assign(kernel)
    (_, scores, _) = criterion.scores([first, grouped, hidden], probe)
    expected = np.abs(grouped.numpy())
    expected[:, :, 1, :2] = 0.0
    expected[:, :, 0, 2:] = 0.0
    np.testing.assert_array_equal(scores, expected)


def test_positions_of_a_flattened_map_belong_to_its_channels():
    model = chain()
    model.get_layer("second").kernel.assign(np.zeros((1, 1, 2, 2)) + [[[[1.0, 0.0]]]])
    logits = find_weights(model)[2]
    criterion = GreedyMagnitude()
    (scores,) = criterion.scores([logits], criterion.probe(model, None))
    expected = np.abs(logits.numpy()).reshape(16, 2, 2)
    expected[:, 1] = 0.0
    np.testing.assert_array_equal(scores, expected.reshape(32, 2))


def test_sums_and_layers_of_zeros_count_in_full():
    inputs = keras.Input((3,))
    one, two = layers.Dense(4, name="one"), layers.Dense(4, name="two")
    y = layers.Dense(5, name="reader")(layers.Add()([one(inputs), two(inputs)]))
    model = keras.Model(inputs, layers.Dense(2, name="last")(y))
    reader, last = find_weights(model)[2:]
    assert id(reader.variable) not in find_producers(model)
    reader.variable.assign(np.zeros((4, 5)))  # fresh, not pruned
    criterion = GreedyMagnitude()
    (scores,) = criterion.scores([last], criterion.probe(model, None))
    np.testing.assert_array_equal(scores, np.abs(last.numpy()))


@pytest.mark.parametrize("regrowth", [None, "ste"])
def test_in_training(regrowth):
    model = mlp()
    callback = PruneCallback(
        0.5,
        "greedy_magnitude",
        allocation="global",
        schedule=ConstantSparsity(frequency=3),
        regrowth=regrowth,
    )
    model.fit(*toy_data(), epochs=3, batch_size=16, verbose=0, callbacks=[callback])
    assert callback.report.reached
