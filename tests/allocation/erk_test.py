import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_prune.allocation import ALLOCATIONS, ERK
from keras_prune.allocation.erk import _densities
from keras_prune.one_shot import prune
from keras_prune.weights import find_weights
from tests.small_models import mlp

layers = keras.layers


def lenet_300_100():
    dense = [layers.Dense(units) for units in (300, 100, 10)]
    return keras.Sequential([keras.Input((784,)), *dense])


def test_lenet_300_100_against_the_formula():
    # raw: 1084 / 235200, 400 / 30000, 110 / 1000. eps = 26620 / 1594 would make the last layer
    # 1.84 dense, so it is dense and eps = (26620 - 1000) / 1484 = 17.264 serves the others.
    asked = ERK().asked(find_weights(lenet_300_100()), 0.9)
    densities = 1.0 - np.array(asked)
    assert densities == pytest.approx([0.079567, 0.230189, 1.0], abs=3e-5)
    assert densities * [235200, 30000, 1000] == pytest.approx([18714, 6906, 1000])


def test_convolutions_count_their_window():
    model = keras.Sequential(
        [keras.Input((8, 8, 16)), layers.Conv2D(32, 3), layers.Conv2D(64, (1, 5), groups=4)]
    )
    first, second = (1.0 - share for share in ERK().asked(find_weights(model), 0.9))
    raw = [(3 + 3 + 16 + 32) / (3 * 3 * 16 * 32), (1 + 5 + 8 + 64) / (1 * 5 * 8 * 64)]
    assert first / second == pytest.approx(raw[0] / raw[1], rel=2e-3)


@pytest.mark.all_backends
def test_total_is_exact_and_every_layer_gets_what_was_asked():
    # 24 / 128 and 19 / 48: eps = 35.2 / 43 = 0.819, densities 0.153 and 0.324.
    report = prune(mlp(), 0.8, allocation="erk")
    assert [weight.zeros for weight in report.pruned] == [128 - 20, 48 - 15]
    for weight in report.pruned:
        assert weight.zeros == pytest.approx(weight.asked * weight.size)
    assert report.reached


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=6),
    st.floats(0.0, 0.99),
)
def test_densities_are_proportional_capped_and_exact(shapes, sparsity):
    sizes = np.array([a * b for a, b in shapes])
    raw = np.array([(a + b) / (a * b) for a, b in shapes])
    densities = _densities(raw, sizes, sparsity)
    assert densities.max() <= 1.0
    assert (densities * sizes).sum() == pytest.approx((1.0 - sparsity) * sizes.sum())
    free = densities < 1.0
    ratios = densities[free] / raw[free]
    assert np.all(ratios == pytest.approx(ratios[:1].sum()))
    # What is capped would have more than 1 at the others' rate.
    if free.any():
        assert np.all(raw[~free] * ratios[0] >= 1.0 - 1e-9)


@given(st.floats(0.0, 0.98), st.floats(0.0, 0.98))
@settings(deadline=None, max_examples=30)
def test_no_layer_gets_denser_on_the_way(one, other):
    sizes, raw = np.array([235200, 30000, 1000]), np.array([1084 / 235200, 400 / 30000, 0.11])
    less, more = (_densities(raw, sizes, sparsity) for sparsity in sorted((one, other)))
    assert np.all(more <= less + 1e-12)


def test_names_and_errors():
    assert ALLOCATIONS.get("erk") == ERK()
    assert ALLOCATIONS.get(keras.saving.serialize_keras_object(ERK(0.5))) == ERK(0.5)
    with pytest.raises(ValueError, match=r"must be positive\. Received: power=0"):
        ERK(power=0)
