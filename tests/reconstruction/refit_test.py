import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_prune.reconstruction.refit import factors, refit


def problem(seed=0, rows=60, n=8, outputs=5):
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(rows, n)) @ random.normal(size=(n, n)) + 1.0
    return inputs, random.normal(size=(n, outputs)), random


def error(inputs, kernel, target, offset=0.0):
    return np.sum((target - inputs @ kernel - offset) ** 2)


def test_without_anything_to_repair_nothing_changes():
    inputs, kernel, _ = problem(rows=3)  # more weights than rows
    repaired, offset = refit(inputs, kernel, inputs @ kernel, np.ones(kernel.shape, bool), True)
    np.testing.assert_array_equal(repaired, kernel)
    np.testing.assert_array_equal(offset, 0.0)
    gram = inputs.T @ inputs
    found = factors(gram, gram.sum(axis=1), np.ones(8, bool))
    np.testing.assert_array_equal(found, 1.0)


@pytest.mark.parametrize("intercept", [True, False])
def test_survivors_are_the_least_squares_solution(intercept):
    inputs, kernel, _ = problem()
    target = inputs @ kernel
    keep = np.broadcast_to(np.isin(np.arange(8), (0, 2, 3, 6))[:, None], kernel.shape).copy()
    keep[2, 1] = False  # one output reads one input less
    repaired, offset = refit(inputs, kernel, target, keep, intercept)
    assert (repaired[~keep] == 0.0).all()
    for column in range(5):
        kept = keep[:, column]
        rows = np.hstack([inputs[:, kept], np.ones((60, int(intercept)))])
        solution, *_ = np.linalg.lstsq(rows, target[:, column], rcond=None)
        found = np.append(repaired[kept, column], [offset[column]] * intercept)
        np.testing.assert_allclose(found, solution, atol=1e-8)
    if not intercept:
        np.testing.assert_array_equal(offset, 0.0)


def test_a_planted_target_is_met():
    inputs, kernel, _ = problem()
    keep = np.broadcast_to(np.arange(8)[:, None] < 3, kernel.shape)
    target = inputs[:, :3] @ (2.0 * kernel[:3]) + 7.0
    repaired, offset = refit(inputs, kernel, target, keep, True)
    np.testing.assert_allclose(repaired[:3], 2.0 * kernel[:3], atol=1e-8)
    np.testing.assert_allclose(offset, 7.0, atol=1e-7)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1e-6, 1e-3, 10.0]), st.booleans())
def test_repair_never_makes_it_worse(seed, damping, intercept):
    inputs, kernel, random = problem(seed, rows=20)
    target = inputs @ kernel + random.normal(size=(20, 5))
    keep = np.broadcast_to(random.random((8, 1)) < 0.5, kernel.shape)
    plain = error(inputs, kernel * keep, target)
    repaired = refit(inputs, kernel, target, keep, intercept, damping)
    assert error(inputs, repaired[0], target, repaired[1]) <= plain * (1.0 + 1e-9)
    contributions = inputs * kernel[:, 0]
    gram, cross = contributions.T @ contributions, contributions.T @ target[:, 0]
    found = factors(gram, cross, keep[:, 0], damping)
    scaled = error(contributions, found[:, None], target[:, :1])
    assert scaled <= error(contributions, keep[:, :1] * 1.0, target[:, :1]) * (1.0 + 1e-9)


def test_factors_are_those_of_least_squares():
    contributions = problem()[0]
    target = contributions.sum(axis=1)
    keep = np.arange(8) % 2 == 0
    found = factors(contributions.T @ contributions, contributions.T @ target, keep)
    solution, *_ = np.linalg.lstsq(contributions[:, keep], target, rcond=None)
    np.testing.assert_allclose(found[keep], solution, atol=1e-8)
    np.testing.assert_array_equal(found[~keep], 0.0)


def test_two_that_are_alike_share_the_load():
    """The least change: each takes over half of what a third one gave."""
    column = np.arange(1.0, 5.0)[:, None]
    contributions = np.repeat(column, 3, axis=1)
    gram = contributions.T @ contributions
    found = factors(gram, gram.sum(axis=1), np.array([True, True, False]))
    np.testing.assert_allclose(found, [1.5, 1.5, 0.0])
