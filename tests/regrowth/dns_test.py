import keras
import numpy as np
import pytest

import keras_prune as kp
from tests.small_models import kernels, mlp, toy_data


def test_hysteresis():
    """Factors of t: .85 prunes, .95 keeps what was, 1.15 splices back in."""
    magnitudes = np.array([0.85, 0.85, 0.95, 0.95, 1.15, 1.15]) * 2.0
    before = np.array([True, False] * 3)
    after = kp.DNS().hysteresis(magnitudes, before, 2.0)
    np.testing.assert_array_equal(after, [False, False, True, False, True, True])


def test_thresholds_belong_to_the_two_sides_that_the_authors_code_gives_them():
    """Pruned at <= 0.9 t, spliced in only above 1.1 t."""
    after = kp.DNS().hysteresis(np.array([0.9, 1.1, 1.1]), np.array([True, True, False]), 1.0)
    np.testing.assert_array_equal(after, [False, True, False])


@pytest.mark.all_backends
def test_thresholds_are_computed_once_over_the_weights_that_are_not_zero():
    model = mlp()
    values = np.zeros((8, 16), "float32")
    values[0, :4] = [1.0, -1.0, 3.0, -3.0]
    model.layers[0].kernel.assign(values)
    pruner = kp.Pruner(regrowth=kp.DNS({"hidden": 0.5}))
    with pruner.attach(model, total_steps=100):
        assert pruner.state()["memory/threshold/0"] == pytest.approx(2.0 + 0.5)
        np.testing.assert_array_equal(np.flatnonzero(kernels(model)[0]), [2, 3])
        assert kernels(model)[1].all()  # no pattern is found in its path
        model.layers[0].kernel.assign(10.0 * values)
        pruner.update(1)
        assert pruner.state()["memory/threshold/0"] == pytest.approx(2.5)


@pytest.mark.all_backends
def test_surgery_prunes_and_splices_in_training():
    class Watch(keras.callbacks.Callback):
        masks = ()

        def on_train_batch_end(self, batch, logs=None):
            self.masks += ([keep.copy() for keep in callback.pruner.store.keep],)

    model, watch = mlp(keras.optimizers.SGD(0.5)), Watch()
    schedule = kp.RandomDecay(gamma=0.0, end_step=24)
    callback = kp.PruneCallback(regrowth=kp.DNS(c=0.5), schedule=schedule)
    model.fit(*toy_data(), epochs=8, batch_size=16, verbose=0, callbacks=[callback, watch])
    returned = sum(
        np.count_nonzero(~before & after)
        for then, now in zip(watch.masks, watch.masks[1:], strict=False)
        for before, after in zip(then, now, strict=True)
    )
    assert returned > 0
    assert 0.3 < callback.report.achieved < 0.95
    assert callback.report.reached
    # After the schedule's end the masks are frozen.
    for then, now in zip(watch.masks[24:], watch.masks[25:], strict=False):
        assert all((a == b).all() for a, b in zip(then, now, strict=True))


@pytest.mark.all_backends
def test_a_layer_keeps_its_largest_weight():
    model = mlp()
    pruner = kp.Pruner(regrowth=kp.DNS(c=100.0))
    with pytest.warns(UserWarning, match="smaller for it. Received: c=100.0 for mlp"):
        pruner.attach(model, total_steps=10)
    with pruner:
        assert [np.count_nonzero(kernel) for kernel in kernels(model)] == [1, 1]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: kp.DNS(c="3"), "Argument `c`"),
        (lambda: kp.DNS(margin=1.0), "Argument `margin`"),
        (lambda: kp.PruneCallback(0.9, regrowth="dns"), "decides on the sparsity itself"),
        (lambda: kp.Pruner(regrowth="dns", granularity="1x4"), "decides on single weights"),
        (lambda: kp.Pruner(regrowth="dns", allocation="global"), "decides on single weights"),
        (lambda: kp.Pruner(regrowth="regrow"), "Invalid value for argument `regrowth`"),
    ],
)
def test_wrong_arguments_get_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=f"(?s){sentence}.*Received: "):
        make()
