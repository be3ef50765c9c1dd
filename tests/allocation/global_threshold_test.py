import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_prune.allocation import ALLOCATIONS, Global, Uniform
from keras_prune.granularity import Block, Unstructured
from keras_prune.one_shot import prune
from tests.small_models import mlp


def views(*layers):
    arrays = [np.array(layer, "float32").reshape(1, 1, -1) for layer in layers]
    return [(array, np.ones(array.shape, bool)) for array in arrays]


def pruned(granularity, layers, sparsity, allocation=None):
    amounts = (allocation or Global()).amounts(layers, granularity, sparsity)
    return [
        int(np.count_nonzero(~granularity.select(*layer, amount)))
        for layer, amount in zip(layers, amounts, strict=True)
    ]


def test_uniform_gives_every_layer_the_same():
    assert Uniform().amounts(views([1, 2], [3]), Unstructured(), 0.5) == [0.5, 0.5]


def test_global_prunes_the_weakest_of_all():
    layers = views([1, 2, 9, 10], [3, 4, 11, 12, 13, 14])
    assert pruned(Unstructured(), layers, 0.4) == [2, 2]
    assert pruned(Unstructured(), layers, 0.2) == [2, 0]


def test_global_leaves_no_layer_empty():
    layers = views([1, 2, 3], [10, 11, 12, 13, 14, 15, 16])
    assert pruned(Unstructured(), layers, 0.5) == [2, 3]


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=5),
    st.floats(0.0, 0.99),
    st.integers(0, 2**16),
)
def test_global_total_is_exact(sizes, sparsity, seed):
    generator = np.random.default_rng(seed)
    layers = views(*(generator.integers(0, 9, size) for size in sizes))
    total = min(int(sparsity * sum(sizes) + 0.5), sum(sizes) - 1)
    counts = pruned(Unstructured(), layers, sparsity)
    # One weight of every layer is protected.
    assert sum(counts) == min(total, sum(sizes) - len(sizes))
    assert all(count < size for count, size in zip(counts, sizes, strict=True))


def test_global_counts_ragged_blocks_in_weights():
    layers = views([1, 1, 1, 1, 9], [2, 2, 2, 2, 8, 8, 8, 8])
    assert pruned(Block(1, 4), layers, 4 / 13) == [4, 0]
    assert pruned(Block(1, 4), layers, 8 / 13) == [4, 4]


@pytest.mark.parametrize(
    "normalize, scale",
    [("none", 1.0), ("layer_l2", 5.0), ("layer_sum", 7.0), ("layer_mean", 3.5), ("layer_max", 4.0)],
)
def test_normalization_divides_by_what_is_left(normalize, scale):
    scores, alive = np.array([3.0, 4.0, 100.0]), np.array([True, True, False])
    result = Global(normalize)._normalized(scores, alive)[:2]
    assert result.tolist() == pytest.approx([3.0 / scale, 4.0 / scale])


def test_normalization_changes_who_goes():
    layers = views([1, 2, 3, 4], [6, 7, 8, 9, 30])
    assert pruned(Unstructured(), layers, 4 / 9) == [3, 1]
    # 0.1 | 0.2 0.3 0.4 and 0.1 0.117 0.133 | 0.15 0.5
    assert pruned(Unstructured(), layers, 4 / 9, Global("layer_sum")) == [1, 3]


@pytest.mark.parametrize("normalize", ["layer_l2", "layer_sum", "layer_mean", "layer_max"])
def test_normalized_scores_do_not_depend_on_the_scale_of_a_layer(normalize):
    generator = np.random.default_rng(0)
    one, other = generator.random(40), generator.random(60)
    counts = [
        pruned(Unstructured(), views(one * scale, other), 0.6, Global(normalize))
        for scale in (0.01, 1.0, 100.0)
    ]
    assert counts[0] == counts[1] == counts[2]
    assert pruned(Unstructured(), views(one * 100.0, other), 0.6)[0] == 1


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=5),
    st.floats(0.0, 0.9),
    st.floats(0.0, 1.0),
    st.integers(0, 2**16),
)
def test_every_layer_keeps_its_minimum(sizes, min_kept, share, seed):
    generator = np.random.default_rng(seed)
    layers = views(*(generator.integers(0, 9, size) for size in sizes))
    sparsity = share * (1.0 - min_kept)
    counts = pruned(Unstructured(), layers, sparsity, Global(min_kept=min_kept))
    kept = np.array(sizes) - counts
    assert np.all(kept >= np.maximum(1, min_kept * np.array(sizes) - 1e-6))
    # Whole weights are protected: at most one a layer is missing in the total.
    assert int(sparsity * sum(sizes) + 0.5) - sum(counts) <= len(sizes)


def test_minimum_of_blocks():
    layers = views([1] * 8, [9] * 8)
    assert pruned(Block(1, 4), layers, 0.5, Global(min_kept=0.3)) == [4, 4]
    assert pruned(Block(1, 4), layers, 0.5, Global(min_kept=0.5)) == [4, 4]


def test_impossible_minimum_is_refused():
    with pytest.raises(ValueError, match=r"Received: sparsity=0\.8, min_kept=0\.3"):
        prune(mlp(), 0.8, allocation=Global(min_kept=0.3))
    with pytest.raises(ValueError, match="Received: normalize='batch'"):
        Global("batch")


def test_names_configurations_and_errors():
    assert ALLOCATIONS.get("uniform") == Uniform()
    assert ALLOCATIONS.get(keras.saving.serialize_keras_object(Global())) == Global()
    with pytest.raises(ValueError, match=r"\['erk', 'global',.*Received: allocation='equal'"):
        ALLOCATIONS.get("equal")
