import keras
import numpy as np
import pytest

from keras_prune.callbacks import PruneCallback
from keras_prune.criteria import OBD, SNIP, DataCriterion, GraSP, Sensitivity, Taylor
from keras_prune.one_shot import prune
from keras_prune.pruner import Pruner
from keras_prune.schedules import ConstantSparsity
from tests.small_models import ZeroProbe, kernels, mlp, toy_data, zeros_of


def bare_mlp():
    """The network without a loss."""
    return keras.Sequential.from_config(mlp().get_config())


class Slope(DataCriterion):
    """Scores by the gradient alone."""

    def scores(self, weights, probe=None):
        return [np.abs(gradient) for gradient in probe.gradients(weights)]


@pytest.mark.all_backends
def test_an_own_criterion_prunes_at_once_in_the_callback_and_in_a_loop():
    x, y = toy_data()
    once, fitted, looped = mlp(), mlp(), mlp()
    prune(once, 0.5, criterion=Slope(), data=(x, y))
    one_shot = ConstantSparsity(begin_step=0, end_step=0)
    callback = PruneCallback(0.5, criterion=Slope(), schedule=one_shot, data=[(x, y)])
    fitted.fit(x, y, epochs=1, callbacks=[callback, ZeroProbe()], verbose=0)
    assert callback.report.reached
    with Pruner(0.5, criterion=Slope(), schedule=one_shot, data=(x, y)).attach(looped):
        looped.train_on_batch(x, y)
    assert sum(zeros.sum() for zeros in zeros_of(once)) == 88
    for first, second, third in zip(*map(zeros_of, (once, fitted, looped)), strict=True):
        np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(first, third)


@pytest.mark.all_backends
def test_callback_scores_at_each_update():
    x, y = toy_data()
    model, probe = mlp(), ZeroProbe()
    callback = PruneCallback(0.8, criterion="sensitivity", data=(x, y), allocation="global")
    model.fit(x, y, batch_size=16, epochs=3, callbacks=[callback, probe], verbose=0)
    assert callback.report.reached
    assert len(set(probe.sparsities)) > 3


def test_pruned_data_are_taken_from_tf_data():
    tf = pytest.importorskip("tensorflow")
    x, y = toy_data()
    arrays, dataset = mlp(), mlp()
    prune(arrays, 0.8, criterion="snip", data=(x, y))
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(32)
    prune(dataset, 0.8, criterion="snip", data=batches)
    for one, other in zip(kernels(arrays), kernels(dataset), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.all_backends
def test_criterion_brings_the_loss_of_a_model_that_is_not_compiled():
    compiled = mlp()
    bare = bare_mlp()
    bare.set_weights(compiled.get_weights())
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    prune(compiled, 0.8, criterion="snip", data=toy_data())
    prune(bare, 0.8, criterion=SNIP(loss), data=toy_data())
    for one, other in zip(kernels(compiled), kernels(bare), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"data": None}, r"SNIP\(.*\) looks at data: pass `data`.*Received: data=None"),
        ({"data": np.ones(3)}, "tuple of arrays .*Received: ndarray"),
        ({"data": iter([toy_data()])}, "an iterator ends with the first reading"),
        ({"data": []}, "holds no example"),
        ({"model": bare_mlp}, "compile the model with one, or pass"),
    ],
)
def test_wrong_data_get_a_sentence_and_change_nothing(arguments, sentence):
    arguments = {"model": mlp, "data": toy_data(), **arguments}
    model = arguments.pop("model")()
    before = kernels(model)
    with pytest.raises(ValueError, match=sentence):
        prune(model, 0.8, criterion="snip", **arguments)
    for old, new in zip(before, kernels(model), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: Sensitivity("max"), "`reduction` must be one of .*Received: reduction='max'"),
        (lambda: Taylor(batch_size=0), "must be an int > 0. Received: batch_size=0"),
        (lambda: GraSP(0.0), "positive number. Received: temperature=0.0"),
        (lambda: OBD("full"), "Received: diagonal='full'"),
        (lambda: OBD(samples=1.5), "Received: samples=1.5"),
        (lambda: OBD(seed=-1), "Received: seed=-1"),
    ],
)
def test_wrong_arguments_get_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
