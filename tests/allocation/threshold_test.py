import keras
import numpy as np
import pytest

from keras_prune.allocation import ALLOCATIONS, Threshold
from keras_prune.callbacks import PruneCallback
from keras_prune.one_shot import prune
from tests.small_models import kernels, mlp, toy_data


@pytest.mark.parametrize("c, center", [(1.0, "zero"), (0.3, "zero"), (0.5, "mean"), (-0.5, "mean")])
@pytest.mark.all_backends
def test_mask_equals_numpy(c, center):
    model = mlp()
    before = kernels(model)
    report = prune(model, 0.99, allocation=Threshold(c, center))
    for old, new in zip(before, kernels(model), strict=True):
        size = np.abs(old)
        limit = c * old.std() if center == "zero" else size.mean() + c * size.std()
        np.testing.assert_array_equal(new, np.where(size < limit, 0.0, old))
    assert report.reached
    assert report.asked == pytest.approx(report.achieved)


def test_numbers_of_the_threshold():
    # std 2, mean of magnitudes 2, their std 0.
    assert Threshold(1.5).threshold([2.0, -2.0, 2.0, -2.0]) == pytest.approx(3.0)
    assert Threshold(1.5, "mean").threshold([2.0, -2.0, 2.0, -2.0]) == pytest.approx(2.0)
    # std sqrt(5), mean 2, std 1 of magnitudes.
    assert Threshold(2.0).threshold([1.0, 3.0, -1.0, -3.0]) == pytest.approx(2 * 5**0.5)
    assert Threshold(2.0, "mean").threshold([1.0, 3.0, -1.0, -3.0]) == pytest.approx(4.0)


@pytest.mark.filterwarnings("ignore:Pruning has cut the model:UserWarning")
def test_sparsity_is_a_ceiling():
    report = prune(mlp(), 0.25, allocation=Threshold(10.0))
    assert [weight.zeros for weight in report.pruned] == [32, 12]
    assert report.reached
    # Never the whole layer, whatever the threshold.
    model = mlp()
    prune(model, 0.999, allocation=Threshold(1000.0))
    assert [np.count_nonzero(kernel) for kernel in kernels(model)] == [1, 1]


@pytest.mark.all_backends
def test_in_training():
    model, (x, y) = mlp(), toy_data()
    callback = PruneCallback(0.95, allocation=Threshold(1.0))
    model.fit(x, y, epochs=4, batch_size=16, verbose=0, callbacks=[callback])
    assert 0.3 < callback.report.achieved < 0.95
    assert callback.report.reached


def test_names_configurations_and_errors():
    assert ALLOCATIONS.get("threshold") == Threshold()
    config = keras.saving.serialize_keras_object(Threshold(0.5, "mean"))
    assert ALLOCATIONS.get(config) == Threshold(0.5, "mean")
    with pytest.raises(ValueError, match=r"must be a finite number\. Received: c=nan"):
        Threshold(float("nan"))
    with pytest.raises(ValueError, match="Received: center='median'"):
        Threshold(center="median")
