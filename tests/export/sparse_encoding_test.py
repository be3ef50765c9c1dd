import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_prune.export.layouts import candidates
from keras_prune.export.sparse_encoding import (
    CSR,
    DENSE,
    Level,
    SparseLayout,
    decode,
    encode,
    index_dtype,
    nbytes,
)


def visit(values, shape, layout, levels):
    """The runtimes' own way: walk the levels recursively, one coordinate a level."""
    dense = np.zeros(shape, values.dtype)
    rank, taken = len(shape), iter(values)

    def descend(depth, node, path):
        if depth == len(levels):
            place = [0] * rank
            for axis, index in zip(layout.traversal_order, path, strict=True):
                if axis < rank:
                    place[axis] += index
                else:
                    block = axis - rank
                    target = layout.block_map[block]
                    place[target] = place[target] * layout.block_sizes[block] + index
            dense[tuple(place)] = next(taken)
            return
        level = levels[depth]
        if level.format == DENSE:
            for index in range(level.size):
                descend(depth + 1, node * level.size + index, [*path, index])
        else:
            for position in range(level.segments[node], level.segments[node + 1]):
                descend(depth + 1, position, [*path, int(level.indices[position])])

    descend(0, 0, [])
    return dense


def test_rows_as_in_the_textbook():
    matrix = np.array([[5, 0, 0, 7], [0, 0, 0, 0], [0, 9, 0, 0]])
    values, levels = encode(matrix, SparseLayout((0, 1), (DENSE, CSR)))
    assert values.tolist() == [5, 7, 9]
    assert levels[0] == Level(DENSE, 3)
    assert levels[1].segments.tolist() == [0, 2, 2, 3]
    assert levels[1].indices.tolist() == [0, 3, 1]
    assert nbytes(values.astype(np.int8), levels) == 3 + 4 + 3


def test_blocks_keep_their_zeros():
    matrix = np.array([[0, 0, 1, 0], [2, 3, 0, 0]])
    layout = SparseLayout((0, 1, 2), (DENSE, CSR, DENSE), (1,), (2,))
    values, levels = encode(matrix, layout)
    assert values.tolist() == [1, 0, 2, 3]
    assert levels[1].segments.tolist() == [0, 1, 2]
    assert levels[1].indices.tolist() == [1, 0]
    assert levels[2] == Level(DENSE, 2)
    assert str(layout) == "DSD order 0,1,2 blocks 2"


SHAPES = [(1, 1), (3, 5), (8, 4), (16, 32), (1, 3, 3, 4), (4, 3, 3, 8), (8, 1, 1, 16)]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_layout_round_trips(data):
    shape = data.draw(st.sampled_from(SHAPES))
    layout = data.draw(st.sampled_from(candidates(shape)))
    density = data.draw(st.sampled_from([0, 0.05, 0.3, 1]))
    generator = np.random.default_rng(data.draw(st.integers(0, 9)))
    array = generator.integers(-127, 128, shape).astype(np.int8)
    array *= generator.random(shape) < density
    values, levels = encode(array, layout)
    np.testing.assert_array_equal(visit(values, shape, layout, levels), array)
    np.testing.assert_array_equal(decode(values, shape, layout, levels), array)


@pytest.mark.parametrize(
    "top, name",
    [(255, "uint8"), (256, "uint16"), (65535, "uint16"), (65536, "int32")],
)
def test_index_width_is_the_narrowest_that_holds_all(top, name):
    assert index_dtype(np.array([0, top])).name == name


def test_segments_and_indices_have_their_own_width():
    matrix = np.ones((2, 200), np.int8)
    _, levels = encode(matrix, SparseLayout((0, 1), (DENSE, CSR)))
    assert levels[1].segments.tolist() == [0, 200, 400]
    assert index_dtype(levels[1].segments) == np.uint16
    assert index_dtype(levels[1].indices) == np.uint8
    assert levels[1].nbytes() == 3 * 2 + 400


def test_negative_zero_is_a_zero_and_nan_is_not():
    matrix = np.array([[-0.0, np.nan]], np.float32)
    values, _ = encode(matrix, SparseLayout((0, 1), (DENSE, CSR)))
    assert np.isnan(values).tolist() == [True]


def test_a_block_that_does_not_divide_is_refused():
    layout = SparseLayout((0, 1, 2), (DENSE, CSR, DENSE), (1,), (4,))
    with pytest.raises(ValueError, match="Received: block=4, size=6"):
        encode(np.zeros((2, 6)), layout)


ROWS = SparseLayout((0, 1), (DENSE, CSR))


@pytest.mark.parametrize(
    "segments, indices, values, sentence",
    [
        ([0, 1], [0], 1, "segments"),
        ([0, 1, 3], [0, 1], 2, "segments"),
        ([0, 2, 1], [0], 1, "do not rise"),
        ([0, 1, 2], [0, 4], 2, "out of range"),
        ([0, 1, 2], [-1, 0], 2, "out of range"),
        ([0, 2, 2], [1, 1], 2, "do not rise"),
        ([0, 1, 2], [0, 1], 3, "describes 2 values, it has 3"),
    ],
)
def test_levels_that_do_not_fit_are_refused(segments, indices, values, sentence):
    levels = [Level(DENSE, 2), Level(CSR, 0, np.array(segments), np.array(indices))]
    with pytest.raises(ValueError, match=sentence):
        decode(np.ones(values), (2, 4), ROWS, levels)


def test_dense_levels_cannot_ask_for_more_memory_than_there_is_data():
    layout = SparseLayout((0, 1), (DENSE, DENSE))
    levels = [Level(DENSE, 1 << 20), Level(DENSE, 1 << 20)]
    with pytest.raises(ValueError, match="does not fit"):
        decode(np.ones(3), (1 << 20, 1 << 20), layout, levels)
