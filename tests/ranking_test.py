import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_prune.ranking import keep_best, keep_units


def sorted_order(scores):
    """Indices, those that go first at the front: lower scores, and of equal ones higher indices."""
    return sorted(range(len(scores)), key=lambda index: (scores[index], -index))


def reference_keep(scores, sizes, pruned_weights):
    """`keep_units` as a plain sort would have it."""
    order = sorted_order(scores)
    if len(set(sizes)) == 1:
        count = min(int(pruned_weights / sizes[0] + 0.5), len(scores) - 1)
    else:
        dead = [size for score, size in zip(scores, sizes, strict=True) if score == -np.inf]
        if abs(sum(dead) - pruned_weights) <= max(sizes) / 2:
            return [score > -np.inf for score in scores]
        totals = np.cumsum([0, *(sizes[index] for index in order)])[:-1]
        count = int(np.argmin(abs(totals - pruned_weights)))
    return [index not in order[:count] for index in range(len(scores))]


@st.composite
def scores_with_ties(draw, size):
    """Few values or many, of either sign, some of them zeros and minus infinities."""
    generator = np.random.default_rng(draw(st.integers(0, 2**16)))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    scores = generator.normal(size=size) * draw(st.sampled_from([1.0, 1e-30, 1e30]))
    if draw(st.booleans()):
        scores = generator.integers(-2, 3, size) * -1.0
    scores[generator.random(size) < draw(st.sampled_from([0.0, 0.5, 0.95]))] = -0.0
    scores[generator.random(size) < draw(st.sampled_from([0.0, 0.3, 0.9]))] = -np.inf
    return scores.astype(dtype)


@settings(deadline=None)
@given(st.data(), st.integers(1, 60), st.floats(0.0, 0.999))
def test_units_of_one_size_go_as_a_sort_says(data, size, sparsity):
    scores = data.draw(scores_with_ties(size))
    sizes = np.full(size, data.draw(st.integers(1, 4)))
    keep = keep_units(scores, sizes, sparsity * sizes.sum())
    assert keep.tolist() == reference_keep(scores, sizes, sparsity * sizes.sum())


@settings(deadline=None)
@given(st.data(), st.integers(1, 40), st.floats(0.0, 0.999))
def test_ragged_units_go_as_a_sort_says(data, size, sparsity):
    scores = data.draw(scores_with_ties(size))
    sizes = np.random.default_rng(size).integers(1, 5, size)
    keep = keep_units(scores, sizes, sparsity * sizes.sum())
    assert keep.tolist() == reference_keep(scores, sizes, sparsity * sizes.sum())


@settings(deadline=None)
@given(st.data(), st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 7)))
def test_the_index_counts_and_not_the_place_in_memory(data, shape):
    scores = data.draw(scores_with_ties(shape))
    transposed = scores.transpose(2, 1, 0).copy().transpose(2, 1, 0)
    pruned = data.draw(st.integers(0, scores.size - 1))
    keep = keep_best(transposed, pruned)
    flat = reference_keep(scores.ravel(), [1] * scores.size, pruned)
    assert keep.ravel().tolist() == flat
    assert keep_best(scores, pruned).ravel().tolist() == flat


@pytest.mark.parametrize("values", [[0.0, 0.9], [0.5, 0.5], [0.97, 0.0]])
def test_many_equal_scores_among_many(values):
    zeros, ones = values
    generator = np.random.default_rng(0)
    scores = generator.random(20_000).astype("float32")
    scores[generator.random(scores.size) < zeros] = 0.0
    scores[generator.random(scores.size) < ones] = 0.25
    order = np.lexsort([-np.arange(scores.size), scores])
    for pruned in (1, 3_000, 10_000, 19_000, 19_999):
        expected = np.ones(scores.size, bool)
        expected[order[:pruned]] = False
        np.testing.assert_array_equal(keep_best(scores, pruned), expected)
