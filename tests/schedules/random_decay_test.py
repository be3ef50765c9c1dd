import numpy as np
import pytest

from keras_prune.schedules import RandomDecay


def updates(schedule, steps, total=None):
    return sorted({schedule.last_update(step, total) for step in range(steps)} - {None})


def test_expected_number_of_updates_is_the_sum_of_the_chances():
    """sum (1 + 0.001 i)^-1 over 10,000 steps is 2,398.4."""
    counts = [len(updates(RandomDecay(end_step=10_000, seed=s), 10_001)) for s in range(5)]
    expected = np.sum(1.0 / (1.0 + 1e-3 * np.arange(10_000)))
    assert expected == pytest.approx(2398.4, abs=0.1)
    # The variance is the sum of p (1 - p), so five standard errors of the mean are 84.
    assert np.mean(counts) == pytest.approx(expected, abs=84)


def test_updates_are_frozen_at_the_end():
    schedule = RandomDecay(gamma=0.01, begin_step=10, end_step=200)
    assert schedule.last_update(9) is None
    assert schedule.last_update(10) == 10
    assert updates(schedule, 1000)[-1] < 200
    assert schedule.last_update(200) == schedule.last_update(100_000)


def test_a_chance_of_one_updates_at_every_step():
    assert updates(RandomDecay(gamma=0.0, end_step=20), 100) == list(range(20))


def test_the_same_seed_updates_at_the_same_steps():
    one, same, other = RandomDecay(seed=1), RandomDecay(seed=1), RandomDecay(seed=2)
    assert updates(one, 3000, 3000) == updates(same, 3000, 3000)
    assert updates(one, 3000, 3000) != updates(other, 3000, 3000)


@pytest.mark.parametrize("step", [0, 17, 500, 2099, 2100, 2999])
def test_the_last_update_does_not_depend_on_the_way_there(step):
    schedule = RandomDecay()
    asked_before = [at for at in updates(schedule, 3000, 3000) if at <= step]
    assert RandomDecay().last_update(step, 3000) == asked_before[-1]


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: RandomDecay(gamma=-1), "Argument `gamma`"),
        (lambda: RandomDecay(power="1"), "Argument `power`"),
        (lambda: RandomDecay(end_step=-1), "need their end"),
        (lambda: RandomDecay(seed=1.5), "Argument `seed`"),
        (lambda: RandomDecay().resolve(None), "the number of steps is unknown"),
    ],
)
def test_wrong_arguments_get_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=f"{sentence}.*Received: "):
        make()
