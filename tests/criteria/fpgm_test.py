import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_prune.callbacks import PruneCallback
from keras_prune.criteria import FPGM
from keras_prune.criteria.fpgm import distance_sums
from keras_prune.granularity import Filter
from keras_prune.one_shot import prune
from keras_prune.schedules import ConstantSparsity
from keras_prune.weights import find_weights
from tests.quadratics import linear_model
from tests.small_models import kernels

layers = keras.layers

# Layers with ten filters or units, the axis of the outputs in their kernel, and an input.
KINDS = {
    "dense": (lambda: layers.Dense(10), -1, (3,)),
    "line": (lambda: layers.Conv1D(10, 3), -1, (5, 2)),
    "conv": (lambda: layers.Conv2D(10, 3), -1, (5, 5, 2)),
    "volume": (lambda: layers.Conv3D(10, 2), -1, (3, 3, 3, 2)),
    "grouped": (lambda: layers.Conv2D(10, 3, groups=2), -1, (5, 5, 4)),
    "transposed": (lambda: layers.Conv2DTranspose(10, 3), -2, (3, 3, 2)),
    "separable": (lambda: layers.SeparableConv2D(10, 3), -1, (4, 4, 2)),
}


def model_of(kind):
    keras.utils.set_random_seed(0)
    make, _, shape = KINDS[kind]
    return keras.Sequential([keras.Input(shape), make()])


def weight_of(model):
    return next(weight for weight in find_weights(model) if weight.skip is None)


def by_hand(kernel, axis):
    """Sums of distances, one pair of filters at a time."""
    filters = np.moveaxis(kernel, axis, 0).astype("float64")
    filters = filters.reshape(len(filters), -1)
    return np.array([sum(np.linalg.norm(one - other) for other in filters) for one in filters])


def filter_scores(criterion, weight, **alive):
    """One score a filter, from scores that are the same for all weights of a filter."""
    (scores,) = criterion.scores([weight], **alive)
    view = weight.to_view(scores).reshape(weight.view_shape[0], -1)
    assert (view == view[:, :1]).all()
    return view[:, 0]


@pytest.mark.all_backends
def test_points_on_a_line():
    """0, 1, 2, 3, 10: the sums are 16, 13, 12, 13, 34, so the point 2 goes first."""
    model = linear_model([[0.0, 1.0, 2.0, 3.0, 10.0]])
    (weight,) = find_weights(model)
    np.testing.assert_array_equal(filter_scores(FPGM(), weight), [16, 13, 12, 13, 34])
    model = linear_model([[1.0, 2.0, 3.0, 4.0, 11.0]])
    prune(model, 0.2, criterion="fpgm", granularity="filter")
    np.testing.assert_array_equal(kernels(model)[0], [[1.0, 2.0, 0.0, 4.0, 11.0]])


@pytest.mark.all_backends
@pytest.mark.parametrize("kind", KINDS)
def test_filters_of_every_layer_are_where_they_are_in_its_kernel(kind):
    model, axis = model_of(kind), KINDS[kind][1]
    weight = weight_of(model)
    expected = by_hand(weight.numpy(), axis)
    np.testing.assert_allclose(filter_scores(FPGM(), weight), expected, rtol=1e-5)
    prune(model, 0.3, criterion="fpgm", granularity=Filter(coupled=False))
    zero = ~np.moveaxis(weight.numpy(), axis, 0).reshape(10, -1).any(axis=1)
    assert sorted(np.flatnonzero(zero)) == sorted(np.argsort(expected)[:3])


@given(seed=st.integers(0, 2**16), shift=st.floats(-50, 50))
@settings(max_examples=25, deadline=None)
def test_one_filter_added_to_all_changes_nothing(seed, shift):
    points = np.random.default_rng(seed).normal(size=(7, 12))
    moved = points + shift * np.arange(12)
    np.testing.assert_allclose(distance_sums(moved), distance_sums(points), rtol=1e-9)
    order = np.argsort(np.linalg.norm(points, axis=1))
    assert (np.argsort(np.linalg.norm(points + 100.0 * points[0], axis=1)) != order).any()


def test_the_medoid_goes_and_not_the_point_nearest_to_the_geometric_median():
    """The two differ now and then; where they do, the sums of distances decide."""
    differ = 0
    for seed in range(300):
        points = np.random.default_rng(seed).normal(size=(6, 2))
        median = points.mean(axis=0)
        for _ in range(500):  # Weiszfeld's iteration
            weights = 1.0 / np.maximum(np.linalg.norm(points - median, axis=1), 1e-12)
            median = weights @ points / weights.sum()
        nearest = np.argmin(np.linalg.norm(points - median, axis=1))
        (weight,) = find_weights(_shared(points.T))
        medoid = np.argmin(by_hand(points.T, -1))
        assert np.argmin(filter_scores(FPGM(), weight)) == medoid
        differ += nearest != medoid
    assert 0 < differ < 60


_MODEL = []


def _shared(kernel):
    if not _MODEL:
        _MODEL.append(linear_model(kernel))
    _MODEL[0].set_weights([kernel.astype("float32")])
    return _MODEL[0]


