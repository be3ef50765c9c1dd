import numpy as np
import pytest

from keras_prune.reconstruction import obs
from keras_prune.reconstruction.obs import obs_prune, obs_remove, obs_saliency

HESSIAN = np.array([[2.0, 1.0], [1.0, 2.0]])
WEIGHTS = np.array([1.0, 2.0])


def problem(n=40, samples=200):
    """A regression: inputs (samples, n), targets, weights that solve it, Hessian X^T X / N."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(samples, n)) @ random.normal(size=(n, n))
    weights = random.normal(size=n)
    return inputs, inputs @ weights, weights, inputs.T @ inputs / samples


def test_removing_the_first_weight():
    np.testing.assert_allclose(obs_saliency(WEIGHTS, obs.inverse(HESSIAN)), [0.75, 3.0])
    weights, increase = obs_remove(WEIGHTS, HESSIAN, [0])
    np.testing.assert_allclose(weights, [0.0, 2.5])  # dw = (-1, +0.5)
    np.testing.assert_allclose(increase, 0.75)


def test_removing_the_second_weight():
    weights, increase = obs_remove(WEIGHTS, HESSIAN, [1])
    np.testing.assert_allclose(weights, [2.0, 0.0], atol=1e-15)  # dw = (+1, -2)
    np.testing.assert_allclose(increase, 3.0)


def test_removing_both_is_joint_and_not_the_sum_of_two_removals():
    weights, increase = obs_remove(WEIGHTS, HESSIAN, [0, 1])
    assert weights.tolist() == [0.0, 0.0]
    np.testing.assert_allclose(increase, 7.0)  # w' H w / 2, more than 0.75 + 3
    singles = [obs_remove(WEIGHTS, HESSIAN, [q])[0] - WEIGHTS for q in (0, 1)]
    np.testing.assert_allclose(WEIGHTS + sum(singles), [1.0, 0.5])  # nothing is zero


def test_the_cheapest_goes_first():
    weights, order = obs_prune(WEIGHTS, HESSIAN, 1)
    np.testing.assert_allclose(weights, [0.0, 2.5])
    assert order.tolist() == [0]


def test_saliency_is_never_above_that_of_obd():
    _, _, weights, hessian = problem()
    # 1 / [H^-1]_qq <= H_qq: repairing the others can only help.
    obd = 0.5 * np.diag(hessian) * weights**2
    assert (obs_saliency(weights, obs.inverse(hessian)) <= obd * (1 + 1e-9)).all()


def test_joint_removal_is_exactly_zero_and_equals_the_textbook_formula():
    _, _, weights, hessian = problem()
    gone = np.arange(40) % 3 == 0
    result, increase = obs_remove(weights, hessian, gone)
    assert (result[gone] == 0.0).all() and not np.signbit(result[gone]).any()
    inverse = np.linalg.inv(hessian)
    multipliers = np.linalg.solve(inverse[np.ix_(gone, gone)], weights[gone])
    np.testing.assert_allclose(result, weights - inverse[:, gone] @ multipliers, atol=1e-7)
    np.testing.assert_allclose(increase, 0.5 * weights[gone] @ multipliers)


def naive_order(weights, hessian, count):
    """Textbook sequential OBS: the inverse loses a row and a column after each removal."""
    weights, inverse = weights.copy(), np.linalg.inv(hessian)
    left, order, losses = list(range(len(weights))), [], []
    for _ in range(count):
        scores = [weights[q] ** 2 / inverse[q, q] / 2 for q in left]
        q = left.pop(int(np.argmin(scores)))
        order.append(q)
        losses.append(min(scores))
        weights -= weights[q] / inverse[q, q] * inverse[:, q]
        inverse -= np.outer(inverse[:, q], inverse[q]) / inverse[q, q]
    return weights, order, losses


@pytest.mark.parametrize("block", [1, 7, 128])
def test_blocked_updates_remove_in_the_textbook_order(block, monkeypatch):
    monkeypatch.setattr(obs, "_BLOCK", block)
    _, _, weights, hessian = problem()
    expected, order, losses = naive_order(weights, hessian, 30)
    ours, costs = obs.removal_order(weights, obs.inverse(hessian))
    assert ours[:30].tolist() == order
    np.testing.assert_allclose(costs[:30], losses, rtol=1e-6)
    assert sorted(ours) == list(range(40))
    np.testing.assert_allclose(obs_prune(weights, hessian, 30)[0], expected, atol=1e-6)


def test_survivors_are_the_least_squares_solution():
    inputs, targets, weights, hessian = problem()
    result, order = obs_prune(weights, hessian, 25)
    kept = np.setdiff1d(np.arange(40), order)
    solution, *_ = np.linalg.lstsq(inputs[:, kept], targets, rcond=None)
    np.testing.assert_allclose(result[kept], solution, atol=1e-8)
    assert np.count_nonzero(result) == 15


def test_last_weights_can_be_kept():
    _, _, weights, hessian = problem()
    order, _ = obs.removal_order(weights, obs.inverse(hessian), prunable=39)
    assert sorted(order) == list(range(39))


def test_all_and_none_can_be_removed():
    _, _, weights, hessian = problem()
    np.testing.assert_array_equal(obs_prune(weights, hessian, 0)[0], weights)
    assert not obs_prune(weights, hessian, 40)[0].any()


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: obs_prune(WEIGHTS, HESSIAN, 3), r"in \[0, 2\]. Received: count=3"),
        (lambda: obs_prune(WEIGHTS, HESSIAN, 0.5), "Received: count=0.5"),
        (lambda: obs_prune(WEIGHTS, np.eye(3), 1), r"Received: shapes \(2,\) and \(3, 3\)"),
        (lambda: obs_prune(WEIGHTS, np.ones((2, 2)), 1), "not positive definite"),
        (lambda: obs_prune(WEIGHTS, HESSIAN * np.nan, 1), "not finite"),
        (lambda: obs_remove(np.ones(3), np.ones((3, 3)), [0]), "survivors' Hessian|singular"),
    ],
)
def test_wrong_arguments_get_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
