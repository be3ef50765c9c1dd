import numpy as np
import pytest

from keras_prune.reconstruction.columns import (
    feature_ranks,
    repair_columns,
    sequential_ranks,
    single_scores,
)


def problem(n=12, outputs=5):
    random = np.random.default_rng(0)
    inputs = random.normal(size=(100, n)) @ random.normal(size=(n, n))
    return inputs, random.normal(size=(n, outputs)), inputs.T @ inputs / 100


def loss(matrix, change, hessian):
    return 0.5 * np.sum((matrix - change) * (hessian @ (matrix - change)))


def test_uncorrelated_inputs_make_it_magnitude_pruning():
    _, matrix, _ = problem()
    everything = np.ones(matrix.shape, bool)
    order = np.argsort(np.abs(matrix).ravel())
    for rank in (single_scores, sequential_ranks, feature_ranks):
        scores = rank(matrix, np.eye(12), everything)
        np.testing.assert_array_equal(np.argsort(scores.ravel()), order)
    keep = np.abs(matrix) > 0.5
    np.testing.assert_array_equal(repair_columns(matrix, np.eye(12), keep), matrix * keep)


def unrepaired(matrix, hessian, keep):
    return matrix * keep


@pytest.mark.parametrize(
    "rank, after", [(sequential_ranks, repair_columns), (feature_ranks, unrepaired)]
)
def test_ranks_are_those_of_the_greedy_choice_over_all_columns(rank, after):
    _, matrix, hessian = problem(6, 3)
    keep, order = np.ones(matrix.shape, bool), []
    for _ in range(12):
        costs = np.full(matrix.shape, np.inf)
        for index in np.argwhere(keep):
            trial = keep.copy()
            trial[tuple(index)] = False
            costs[tuple(index)] = loss(matrix, after(matrix, hessian, trial), hessian)
        best = np.unravel_index(np.argmin(costs), costs.shape)
        keep[best] = False
        order.append(best)
    ranks = rank(matrix, hessian, np.ones(matrix.shape, bool))
    assert [ranks[index] for index in order] == list(range(12))


def test_weights_that_cancel_out():
    """On an input of ones the weights 1, 2, -2, 3 of an output are what they add to it."""
    matrix, keep = np.array([[1.0], [2.0], [-2.0], [3.0]]), np.ones((4, 1), bool)
    ranks = feature_ranks(matrix, np.ones((4, 4)), keep)
    np.testing.assert_array_equal(np.argsort(ranks.ravel())[:2], [0, 2])


def test_survivors_solve_the_least_squares_problem_of_each_column():
    inputs, matrix, hessian = problem()
    keep = np.random.default_rng(1).random(matrix.shape) < 0.4
    repaired = repair_columns(matrix, hessian, keep)
    assert (repaired[~keep] == 0.0).all()
    for column in range(5):
        kept = keep[:, column]
        target = inputs @ matrix[:, column]
        solution, *_ = np.linalg.lstsq(inputs[:, kept], target, rcond=None)
        np.testing.assert_allclose(repaired[kept, column], solution, atol=1e-8)


def test_what_is_pruned_already_goes_first_and_the_bias_never():
    _, matrix, hessian = problem()
    keep = np.random.default_rng(1).random((11, 5)) < 0.5  # row 11 is the bias
    matrix[:11][~keep] = 0.0
    for rank in (sequential_ranks, feature_ranks):
        ranks = rank(matrix, hessian, keep)
        assert ranks.shape == (11, 5)
        assert ranks[~keep].max() < ranks[keep].min()
    assert repair_columns(matrix, hessian, np.zeros((11, 5), bool))[11].all()


def test_repair_never_makes_it_worse():
    _, matrix, hessian = problem()
    keep = np.abs(matrix) > 0.7
    assert loss(matrix, repair_columns(matrix, hessian, keep), hessian) < loss(
        matrix, matrix * keep, hessian
    )
