import keras
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_prune.schedules import SCHEDULES, ConstantSparsity, Iterative, OneShot, PolynomialDecay


def test_polynomial_against_the_paper():
    schedule = PolynomialDecay(0.0, 0.9, begin_step=0, end_step=100)
    values = [schedule.sparsity(step, None, 0.9) for step in (0, 25, 50, 75, 100, 200)]
    assert values == pytest.approx([0.0, 0.5203125, 0.7875, 0.8859375, 0.9, 0.9])


def test_polynomial_with_its_own_power_and_begin():
    schedule = PolynomialDecay(0.2, 0.6, begin_step=10, end_step=20, power=1)
    values = [schedule.sparsity(step, None, 0.6) for step in (0, 10, 15, 20)]
    assert values == pytest.approx([0.2, 0.2, 0.4, 0.6])


def test_constant():
    schedule = ConstantSparsity(0.5, begin_step=10)
    assert schedule.last_update(9) is None
    assert schedule.last_update(10) == 10
    assert schedule.last_update(109) == 10
    assert schedule.last_update(110) == 110
    assert schedule.sparsity(10, None, 0.5) == 0.5


def test_floats_are_fractions_and_ints_are_steps():
    assert PolynomialDecay(begin_step=0.25, end_step=0.5).resolve(1000) == (250, 500, 5)
    assert PolynomialDecay(begin_step=1, end_step=1.0).resolve(1000) == (1, 1000, 19)
    assert PolynomialDecay(begin_step=0, end_step=50, frequency=20).resolve() == (0, 50, 20)
    assert PolynomialDecay(end_step=1.0, frequency=0.1).resolve(1000) == (0, 1000, 100)
    assert ConstantSparsity(begin_step=0.5).resolve(10) == (5, None, 100)


def test_updates_stand_at_begin_every_frequency_and_end():
    schedule = PolynomialDecay(begin_step=3, end_step=20, frequency=8)
    updates = [schedule.last_update(step) for step in range(25)]
    assert updates == [None] * 3 + [3] * 8 + [11] * 8 + [19] + [20] * 5


@given(st.integers(1, 50), st.floats(0, 1), st.floats(0, 1))
def test_sparsity_never_falls_and_reaches_the_target(total, begin, end):
    schedule = PolynomialDecay(begin_step=min(begin, end), end_step=max(begin, end))
    updates = [schedule.last_update(step, total) for step in range(total + 1)]
    values = [schedule.sparsity(step, total, 0.8) for step in updates if step is not None]
    assert values == sorted(values)
    assert values[-1] == 0.8


@pytest.mark.parametrize("schedule", [OneShot(7), OneShot(0.5), OneShot(1.0)])
def test_one_shot_prunes_once(schedule):
    updates = [schedule.last_update(step, 10) for step in range(12)]
    begin = schedule.resolve(10)[0]
    assert updates == [None] * begin + [begin] * (12 - begin)
    assert schedule.sparsity(begin, 10, 0.8) == 0.8


def test_rounds_prune_the_same_fraction_of_what_is_left():
    # Density 1 -> 0.512 in three rounds of 20 %.
    schedule = Iterative(rounds=3, begin_step=10, end_step=30)
    values = [schedule.sparsity(step, None, 0.488) for step in (10, 19, 20, 30, 99)]
    assert values == pytest.approx([0.2, 0.2, 0.36, 0.488, 0.488])
    updates = [schedule.last_update(step) for step in (9, 10, 19, 20, 29, 30, 99)]
    assert updates == [None, 10, 10, 20, 20, 30, 30]


def test_rounds_that_do_not_divide_the_steps_stand_once_each():
    schedule = Iterative(rounds=4, begin_step=0, end_step=10)
    assert sorted({schedule.last_update(step) for step in range(20)}) == [0, 3, 6, 10]
    single = Iterative(rounds=1, begin_step=5, end_step=10)
    assert [single.last_update(step) for step in (4, 5, 20)] == [None, 5, 5]
    assert single.sparsity(5, None, 0.9) == 0.9


@given(st.integers(1, 9), st.integers(10, 200))
def test_every_round_comes_and_the_last_reaches_the_target(rounds, total):
    schedule = Iterative(rounds, begin_step=0, end_step=1.0)
    updates = sorted({schedule.last_update(step, total) for step in range(total + 1)})
    assert len(updates) == rounds
    values = [schedule.sparsity(step, total, 0.9) for step in updates]
    assert values == sorted(set(values)) and values[-1] == 0.9


@pytest.mark.parametrize(
    "schedule",
    [
        PolynomialDecay(0.1, 0.9, 5, 0.5),
        ConstantSparsity(0.5),
        OneShot(3, 0.5),
        Iterative(3, 0.9, 5, 0.5, learning_rate_factor=0.1),
    ],
)
def test_configuration_round_trips(schedule):
    config = keras.saving.serialize_keras_object(schedule)
    assert SCHEDULES.get(config) == schedule


def test_names():
    assert SCHEDULES.get("polynomial") == PolynomialDecay()
    assert SCHEDULES.get("constant") == ConstantSparsity()
    assert SCHEDULES.get("one_shot") == OneShot()
    assert SCHEDULES.get("iterative") == Iterative()


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: PolynomialDecay(begin_step=1.5), "Received: begin_step=1.5"),
        (lambda: PolynomialDecay(begin_step=-1), "Received: begin_step=-1"),
        (lambda: PolynomialDecay(begin_step=True), "Received: begin_step=True"),
        (lambda: PolynomialDecay(end_step=-1), "needs its end. Received: end_step=-1"),
        (lambda: PolynomialDecay(power=0), "must be positive. Received: power=0"),
        (lambda: PolynomialDecay(1.0), "Received: initial_sparsity=1.0"),
        (lambda: PolynomialDecay(final_sparsity=-0.1), "Received: final_sparsity=-0.1"),
        (lambda: ConstantSparsity(target_sparsity=2), "Received: target_sparsity=2"),
        (lambda: PolynomialDecay(0, 0.5, 10, 5).resolve(), "cannot end before it begins"),
        (lambda: OneShot(-1), "Received: step=-1"),
        (lambda: OneShot(0.5).resolve(None), "Received: step=0.5"),
        (lambda: Iterative(0), "Received: rounds=0"),
        (lambda: Iterative(end_step=-1), "needs its step. Received: end_step=-1"),
        (lambda: Iterative(learning_rate_factor=2), "Received: learning_rate_factor=2"),
        (lambda: Iterative(5, begin_step=0, end_step=3).resolve(), "5 rounds of pruning do not"),
        (lambda: PolynomialDecay().resolve(None), "the number of steps is unknown"),
    ],
)
def test_wrong_arguments_get_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
