import numpy as np
import pytest

from keras_prune.criteria import CRITERIA, Criterion
from keras_prune.one_shot import prune
from keras_prune.weights import find_weights
from tests.small_models import kernels, mlp, toy_data


class PreferFirstInput(Criterion):
    """Keeps the weights of the first input."""

    def score(self, weight):
        scores = np.zeros(weight.shape)
        scores[0] = 1.0
        return scores


def test_an_own_criterion_is_passed_as_object():
    model = mlp()
    prune(model, 1 - 16 / 128, criterion=PreferFirstInput(), filters="hidden")
    kernel = kernels(model)[0]
    assert np.count_nonzero(kernel[0]) == np.count_nonzero(kernel) == 16


@pytest.mark.parametrize(
    "name", sorted(n for n in CRITERIA.factories if CRITERIA.get(n).needs_data)
)
def test_weights_that_see_only_zeros_score_zero(name):
    criterion, model = CRITERIA.get(name).with_seed(0), mlp()
    x, y = toy_data()
    for score in criterion.scores(find_weights(model), criterion.probe(model, (0.0 * x, y))):
        np.testing.assert_array_equal(score, np.zeros_like(score))


def test_data_are_refused_by_criteria_that_need_none():
    with pytest.raises(ValueError, match=r"Magnitude\(\) looks at the weights alone"):
        CRITERIA.get("magnitude").check_data(toy_data())
