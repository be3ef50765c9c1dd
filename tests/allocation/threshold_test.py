import keras
import numpy as np
import pytest

from keras_prune.allocation import ALLOCATIONS, Threshold
from keras_prune.callbacks import PruneCallback
from keras_prune.criteria import Criterion
from keras_prune.one_shot import prune
from keras_prune.schedules import OneShot
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
    with pytest.raises(ValueError, match="Received: of='units'"):
        Threshold(of="units")


class Given(Criterion):
    """Scores that are given: those of the outputs of `mlp`."""

    def score(self, weight):
        scores = np.array([1.0, 2.0, 3.0, 10.0] * 4 if weight.shape[1] == 16 else [1.0, 1.0, 1.0])
        return np.broadcast_to(scores, weight.shape)


@pytest.mark.parametrize(
    "c, center, gone", [(-1.0, "mean", 0), (-0.8, "mean", 4), (0.6, "zero", 8)]
)
@pytest.mark.all_backends
def test_units_below_a_threshold_of_the_scores_go(c, center, gone):
    """Mean 4, standard deviation sqrt(12.5) = 3.54: bounds 0.46, 1.17 and 2.12."""
    model = mlp()
    report = prune(
        model,
        0.99,
        criterion=Given(),
        granularity="filter",
        allocation=Threshold(c, center, of="scores"),
    )
    assert report.reached and report.achieved == gone / 16
    left = np.flatnonzero(kernels(model)[0].any(axis=0)) % 4
    assert sorted(set(left)) == {0: [0, 1, 2, 3], 4: [1, 2, 3], 8: [2, 3]}[gone]


def test_units_that_score_the_same_all_stay():
    report = prune(
        mlp(),
        0.99,
        criterion=Given(),
        granularity="filter",
        allocation=Threshold(0.0, "mean", of="scores"),
        filters="logits",
    )
    assert report.achieved == 0.0


def test_a_second_look_compares_what_is_left():
    model, arguments = mlp(), (0.99, Given(), "filter", Threshold(-0.8, "mean", of="scores"))
    assert prune(model, *arguments).achieved == 4 / 16
    # 2, 3 and 10 are left, with mean 5 and standard deviation 3.56: 2 is below 2.15.
    assert prune(model, *arguments).achieved == 8 / 16


@pytest.mark.all_backends
def test_a_training_that_goes_on_does_not_prune_a_second_time(tmp_path):
    """Mean - 0.8 std over filters is another bound once the first have gone."""
    allocation = Threshold(-0.8, "mean", of="scores")
    callback = PruneCallback(0.99, Given(), "filter", allocation, OneShot(0.25))
    model, (x, y) = mlp(), toy_data()
    path = str(tmp_path / "{epoch}.keras")
    checkpoint = keras.callbacks.ModelCheckpoint(path)
    model.fit(x, y, epochs=2, batch_size=16, verbose=0, callbacks=[callback, checkpoint])
    assert callback.report.achieved == 4 / 16
    resumed = keras.models.load_model(path.format(epoch=1))
    resumed.fit(x, y, epochs=2, initial_epoch=1, batch_size=16, verbose=0, callbacks=[callback])
    assert callback.report.achieved == callback.report.asked == 4 / 16
