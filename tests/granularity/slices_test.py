import itertools
import math

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_prune import granularity
from keras_prune.callbacks import PruneCallback
from keras_prune.criteria import Magnitude
from keras_prune.granularity import Channel, Column, Filter, Kernel, Layer, Row, Shape, Vector
from keras_prune.one_shot import prune
from keras_prune.weights import find_weights
from tests.small_models import ZeroProbe, mlp, toy_data, zeros_of

layers = keras.layers
SLICES = [
    Filter(),
    Channel(),
    Kernel(norm=2),
    Vector(),
    Vector("column", norm=3),
    Shape(norm=0.5),
]


def model_of(layer, shape):
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input(shape), layer])


@st.composite
def full_views(draw):
    """Scores (groups, outputs, rows, columns, inputs), with ties now and then."""
    shape = draw(st.tuples(*(st.integers(1, 4) for _ in range(5))))
    generator = np.random.default_rng(draw(st.integers(0, 2**16)))
    if draw(st.booleans()):
        return generator.random(shape, np.float32)
    return generator.integers(0, 4, shape).astype("float32")


def test_norms_of_the_lecture():
    (weight,) = find_weights(model_of(layers.Dense(2), (2,)))
    weight.variable.assign([[3.0, 0.0], [-4.0, 0.0]])
    scores = weight.to_view(Magnitude().score(weight), full=True)
    assert Column(norm=1).norms(scores).ravel().tolist() == [7.0, 0.0]
    assert Column(norm=2).norms(scores).ravel().tolist() == [5.0, 0.0]
    cubes = Column(norm=3).norms(scores).ravel()
    assert cubes.tolist() == pytest.approx([(27 + 64) ** (1 / 3), 0.0])


def test_norm_decides_which_filter_goes():
    # L1: 4 < 5, L2: 4 > sqrt(13). The slice with one large weight wins under L2 only.
    scores = np.array([[4.0, 0.0], [3.0, 2.0]]).reshape(1, 2, 2)
    alive = np.ones(scores.shape, bool)
    kept = {p: Filter(norm=p).select(scores, alive, 0.5)[0, :, 0].tolist() for p in (1, 2)}
    assert kept == {1: [False, True], 2: [True, False]}


def test_long_slices_have_no_advantage_between_layers():
    for norm in (1, 2, 3):
        pooled = [
            Filter(norm).pool(np.full((1, 1, size), 0.5), np.ones((1, 1, size), bool))[0].item()
            for size in (1, 9)
        ]
        assert pooled == pytest.approx([0.5, 0.5])


# What a slice is, on Keras's own kernel: all zeros of a kernel have one index in common.
CUTS = {
    "filter": lambda k: k.transpose(3, 0, 1, 2).reshape(k.shape[3], -1),
    "channel": lambda k: k.transpose(2, 0, 1, 3).reshape(k.shape[2], -1),
    "kernel": lambda k: k.transpose(2, 3, 0, 1).reshape(k.shape[2] * k.shape[3], -1),
    "vector": lambda k: k.transpose(0, 2, 3, 1).reshape(-1, k.shape[1]),
    "shape": lambda k: k.reshape(-1, k.shape[3]),
}


@pytest.mark.all_backends
@pytest.mark.parametrize("name", CUTS)
def test_slices_of_a_convolution(name):
    layer = layers.Conv2D(6, (3, 5), use_bias=False)
    model = model_of(layer, (8, 8, 4))
    before = model.get_weights()[0]
    report = prune(model, 0.5, granularity=name)
    rows = CUTS[name](model.get_weights()[0])
    assert np.all((rows != 0.0).all(axis=1) | (rows == 0.0).all(axis=1))
    gone = (rows == 0.0).all(axis=1)
    assert gone.sum() == int(0.5 * len(rows) + 0.5)
    norms = np.abs(CUTS[name](before)).sum(axis=1)
    assert norms[~gone].min() >= norms[gone].max()
    assert report.reached


