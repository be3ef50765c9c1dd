import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_prune.allocation import Global
from keras_prune.allocation.survivors import survivors
from keras_prune.granularity import Block, Unstructured
from tests.ranking_test import reference_keep, scores_with_ties


def reference_survivors(layers, sparsity):
    """How many scores of each layer a sort of all of them keeps."""
    scores = [float(score) for layer in layers for score in layer]
    keep = reference_keep(scores, [1] * len(scores), sparsity * len(scores))
    ends = np.cumsum([len(layer) for layer in layers])[:-1]
    return [int(part.sum()) for part in np.split(np.array(keep), ends)]


@settings(deadline=None)
@given(st.data(), st.lists(st.integers(1, 30), min_size=1, max_size=5), st.floats(0.0, 0.999))
def test_as_a_sort_of_all_layers_says(data, sizes, sparsity):
    layers = [data.draw(scores_with_ties(size)) for size in sizes]
    kept, found = survivors(lambda: iter(layers), sparsity)
    assert kept.tolist() == reference_survivors(layers, sparsity)
    assert found.tolist() == sizes


def test_scores_that_only_float64_tells_apart():
    layers = [1.0 + np.array([3e-12, 1e-12]), 1.0 + np.array([2e-12, 4e-12], np.float64)]
    assert survivors(lambda: iter(layers), 0.5)[0].tolist() == [1, 1]
    assert survivors(lambda: iter(layers), 0.25)[0].tolist() == [1, 2]
    huge = [np.array([1e300, 2e300]), np.array([1e30, 3e300])]
    assert survivors(lambda: iter(huge), 0.5)[0].tolist() == [1, 1]


def test_infinite_scores_count_as_others_do():
    layers = [np.array([np.inf, 1.0]), np.array([np.inf, -np.inf], np.float32)]
    assert survivors(lambda: iter(layers), 0.25)[0].tolist() == [2, 1]
    assert survivors(lambda: iter(layers), 0.74)[0].tolist() == [1, 0]


@pytest.mark.parametrize("share", [0.1, 0.9, 1.0])
def test_scores_that_are_no_numbers_break_nothing(share):
    scores = np.random.default_rng(0).random(100)
    scores[: int(share * 100)] = np.nan
    kept, sizes = survivors(lambda: iter([scores, scores]), 0.5)
    assert (kept >= 0).all() and (kept <= sizes).all()


def test_one_layer_is_in_memory_at_a_time():
    made = []

    def make():
        assert all(reference() is None for reference in made), "another layer is still held"
        layer = np.random.default_rng(len(made) % 4).random(1000)
        made.append(weakref.ref(layer))
        return layer

    kept, _ = survivors(lambda: (make() for _ in range(4)), 0.5)
    assert kept.sum() == 2000 and len(made) == 8


def global_reference(layers, granularity, sparsity, min_kept):
    """`Global` by sorting the units of all layers at once."""
    pooled = [tuple(map(np.ravel, granularity.pool(*layer))) for layer in layers]
    lifted, safe = [], []
    for scores, sizes in pooled:
        order = np.lexsort([np.arange(scores.size), -scores])
        before = np.cumsum(sizes[order]) - sizes[order]
        best = order[before < min_kept * sizes.sum()] if min_kept else order[:1]
        best = best[scores[best] > -np.inf] if min_kept else best
        scores = np.array(scores)
        scores[best] = np.inf
        lifted.append(scores)
        safe.append(sizes[best].sum())
    sizes = np.concatenate([sizes for _, sizes in pooled])
    keep = reference_keep(np.concatenate(lifted), sizes, sparsity * sizes.sum())
    ends = np.cumsum([scores.size for scores in lifted])[:-1]
    parts = np.split(np.where(keep, sizes, 0), ends)
    kept = np.maximum([part.sum() for part in parts], safe)
    return 1.0 - kept / [sizes.sum() for _, sizes in pooled]


@settings(deadline=None)
@given(
    st.data(),
    st.lists(st.tuples(*[st.integers(1, 9)] * 3), min_size=1, max_size=4),
    st.floats(0.0, 0.99),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.sampled_from([Unstructured(), Block(1, 4), Block(2, 3)]),
)
def test_global_is_what_a_sort_of_all_units_says(data, shapes, sparsity, min_kept, granularity):
    sparsity *= 1.0 - min_kept
    layers = []
    for shape in shapes:
        scores = data.draw(scores_with_ties(shape))
        dead = scores == -np.inf
        layers.append((np.where(dead, 0.0, scores).astype(scores.dtype), ~dead))
    amounts = Global(min_kept=min_kept).amounts(layers, granularity, sparsity)
    expected = global_reference(layers, granularity, sparsity, min_kept)
    np.testing.assert_array_equal(amounts, expected)
