import numpy as np
import pytest

from keras_prune.criteria import CRITERIA, Criterion
from keras_prune.pruner import prune
from tests.small_models import kernels, mlp


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


@pytest.mark.parametrize("name", sorted(CRITERIA.factories))
def test_contract(name):
    """Every criterion: finite scores of the weight's shape, the same when asked again."""
    from keras_prune.weights import find_weights

    criterion = CRITERIA.get(name).with_seed(0)
    for weight in find_weights(mlp()):
        scores = criterion.score(weight)
        assert scores.shape == weight.shape
        assert np.isfinite(scores).all()
        np.testing.assert_array_equal(scores, criterion.score(weight))
    assert type(criterion).from_config(criterion.get_config()) == criterion