@pytest.mark.all_backends
@pytest.mark.parametrize("name, gone", [("column", [8, 0]), ("row", [4, 8])])
def test_slices_stay_zero_in_training(name, gone):
    model, (x, y) = mlp(), toy_data()
    probe, callback = ZeroProbe(), PruneCallback(0.5, granularity=name)
    model.fit(x, y, epochs=3, batch_size=16, verbose=0, callbacks=[callback, probe])
    axis = 0 if name == "column" else 1
    assert [int(zero.all(axis=axis).sum()) for zero in zeros_of(model)] == gone
    assert [int(zero.sum()) for zero in zeros_of(model)] == (
        [64, 0] if name == "column" else [64, 24]
    )
    assert callback.report.reached


def test_columns_of_a_window():
    model = model_of(layers.Conv2D(2, (3, 2), use_bias=False), (6, 6, 2))
    prune(model, 0.5, granularity=Vector("column"))
    gone = model.get_weights()[0] == 0.0
    assert np.array_equal(gone.any(axis=0), gone.all(axis=0))
    assert gone.all(axis=0).sum() == 4


@pytest.mark.parametrize("name, axis", [("row", 1), ("shape", 1), ("column", 0), ("filter", 0)])
def test_slices_of_a_matrix(name, axis):
    model = model_of(layers.Dense(10, use_bias=False), (8,))
    prune(model, 0.5, granularity=name)
    gone = (model.get_weights()[0] == 0.0).all(axis=axis)
    assert gone.sum() == gone.size // 2
    assert (model.get_weights()[0] == 0.0).sum() == 40


def test_channels_of_a_grouped_convolution_belong_to_their_group():
    model = model_of(layers.Conv2D(6, 3, groups=2, use_bias=False), (8, 8, 8))
    prune(model, 0.5, granularity="channel")
    gone = model.get_weights()[0] == 0.0  # (3, 3, 4 inputs of a group, 6 outputs)
    by_group = gone.reshape(3, 3, 4, 2, 3).all(axis=(0, 1, 4))
    assert by_group.sum() == 4
    assert gone.sum() == 4 * 27


def test_channels_of_a_transposed_convolution():
    model = model_of(layers.Conv2DTranspose(3, 2, use_bias=False), (4, 4, 6))
    prune(model, 0.5, granularity="channel")
    gone = model.get_weights()[0] == 0.0  # (2, 2, outputs, inputs)
    assert gone.all(axis=(0, 1, 2)).sum() == 3 and gone.sum() == 3 * 12


@settings(max_examples=60, deadline=None)
@given(full_views(), st.floats(0.0, 0.99), st.sampled_from(SLICES))
def test_count_is_exact_and_the_layer_survives(scores, sparsity, shape):
    keep = shape.select(scores, np.ones(scores.shape, bool), sparsity)
    axes = shape.axes(scores.ndim)
    size = math.prod(scores.shape[axis] for axis in axes)
    units = scores.size // size
    assert np.array_equal(keep.all(axis=axes), keep.any(axis=axes))
    gone = min(int(sparsity * scores.size / size + 0.5), units - 1)
    assert np.count_nonzero(~keep.all(axis=axes)) == gone
    norms = shape.norms(scores)
    kept = keep.all(axis=axes, keepdims=True)
    if gone:
        assert norms[kept].min() >= norms[~kept].max() - 1e-9
        ties = np.flatnonzero(norms == norms[~kept].max())
        assert sorted(kept.ravel()[ties], reverse=True) == kept.ravel()[ties].tolist()


