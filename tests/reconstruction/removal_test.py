import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_prune.reconstruction.removal import brute_removal, choose_removal


def cost(contributions, removed):
    return float(np.sum(contributions[:, list(removed)].sum(axis=1) ** 2))


@pytest.mark.parametrize("method", ["greedy", "brute", "auto"])
def test_orthogonal_contributions_go_by_size(method):
    removed, error = choose_removal(np.diag([3.0, 1.0, 2.0, 5.0]), 2, method=method)
    assert set(removed) == {1, 2}
    assert error == 5.0


def test_the_greedy_choice_is_not_the_best():
    contributions = [[1.0, 2.0, -2.0, 3.0]]
    removed, error = choose_removal(contributions, 2, method="greedy")
    assert (list(removed), error) == ([0, 2], 1.0)
    removed, error = choose_removal(contributions, 2, method="brute")
    assert (list(removed), error) == ([1, 2], 0.0)


def test_weights_that_cancel_out_go_before_small_ones():
    window = np.array([[-8.0, 3.0, 2.0], [1.0, -3.0, -2.0], [1.0, 1.0, 1.0]])
    contributions = (np.ones((3, 3)) * window).reshape(1, 9)  # on a map of ones
    assert contributions.sum() == -4.0
    smallest = np.argsort(np.abs(window).ravel(), kind="stable")[:4]
    assert np.delete(contributions, smallest).sum() == -8.0  # an error of 4
    removed, error = choose_removal(contributions, 4)
    np.testing.assert_array_equal(window.ravel()[removed], [3.0, 2.0, -3.0, -2.0])
    assert np.delete(contributions, removed).sum() == -4.0
    assert error == 0.0


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(0, 6))
def test_brute_force_is_the_best_and_greedy_for_one_unit(seed, units, count):
    contributions = np.random.default_rng(seed).normal(size=(5, units))
    count = min(count, units)
    best = min(cost(contributions, s) for s in itertools.combinations(range(units), count))
    for method in ("brute", "greedy"):
        removed, error = choose_removal(contributions, count, method=method)
        assert len(set(removed.tolist())) == count
        np.testing.assert_allclose(error, cost(contributions, removed), atol=1e-12)
        assert error >= best - 1e-9
        if method == "brute" or count <= 1:
            np.testing.assert_allclose(error, best, atol=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(0, 5))
def test_what_is_kept_and_what_is_removed_say_the_same(seed, count):
    """||y - sum over S||^2 = ||sum over T||^2 where y is the sum of all."""
    contributions = np.random.default_rng(seed).normal(size=(7, 5))
    removed, error = choose_removal(contributions, count, method="greedy")
    kept = np.delete(contributions, removed, axis=1).sum(axis=1)
    np.testing.assert_allclose(np.sum((contributions.sum(axis=1) - kept) ** 2), error, atol=1e-9)


@pytest.mark.parametrize("method", ["greedy", "brute"])
def test_what_is_missing_already_counts(method):
    contributions = np.array([[3.0, 1.0, 0.5]])
    removed, error = choose_removal(contributions, 1, target=[1.5], method=method)
    assert (list(removed), error) == ([0], 0.0)


def test_units_that_must_stay_do():
    gram = np.diag([1.0, 4.0, 9.0, 16.0])
    required = np.array([True, False, True, False])
    np.testing.assert_array_equal(brute_removal(gram, np.zeros(4), 1, required), [1])


def test_too_many_sets_are_refused_and_auto_takes_the_other_way():
    contributions = np.random.default_rng(0).normal(size=(30, 40))
    with pytest.raises(ValueError, match=r'take "greedy".*20 of 40 units, which makes 1.38e\+11'):
        choose_removal(contributions, 20, method="brute")
    greedy = choose_removal(contributions, 20, method="greedy")[0]
    np.testing.assert_array_equal(choose_removal(contributions, 20)[0], greedy)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"contributions": [1.0, 2.0]}, r"Received: shape=\(2,\)"),
        ({"contributions": [[np.nan, 2.0]]}, "must be a finite array"),
        ({"count": 3}, r"int in \[0, 2\]. Received: count=3"),
        ({"count": True}, "Received: count=True"),
        ({"count": 1.0}, "Received: count=1.0"),
        ({"target": [1.0, 2.0]}, r"finite array \(1,\). Received: \(2,\)"),
        ({"method": "lasso"}, "Received: method='lasso'"),
    ],
)
def test_wrong_arguments_get_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        choose_removal(**{"contributions": [[1.0, 2.0]], "count": 1, **arguments})
