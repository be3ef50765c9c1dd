import numpy as np
import pytest

from keras_prune.criteria import CRITERIA, Criterion
from keras_prune.criteria.criterion import spread
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
    weights, data = find_weights(model), (0.0 * x, y)
    left_alone = criterion.skip(model, weights, data)
    weights = [weight for weight in weights if id(weight) not in left_alone]
    assert weights
    for score in criterion.scores(weights, criterion.probe(model, data)):
        np.testing.assert_array_equal(score, np.zeros_like(score))


class Choosy(Criterion):
    """Has nothing to say of the logits."""

    def skip(self, model, weights, data):
        return {id(weight): "no opinion" for weight in weights if weight.shape[1] == 3}

    def score(self, weight):
        return np.abs(weight.numpy())


def test_what_a_criterion_cannot_score_is_skipped_with_its_reason():
    model = mlp()
    report = prune(model, 0.5, criterion=Choosy())
    assert [weight.skip for weight in report.weights] == [None, "no opinion"]
    assert [np.count_nonzero(kernel) for kernel in kernels(model)] == [64, 48]
    with pytest.raises(ValueError, match=r"no weight that can be pruned.*no opinion"):
        prune(model, 0.5, criterion=Choosy(), filters="logits")


def test_scores_of_outputs_are_spread_over_their_weights():
    (hidden, _) = find_weights(mlp())
    scores = spread(hidden, np.arange(16))
    assert scores.dtype == np.float32
    np.testing.assert_array_equal(scores, np.broadcast_to(np.arange(16), (8, 16)))


def test_data_are_refused_by_criteria_that_need_none():
    with pytest.raises(ValueError, match=r"Magnitude\(\) looks at the weights alone"):
        CRITERIA.get("magnitude").check_data(toy_data())