@settings(max_examples=40, deadline=None)
@given(full_views(), st.floats(0.0, 0.99), st.sampled_from(SLICES), st.randoms())
def test_permuted_channels_give_permuted_masks(scores, sparsity, shape, random):
    scores = np.random.default_rng(random.randrange(2**16)).random(scores.shape)  # no ties
    alive = np.ones(scores.shape, bool)
    keep = shape.select(scores, alive, sparsity)
    for axis in (0, 1, 4):
        order = random.sample(range(scores.shape[axis]), scores.shape[axis])
        permuted = shape.select(scores.take(order, axis), alive, sparsity)
        np.testing.assert_array_equal(permuted, keep.take(order, axis))


@settings(max_examples=40, deadline=None)
@given(full_views(), st.floats(0.0, 0.99), st.sampled_from(SLICES))
def test_pruning_again_changes_nothing(scores, sparsity, shape):
    once = shape.select(scores, np.ones(scores.shape, bool), sparsity)
    again = shape.select(np.random.default_rng(1).random(scores.shape), once, sparsity)
    np.testing.assert_array_equal(once, again)


def test_layers_compete_with_one_another():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), *(layers.Dense(4) for _ in range(5))])
    for index, layer in enumerate(model.layers):
        layer.kernel.assign(layer.kernel * [3.0, 1.0, 4.0, 2.0, 0.1][index])
    with pytest.warns(UserWarning, match="layer collapse"):
        report = prune(model, 0.5, granularity="layer", allocation="global")
    assert [weight.achieved for weight in report.weights] == [0.0, 1.0, 0.0, 1.0, 0.0]
    assert report.weights[-1].skip == "makes the model's outputs, which must all stay"
    with pytest.warns(UserWarning, match="layer collapse"):
        prune(model, 0.99, granularity=Layer(), allocation="global")
    assert [np.any(layer.kernel) for layer in model.layers] == [False, False, True, False, True]
    with pytest.raises(ValueError, match=r'use allocation="global"\. Received: allocation=Uniform'):
        prune(model, 0.5, granularity="layer")


@pytest.mark.parametrize(
    "name, layer, shape, reason",
    [
        ("vector", layers.Dense(3), (4,), "no window to take vectors from"),
        (Vector("column"), layers.Conv1D(3, 2), (4, 2), "a window with one axis has no columns"),
        ("kernel", layers.Dense(3), (4,), "no window: a kernel would be a single weight"),
        ("row", layers.Conv2D(3, 2), (4, 4, 2), "a convolution has channels, not rows"),
        ("column", layers.Conv2D(3, 2), (4, 4, 2), "a convolution has filters, not columns"),
        (
            "channel",
            layers.Conv2D(3, 2),
            (4, 4, 1),
            "the whole kernel is one channel, and one must survive",
        ),
        ("filter", layers.Dense(1), (4,), "the whole kernel is one filter, and one must survive"),
    ],
)
def test_kernels_without_such_slices_are_skipped(name, layer, shape, reason):
    model = keras.Sequential([keras.Input(shape), layer])
    with pytest.raises(ValueError, match="no weight that can be pruned") as error:
        prune(model, 0.5, granularity=name)
    assert reason in str(error.value)


NAMES = ["filter", "channel", "kernel", "vector", "shape", "row", "column", "layer"]


@pytest.mark.parametrize("name", NAMES)
def test_names_and_configurations(name):
    shape = granularity.get(name)
    config = keras.saving.serialize_keras_object(shape)
    assert granularity.get(config) == shape
    assert shape != type(shape)(norm=2)


def test_all_slices_have_other_axes():
    axes = [tuple(shape.axes(5)) for shape in SLICES]
    assert all(a != b for a, b in itertools.combinations(axes, 2))
    assert Row().axes(3) == Channel().axes(3) and Column().axes(3) == Filter().axes(3)


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: Filter(norm=0), "must be positive and finite. Received: norm=0"),
        (lambda: Filter(norm="l1"), "Received: norm=l1"),
        (lambda: Filter(norm=math.inf), "Received: norm=inf"),
        (lambda: Vector("diagonal"), "Received: along='diagonal'"),
    ],
)
def test_wrong_arguments_get_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
