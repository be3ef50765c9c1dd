import itertools

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_prune import granularity
from keras_prune.granularity import NM, Block, Unstructured, keep_units


def select(shape, scores, sparsity, alive=None):
    alive = np.ones(scores.shape, bool) if alive is None else alive
    return granularity.get(shape).select(scores, alive, sparsity)


@st.composite
def views(draw):
    """Scores (outputs, positions, inputs) with many ties."""
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 3), st.integers(1, 13)))
    seed = draw(st.integers(0, 2**16))
    return np.random.default_rng(seed).integers(0, 5, shape).astype("float32")


sparsities = st.floats(0.0, 0.99)


@given(views(), sparsities)
def test_unstructured_keeps_an_exact_number_of_the_best(scores, sparsity):
    keep = select("unstructured", scores, sparsity)
    pruned = min(int(sparsity * scores.size + 0.5), scores.size - 1)
    assert np.count_nonzero(~keep) == pruned
    if pruned:
        assert scores[keep].min() >= scores[~keep].max()


def test_ties_are_broken_by_index():
    keep = select("unstructured", np.ones((1, 1, 10), "float32"), 0.7)
    assert keep.ravel().tolist() == [True] * 3 + [False] * 7


def test_lecture_example_drops_the_smallest_weight():
    # y = relu(10 x0 - 8 x1 + 0.1 x2)
    scores = np.abs(np.array([10.0, -8.0, 0.1])).reshape(1, 1, 3)
    assert select("unstructured", scores, 1 / 3).ravel().tolist() == [True, True, False]


@given(views(), sparsities, st.integers(1, 4), st.integers(1, 5))
def test_blocks_live_or_die_as_a_whole(scores, sparsity, r, c):
    keep = select(Block(r, c), scores, sparsity)
    sizes = []
    for row, tap, column in itertools.product(
        range(0, scores.shape[0], r), range(scores.shape[1]), range(0, scores.shape[2], c)
    ):
        block = keep[row : row + r, tap, column : column + c]
        assert block.all() or not block.any()
        sizes.append(block.size)
    # The count is the nearest that whole blocks allow, but one block is always left.
    error = abs(np.count_nonzero(~keep) - sparsity * scores.size)
    assert error <= max(sizes) / 2 + 1e-6 or np.count_nonzero(keep) <= max(sizes)


def test_blocks_compete_by_their_mean():
    # Blocks of 1 x 2 with means 2, 2.5 and, at the ragged edge, 3.
    scores = np.array([1.0, 3.0, 0.0, 5.0, 3.0]).reshape(1, 1, 5)
    assert select("1x2", scores, 0.4).ravel().tolist() == [False] * 2 + [True] * 3


