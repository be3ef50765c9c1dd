import itertools
import sys

import numpy as np
import pytest

from keras_prune.reconstruction.contributions import of_all_outputs
from keras_prune.reconstruction.lasso import lasso, select_by_lasso


def stays(*indices, of=6):
    return np.isin(np.arange(of), indices)


def selected(gram, cross, count, required=()):
    return select_by_lasso(np.array(gram), np.array(cross), count, stays(*required, of=len(gram)))


@pytest.mark.parametrize("planted", [(1,), (0, 4), (1, 2, 5), (0, 1, 2, 3, 5)])
@pytest.mark.parametrize("centered", [False, True])
def test_planted_channels_are_found(planted, centered):
    random = np.random.default_rng(0)
    inputs, kernel = random.normal(size=(400, 24)), random.normal(size=(24, 5))
    members = np.tile(np.eye(6), (4, 1))  # windows of 4 places
    mine = np.isin(np.arange(24) % 6, planted)
    target = inputs[:, mine] @ kernel[mine] + 3.0 * centered
    parts = of_all_outputs(inputs, kernel, target, members, centered)
    keep = selected(parts.gram, parts.cross, len(planted))
    np.testing.assert_array_equal(keep, stays(*planted))


def test_orthogonal_contributions_stay_by_what_they_add_to_the_target():
    squares = np.array([9.0, 1.0, 4.0, 25.0])
    for count, kept in ((0, ()), (1, (3,)), (2, (0, 3)), (3, (0, 2, 3)), (4, (0, 1, 2, 3))):
        keep = selected(np.diag(squares), squares, count)
        np.testing.assert_array_equal(keep, stays(*kept, of=4))


def test_fewer_stay_the_higher_the_penalty():
    """Among orthogonal contributions those that stay at one count stay at all higher ones."""
    random = np.random.default_rng(1)
    squares = random.uniform(0.1, 2.0, 8)
    cross = squares * random.uniform(0.5, 1.5, 8)
    kept = [selected(np.diag(squares), cross, count) for count in range(9)]
    assert [keep.sum() for keep in kept] == list(range(9))
    assert all((fewer <= more).all() for fewer, more in itertools.pairwise(kept))


def test_of_two_that_are_alike_one_is_enough():
    contributions = np.random.default_rng(0).normal(size=(50, 4))
    contributions[:, 3] = contributions[:, 0]
    gram = contributions.T @ contributions
    keep = selected(gram, gram.sum(axis=1), 3)
    assert keep[1] and keep[2] and keep[0] != keep[3]


def test_the_count_is_reached_even_where_no_penalty_leaves_it():
    ones = np.ones((4, 4))  # four channels that are one and the same
    for count in range(5):
        assert selected(ones, ones.sum(axis=1), count).sum() == count
    nothing = np.zeros((3, 3))
    assert selected(nothing, np.zeros(3), 2).sum() == 2


def test_channels_that_must_stay_do():
    squares = np.array([9.0, 1.0, 4.0, 25.0])
    keep = selected(np.diag(squares), squares, 2, required=(1,))
    np.testing.assert_array_equal(keep, stays(1, 3, of=4))


def test_without_scikit_learn_there_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(ImportError, match=r'pip install "keras-prune\[search\]"'):
        lasso()