def test_blocks_of_the_matrix_of_distances_do_not_matter(monkeypatch):
    points = np.random.default_rng(0).normal(size=(23, 9)).astype("float32") + 5.0
    points[4] = points[17]  # a double, whose distance is zero and not a rounding error
    whole = distance_sums(points)
    monkeypatch.setattr("keras_prune.criteria.fpgm._BLOCK", 4)
    np.testing.assert_allclose(distance_sums(points), whole, rtol=1e-12)
    np.testing.assert_allclose(whole, by_hand(points.T, -1), rtol=1e-6)
    assert distance_sums(points[[4, 17]]).tolist() == [0.0, 0.0]


def test_mixed_mode_removes_small_norms_first_and_counts_distances_among_the_rest():
    """Ten filters: three go by their norm, then one by its distance, as (0.7, 0.1) says."""
    kernel = np.random.default_rng(1).normal(size=(4, 10)).astype("float32")
    model = linear_model(kernel)
    norms = np.argsort(np.linalg.norm(kernel, axis=0))
    rest = np.sort(norms[3:])
    scores = filter_scores(FPGM(norm_rate=0.7), find_weights(model)[0])
    assert (scores[norms[:3]] < 0).all() and (scores[rest] > 0).all()
    assert list(np.argsort(scores)[:3]) == list(norms[:3])
    np.testing.assert_allclose(scores[rest], by_hand(kernel[:, rest], -1), rtol=1e-5)
    prune(model, 0.4, criterion=FPGM(norm_rate=0.7), granularity=Filter())
    gone = set(np.flatnonzero(~kernels(model)[0].any(axis=0)))
    assert gone == {*norms[:3], rest[np.argmin(by_hand(kernel[:, rest], -1))]}
    # A tenth of ten filters is one, although 10 * (1 - 0.9) is a little less in floats.
    assert (filter_scores(FPGM(0.9), find_weights(linear_model(kernel))[0]) < 0).sum() == 1


def test_filters_that_have_gone_are_no_points_any_more():
    (weight,) = find_weights(linear_model([[0.0, 1.0, 2.0, 3.0, 10.0]]))
    alive = [np.array([[False, True, True, True, True]])]
    found = filter_scores(FPGM(), weight, alive=alive)
    np.testing.assert_array_equal(found[1:], [12, 10, 10, 24])
    # The norm stage is to take one of five; the first has gone already.
    assert (filter_scores(FPGM(0.8), weight, alive=alive) >= 0).all()
    assert np.argmin(filter_scores(FPGM(0.6), weight, alive=alive)) == 1
    # Little by little the same filters go as by hand.
    model = linear_model(np.random.default_rng(2).normal(size=(3, 8)))
    kernel, left = kernels(model)[0].copy(), list(range(8))
    for gone in range(1, 4):
        prune(model, gone / 8, criterion="fpgm", granularity="filter")
        left.pop(np.argmin(by_hand(kernel[:, left], -1)))
        assert np.flatnonzero(kernels(model)[0].any(axis=0)).tolist() == left


@pytest.mark.all_backends
@pytest.mark.parametrize("norm", [1, 2])
def test_pooling_leaves_the_scores_as_they_are_between_layers_too(norm):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(5, 3, name="small"),
            layers.Conv2D(7, 3, name="large"),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )
    convolutions = find_weights(model)[:2]
    sums = [by_hand(weight.numpy(), -1) for weight in convolutions]
    granularity = Filter(norm)
    for weight, expected in zip(convolutions, sums, strict=True):
        (scores,) = FPGM().scores([weight])
        view = weight.to_view(scores, full=True)
        pooled, _ = granularity.pool(view, np.ones(view.shape, bool))
        np.testing.assert_allclose(pooled.ravel(), expected, rtol=1e-5)
    prune(model, 0.15, criterion="fpgm", granularity=granularity, allocation="global")
    limit = [
        [expected[alive] for alive in (~zero, zero)]
        for weight, expected in zip(convolutions, sums, strict=True)
        for zero in [~weight.numpy().reshape(-1, len(expected)).any(axis=0)]
    ]
    kept, gone = (np.concatenate(part) for part in zip(*limit, strict=True))
    assert gone.size and kept.min() >= gone.max()


@pytest.mark.all_backends
@pytest.mark.parametrize("regrowth", [None, "ste", "soft"])
def test_in_training(regrowth):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(10, 3, use_bias=False),
            layers.BatchNormalization(beta_initializer="ones"),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss)
    x = np.random.default_rng(0).normal(size=(32, 6, 6, 1)).astype("float32")
    y = (x.mean((1, 2, 3)) > 0).astype(int)
    callback = PruneCallback(
        0.4,
        criterion=FPGM(0.7),
        granularity="filter",
        regrowth=regrowth,
        schedule=ConstantSparsity(end_step=0.8, frequency=1 / 5),
    )
    model.fit(x, y, epochs=5, batch_size=8, verbose=0, callbacks=[callback])
    assert callback.report.reached
    kernel = kernels(model)[0]
    assert (~kernel.reshape(-1, 10).any(axis=0)).sum() == 4


@pytest.mark.parametrize("granularity", ["channel", "shape", "row"])
def test_shapes_that_choose_among_inputs_are_refused(granularity):
    with pytest.raises(ValueError, match=r"scores the outputs of a layer.*Received: granularity="):
        prune(model_of("dense"), 0.5, criterion="fpgm", granularity=granularity)


@pytest.mark.parametrize("rate", [0.0, 1.5, True, "half"])
def test_wrong_rates_get_a_sentence(rate):
    with pytest.raises(ValueError, match=r"must be in \(0, 1\]\. Received: norm_rate="):
        FPGM(norm_rate=rate)
