import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_prune.allocation import ALLOCATIONS, Global, Uniform
from keras_prune.granularity import Block, Unstructured


def views(*layers):
    arrays = [np.array(layer, "float32").reshape(1, 1, -1) for layer in layers]
    return [(array, np.ones(array.shape, bool)) for array in arrays]


def pruned(granularity, layers, sparsity):
    amounts = Global().amounts(layers, granularity, sparsity)
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


def test_names_configurations_and_errors():
    assert ALLOCATIONS.get("uniform") == Uniform()
    assert ALLOCATIONS.get(keras.saving.serialize_keras_object(Global())) == Global()
    with pytest.raises(ValueError, match=r"\['global', 'uniform'\].*Received: allocation='erk'"):
        ALLOCATIONS.get("erk")
