import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_prune.recipes.saturation import Saturation, rising, shrunk


def test_sizes_are_rounded_products():
    assert shrunk({"a": 64, "b": 64}, {"a": 0.5, "b": 0.25}) == {"a": 32, "b": 16}
    assert shrunk({"a": 5, "b": 3}, {"a": 0.5, "b": 0.0}) == {"a": 3, "b": 1}
    assert shrunk({"a": 5, "b": 3}, {"a": 0.1, "b": 1.0}, min_width=4) == {"a": 4, "b": 3}


@given(st.integers(1, 4096), st.floats(0.0, 1.0), st.integers(1, 64))
def test_sizes_never_grow_and_never_vanish(width, density, least):
    size = shrunk({"a": width}, {"a": density}, least)["a"]
    assert min(width, least) <= size <= width
    if least <= size < width:
        assert size == least or abs(size - density * width) <= 0.5


def test_densities_settle_when_no_layer_moves_for_a_window():
    rule = Saturation(threshold=0.01, window=2)
    still, late = [0.5, 0.505, 0.5, 0.5], [0.9, 0.8, 0.6, 0.605]
    assert not rule.reached(0, [still[:2]])
    assert rule.reached(0, [still[:3]])
    assert not rule.reached(0, [still, late])
    assert rule.reached(0, [still + [0.5], late + [0.6]])
    assert not Saturation(0.005, 2).reached(0, [still[:3]])  # a step as large as the threshold


def test_defaults_are_one_percent_over_five_epochs():
    assert not Saturation().reached(0, [[0.5] * 5])
    assert Saturation().reached(0, [[0.5] * 6])
    assert not Saturation().reached(0, [[0.5] * 5 + [0.52]])


def test_epochs_may_be_fixed():
    rule = Saturation(epochs=(100, 70))
    assert not rule.reached(0, [[0.5] * 99])
    assert rule.reached(0, [[0.5] * 100])
    assert rule.reached(1, [[0.5] * 70])
    assert Saturation(epochs=25).reached(7, [[0.1] * 25])


@pytest.mark.parametrize(
    ("curve", "expected"),
    [([0.5], False), ([0.5, 0.5], False), ([0.5, 0.6], True), ([0.9, 0.5, 0.6], False)],
)
def test_rising(curve, expected):
    assert rising(curve) is expected
