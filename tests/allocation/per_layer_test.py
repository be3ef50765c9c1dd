import keras
import pytest

from keras_prune.allocation import ALLOCATIONS, PerLayer
from keras_prune.callbacks import PruneCallback
from keras_prune.one_shot import prune
from keras_prune.pruner import Pruner
from tests.small_models import mlp, toy_data, zeros_of


@pytest.mark.all_backends
def test_every_layer_gets_what_the_table_says():
    model = mlp()
    report = prune(model, None, allocation=PerLayer({"hidden": 0.9, "logits": 0.5}))
    assert [zero.sum() for zero in zeros_of(model)] == [115, 24]
    assert [weight.asked for weight in report.pruned] == [0.9, 0.5]
    assert report.asked == pytest.approx((0.9 * 128 + 0.5 * 48) / 176)
    assert report.reached


@pytest.mark.parametrize("default, zeros", [(None, 0), (0.25, 32)])
def test_layers_without_a_pattern(default, zeros):
    model = mlp()
    report = prune(model, None, allocation=PerLayer({"logits/kernel": 0.5}, default))
    assert [zero.sum() for zero in zeros_of(model)] == [zeros, 24]
    assert [weight.asked for weight in report.pruned] == [default or 0.0, 0.5]
    assert report.reached


def test_first_pattern_counts():
    model = mlp()
    prune(model, None, allocation=PerLayer({"hidden": 0.25, ".*": 0.5}))
    assert [zero.sum() for zero in zeros_of(model)] == [32, 24]


@pytest.mark.all_backends
def test_schedule_takes_every_layer_along_in_proportion():
    model, (x, y) = mlp(), toy_data()
    callback = PruneCallback(allocation=PerLayer({"hidden": 0.8, "logits": 0.4}))
    model.fit(x, y, epochs=3, batch_size=16, verbose=0, callbacks=[callback])
    assert [zero.sum() for zero in zeros_of(model)] == [102, 19]
    assert callback.report.reached
    half = Pruner(allocation=PerLayer({"hidden": 0.8, "logits": 0.4}))
    half.prune(mlp())
    assert half.allocation.asked(half.weights, 0.4) == pytest.approx([0.4, 0.2])


def test_configurations():
    table = PerLayer({"a": 0.5}, default=0.1)
    assert ALLOCATIONS.get(keras.saving.serialize_keras_object(table)) == table


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: PerLayer({}), "must be a dict"),
        (lambda: PerLayer({"a": 1.0}), r"in \[0, 1\). Received: table\['a'\]=1.0"),
        (lambda: PerLayer({"(": 0.5}), r"no regular expression.*Received: '\('"),
        (lambda: PerLayer({3: 0.5}), "no regular expression.*Received: 3"),
        (lambda: PerLayer({"a": 0.5}, default=2), "Received: default=2"),
        (
            lambda: prune(mlp(), None, allocation=PerLayer({"hidden": 0.5, "convolution": 0.5})),
            r"found in none of the kernels.*Received: table={'convolution': 0.5}",
        ),
        (
            lambda: prune(mlp(), 0.9, allocation=PerLayer({"hidden": 0.5})),
            "makes a sparsity of 0.5 and no other. Received: sparsity=0.9",
        ),
        (
            lambda: prune(mlp(), None, "magnitude", "2:4", PerLayer({"hidden": 0.5})),
            "there is nothing to allocate",
        ),
    ],
)
def test_wrong_arguments_get_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
