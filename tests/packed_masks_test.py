import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from keras_prune.packed_masks import PackedMasks


@given(st.lists(st.integers(1, 7), min_size=1, max_size=4), st.integers(0, 2**16))
def test_masks_come_back_as_they_were_written(shape, seed):
    generator = np.random.default_rng(seed)
    masks = PackedMasks([(3,), shape])
    keep = generator.random(shape) < generator.random()
    masks[1] = keep.T.copy().T  # in another memory layout
    np.testing.assert_array_equal(masks[1], keep)
    assert masks[1].dtype == bool
    assert masks.kept == [3, keep.sum()]


def test_masks_begin_all_true_and_reading_gives_copies():
    masks = PackedMasks([(2, 5), (4,)])
    masks[0][:] = False
    assert [mask.all() for mask in masks] == [True, True]
    assert [mask.shape for mask in masks] == [(2, 5), (4,)]
    masks[0] = np.zeros((2, 5), bool)
    assert masks.kept == [0, 4]
    masks[0] = np.ones((2, 5), bool)
    assert masks[0].all()


def test_a_mask_takes_an_eighth_of_a_byte():
    masks = PackedMasks([(1000, 800)])
    masks[0] = np.arange(800_000).reshape(1000, 800) % 3 == 0
    assert masks._bits[0].nbytes == 100_000
