"""How much is pruned in which round."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_prune.allocation import PerLayer
from keras_prune.recipes import round_plan


def test_fraction_and_rounds():
    assert round_plan.shrinking(0.5, 3) == pytest.approx([0.5, 0.75, 0.875])
    assert round_plan.shrinking(None) == pytest.approx([1 - 0.8**n for n in range(1, 6)])


def test_rounds_follow_from_the_sparsity():
    assert round_plan.shrinking(0.5, sparsity=0.875) == pytest.approx([0.5, 0.75, 0.875])
    assert round_plan.shrinking(0.5, sparsity=0.8) == pytest.approx([0.5, 0.75, 0.8])
    assert round_plan.shrinking(0.5, sparsity=0.1) == [0.1]
    assert round_plan.shrinking(None, 2, 0.75) == pytest.approx([0.5, 0.75])


@given(st.floats(0.01, 0.99), st.integers(1, 20))
def test_every_round_takes_the_same_fraction(sparsity, rounds):
    kept = [1.0] + [1.0 - value for value in round_plan.geometric(sparsity, rounds)]
    ratios = [after / before for before, after in itertools.pairwise(kept)]
    assert ratios == pytest.approx([(1.0 - sparsity) ** (1 / rounds)] * rounds, rel=1e-9)
    assert kept[-1] == 1.0 - sparsity


def test_tables_go_layer_by_layer():
    first, second = round_plan.shrinking_tables({"out": 0.1, "": 0.2}, 2)
    assert first.table == pytest.approx({"out": 0.1, "": 0.2})
    assert second.table == pytest.approx({"out": 0.19, "": 0.36})
    half, whole = round_plan.tables_to(PerLayer({"a": 0.75, "b": 0.36}, 0.19), 2)
    assert half.table == pytest.approx({"a": 0.5, "b": 0.2})
    assert half.default == pytest.approx(0.1)
    assert whole == PerLayer({"a": 0.75, "b": 0.36}, 0.19)
