import numpy as np
import pytest

from keras_prune.export.flatbuffer import schema
from keras_prune.export.layouts import candidates
from keras_prune.export.sparse_encoding import CSR, DENSE, SparseLayout, encode
from keras_prune.export.sparse_parameters import decode_sparse, from_schema, to_schema

ARRAY = np.arange(32).reshape(4, 8) * (np.arange(32).reshape(4, 8) % 3 == 0)
BLOCKS = SparseLayout((0, 1, 2), (DENSE, CSR, DENSE), (1,), (4,))


def parameters(layout=BLOCKS):
    values, levels = encode(ARRAY, layout)
    return values, to_schema(layout, levels, schema())


@pytest.mark.parametrize("layout", candidates(ARRAY.shape), ids=str)
def test_there_and_back(layout):
    values, sparsity = parameters(layout)
    assert from_schema(sparsity, ARRAY.shape)[0] == layout
    np.testing.assert_array_equal(decode_sparse(values, ARRAY.shape, sparsity), ARRAY)


def test_vectors_are_narrow():
    _, sparsity = parameters()
    level = sparsity.dimMetadata[1]
    assert level.arraySegmentsType == schema().SparseIndexVector.Uint8Vector
    assert level.arrayIndices.values.dtype == np.uint8


def change(name, value):
    def apply(sparsity):
        setattr(sparsity, name, value)

    return apply


def change_level(number, name, value):
    def apply(sparsity):
        setattr(sparsity.dimMetadata[number], name, value)

    return apply


@pytest.mark.parametrize(
    "damage, sentence",
    [
        (change("traversalOrder", np.array([0, 0, 2])), "traversal order"),
        (change("traversalOrder", None), "traversal order"),
        (change("traversalOrder", np.array([2, 1, 0])), "innermost"),
        (change("blockMap", np.array([5])), "do not divide"),
        (change("blockMap", None), "traversal order"),
        (change("dimMetadata", None), "traversal order"),
        (change_level(2, "denseSize", 0), "do not divide"),
        (change_level(2, "denseSize", 3), "do not divide"),
        (change_level(0, "format", 7), "unknown format"),
        (change_level(2, "format", 1), "unknown format"),
        (change_level(1, "arrayIndices", None), "no indices"),
        (change_level(0, "denseSize", 5), "dense level"),
    ],
)
def test_damage_is_refused(damage, sentence):
    values, sparsity = parameters()
    damage(sparsity)
    with pytest.raises(ValueError, match=sentence):
        decode_sparse(values, ARRAY.shape, sparsity)


def test_a_falling_block_map_is_refused():
    layout = SparseLayout((0, 1, 2, 3), (CSR, CSR, DENSE, DENSE), (0, 1), (2, 2))
    values, sparsity = parameters(layout)
    sparsity.blockMap = np.array([1, 0], np.int32)
    with pytest.raises(ValueError, match="does not rise"):
        decode_sparse(values, ARRAY.shape, sparsity)