@given(views(), st.sampled_from([(1, 2), (2, 4), (1, 4), (3, 4), (4, 8)]), st.integers(1, 2))
def test_nm_keeps_the_n_best_of_every_m(scores, nm, block):
    n, m = nm
    shape = NM(n, m, block=block)
    if shape.skip(scores.shape):
        return
    keep = select(shape, scores, shape.sparsity)
    groups = -(-scores.shape[2] // block)
    for row in range(scores.shape[0]):
        for tap in range(scores.shape[1]):
            atoms = [keep[row, tap, g * block : (g + 1) * block] for g in range(groups)]
            assert all(atom.all() or not atom.any() for atom in atoms)
            alive = [bool(atom.all()) for atom in atoms]
            for start in range(0, groups - m + 1, m):
                assert sum(alive[start : start + m]) == n
            tail = groups % m
            if tail:
                assert sum(alive[-tail:]) == max(1, int(n * tail / m + 0.5))


@given(st.lists(st.floats(-1, 1, width=32), min_size=4, max_size=4))
def test_two_of_four_keeps_the_largest_sum_of_magnitudes(weights):
    scores = np.abs(np.array(weights, "float32")).reshape(1, 1, 4)
    keep = select("2:4", scores, 0.5)
    best = max(sum(pair) for pair in itertools.combinations(scores.ravel(), 2))
    assert scores[keep].sum() == pytest.approx(best)


def test_nm_on_its_way_keeps_the_same_number_in_every_window():
    scores = np.random.default_rng(0).random((2, 1, 16))
    keep = select("2:8", scores, 0.5)
    assert (keep.reshape(2, 2, 8).sum(axis=2) == 4).all()


def test_window_of_128():
    scores = np.random.default_rng(0).random((3, 1, 256))
    keep = select(NM(13, 128), scores, NM(13, 128).sparsity)
    assert (keep.reshape(3, 2, 128).sum(axis=2) == 13).all()


@settings(max_examples=50)
@given(views(), sparsities, st.sampled_from(["unstructured", "2x3", "1x4"]))
def test_what_is_pruned_stays_pruned(scores, sparsity, shape):
    alive = select(shape, scores, sparsity / 2)
    keep = select(shape, np.random.default_rng(1).random(scores.shape), sparsity, alive)
    assert not np.any(keep & ~alive)
    # The count does not depend on what was pruned before, up to a ragged block.
    difference = np.count_nonzero(keep) - np.count_nonzero(select(shape, scores, sparsity))
    assert abs(difference) <= {"unstructured": 0, "2x3": 6, "1x4": 4}[shape]


@settings(max_examples=50)
@given(views(), sparsities, st.sampled_from(["unstructured", "2x3", "1x4", "2:4"]))
def test_pruning_again_to_the_same_sparsity_changes_nothing(scores, sparsity, shape):
    # So that a resumed training finds the masks it left, whatever the scores are by then.
    if granularity.get(shape).skip(scores.shape):
        return
    once = select(shape, scores, sparsity)
    twice = select(shape, np.random.default_rng(1).random(scores.shape), sparsity, once)
    np.testing.assert_array_equal(once, twice)


def test_ragged_units_are_counted_in_weights():
    # Sizes 4, 4 and 1: pruning 5 of 9 weights is exact with the first and the last.
    keep = keep_units(np.array([0.0, 2.0, 1.0]), np.array([4, 4, 1]), 5)
    assert keep.tolist() == [False, True, False]


def test_ragged_units_that_are_pruned_to_half_a_unit_suffice():
    # Units of 4, 4 and 1 weights, 5 weights to prune: the 4 that are gone already may do,
    # though the last unit, now the weakest, would make it exact.
    keep = keep_units(np.array([-np.inf, 2.0, 1.0]), np.array([4, 4, 1]), 5)
    assert keep.tolist() == [False, True, True]


def test_names_and_objects():
    assert granularity.get("unstructured") == Unstructured()
    assert granularity.get("2x4") == Block(2, 4)
    assert granularity.get("2:4") == NM(2, 4)
    assert granularity.get(NM(2, 4)) == NM(2, 4) != NM(2, 4, block=2)
    assert [repr(shape) for shape in (Block(2, 4), NM(1, 4), NM(1, 4, block=2))] == [
        "Block(2, 4)",
        "NM(1, 4)",
        "NM(1, 4, block=2)",
    ]


@pytest.mark.parametrize("shape", [Unstructured(), Block(2, 4), NM(2, 4, block=2)])
def test_configuration_round_trips(shape):
    config = keras.saving.serialize_keras_object(shape)
    assert keras.saving.deserialize_keras_object(config) == shape
    assert granularity.get(config) == shape


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: Block(0, 4), "`r` must be an int >= 1. Received: r=0"),
        (lambda: Block(1, 2.5), "Received: c=2.5"),
        (lambda: NM(4, 4), "n < m <= 128 must hold. Received: n=4, m=4"),
        (lambda: NM(2, 256), "Received: n=2, m=256"),
    ],
)
def test_impossible_shapes_are_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_kernel_with_less_than_one_window_is_skipped():
    assert NM(2, 4).skip((8, 1, 4)) is None
    assert NM(2, 4).skip((8, 9, 3)) == "3 inputs are fewer than one window of NM(2, 4)"
