import keras
import numpy as np
import pytest

from keras_prune.criteria import CRITERIA, Criterion
from keras_prune.probes import Probe
from keras_prune.pruner import prune
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


def scores_of(criterion, model):
    data = toy_data() if criterion.needs_data else None
    criterion.check_data(data)
    probe = OneStep(criterion, model) if criterion.accumulates else criterion.probe(model, data)
    return criterion.scores(find_weights(model), probe)


class OneStep:
    """What the sums over a training are after its first step."""

    def __init__(self, criterion, model):
        weights = find_weights(model)
        pairs = zip(weights, Probe(model, toy_data()).gradients(weights), strict=True)
        self.sums = [criterion.term(weight.numpy(), gradient) for weight, gradient in pairs]

    def values(self):
        return self.sums


@pytest.mark.parametrize("name", sorted(CRITERIA.factories))
@pytest.mark.all_backends
def test_contract(name):
    """Every criterion: finite float32 scores of the weights' shapes, from seed and data alone."""
    criterion = CRITERIA.get(name).with_seed(0)
    model = mlp()
    scores = scores_of(criterion, model)
    for weight, score in zip(find_weights(model), scores, strict=True):
        assert score.shape == weight.shape
        assert score.dtype == np.float32
        assert np.isfinite(score).all() and len(np.unique(score)) > 1
    for first, again in zip(scores, scores_of(criterion, model), strict=True):
        np.testing.assert_array_equal(first, again)
    assert type(criterion).from_config(criterion.get_config()) == criterion
    assert CRITERIA.get(keras.saving.serialize_keras_object(criterion)) == criterion


@pytest.mark.parametrize("name", sorted(set(CRITERIA.factories) - {"random"}))
def test_scores_move_with_their_units(name):
    """Hidden units in another order have the same scores, in that order."""
    criterion, model = CRITERIA.get(name).with_seed(0), mlp()
    hidden, logits = scores_of(criterion, model)
    order = np.random.default_rng(0).permutation(16)
    kernel, bias, last, last_bias = model.get_weights()
    model.set_weights([kernel[:, order], bias[order], last[order], last_bias])
    after = scores_of(criterion, model)
    for moved, score in zip(after, (hidden[:, order], logits[order]), strict=True):
        np.testing.assert_allclose(moved, score, rtol=1e-3, atol=1e-4 * np.abs(score).max())


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
