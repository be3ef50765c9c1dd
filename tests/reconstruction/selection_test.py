import keras
import numpy as np
import pytest

from keras_prune.granularity import NM, Unstructured
from keras_prune.reconstruction.selection import alive, restored_on_error, select
from keras_prune.weights import find_weights
from tests.small_models import kernels, mlp


@pytest.mark.all_backends
def test_the_lowest_scores_go():
    model = mlp()
    (first, second) = find_weights(model)
    untouched = np.array(second.numpy())
    scores = np.random.default_rng(0).random((8, 16))
    keep = select(model, first, scores, 0.5, Unstructured())
    np.testing.assert_array_equal(keep, scores >= np.median(scores))
    np.testing.assert_array_equal(kernels(model)[0] != 0.0, keep)
    np.testing.assert_array_equal(second.numpy(), untouched)


def test_patterns_fix_their_own_sparsity():
    model = mlp()
    (first, _) = find_weights(model)
    keep = select(model, first, np.random.default_rng(0).random((8, 16)), 0.1, NM(2, 4))
    assert (keep.reshape(2, 4, 16).sum(axis=1) == 2).all()


@pytest.mark.all_backends
def test_an_exception_restores_the_values():
    variable = keras.Variable([1.0, 2.0])
    with pytest.raises(KeyboardInterrupt), restored_on_error([variable]):
        variable.assign([0.0, 0.0])
        raise KeyboardInterrupt
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), [1.0, 2.0])


def test_zeros_are_pruned_but_not_where_there_is_nothing_else():
    np.testing.assert_array_equal(alive(np.array([0.0, 2.0])), [False, True])
    np.testing.assert_array_equal(alive(np.zeros(2)), [True, True])
