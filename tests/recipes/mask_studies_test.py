"""Studies of activation masks: dynamic or static, sampled, and what pruned weights do."""

import keras
import numpy as np
import pytest

import keras_prune as kp

pytestmark = pytest.mark.all_backends
layers = keras.layers


def network():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((16,))
    x = layers.Dense(64, activation="relu", name="first", use_bias=False)(inputs)
    x = layers.Dense(32, activation="relu", name="second", use_bias=False)(x)
    model = keras.Model(inputs, layers.Dense(2, name="logits", use_bias=False)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model


def data():
    """Samples of scales that differ by a factor of a hundred; the class does not depend on it."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(256, 16)).astype("float32")
    y = (x[:, :4].sum(1) > 0).astype(int)
    return x * 10.0 ** generator.uniform(-1, 1, (256, 1)).astype("float32"), y


def trained():
    model = network()
    model.fit(*data(), epochs=15, verbose=0)
    return model


def test_static_thresholds_let_the_same_share_pass_on_average():
    model, (x, _) = network(), data()
    thresholds = kp.static_thresholds(model, x, {"first": 0.25, "second": 0.1})
    first = np.asarray(keras.Model(model.input, model.layers[1].output).predict(x, verbose=0))
    assert (first > thresholds["first"]).mean() == 0.25
    masked = kp.attach_activation_masks(model, thresholds=thresholds)
    densities = {n: c.density for n, c in kp.activation_density(masked, x).layers.items()}
    size = len(x) * 32
    assert densities == {"first": 0.25, "second": np.floor(0.1 * size + 0.5) / size, "logits": 1.0}
    assert kp.static_thresholds(model, x, 1.0) == {"first": 0.0, "second": 0.0}
    with pytest.raises(ValueError, match=r"Expected some of .* Received: 'third'"):
        kp.static_thresholds(model, x, {"third": 0.5})
    with pytest.raises(ValueError, match=r"`rates` must be a number from 0 to 1"):
        kp.static_thresholds(model, x, 2)


def test_dynamic_masks_beat_static_ones_of_the_same_density_where_scales_vary():
    model, (x, y) = trained(), data()
    study = kp.compare_activation_masks(model, (x, y), x, rates=[0.2, {"first": 0.1}])
    kinds = [row.kind for row in study.rows]
    assert kinds == ["no mask", "dynamic", "static", "dynamic", "static"]
    none, dynamic, static = study.rows[:3]
    assert none.evaluation["accuracy"] > 0.9
    assert dynamic.density == pytest.approx(static.density, abs=0.02) and dynamic.density < 0.25
    assert dynamic.evaluation["accuracy"] > static.evaluation["accuracy"] + 0.1
    assert [row.setting for row in study.rows] == [None, 0.2, 0.2, 0.1, 0.1]
    assert "dynamic" in str(study) and "20.0%" in str(study)


def test_sampled_thresholds_come_near_the_exact_one():
    model, (x, y) = trained(), data()
    study = kp.sampling_curve(model, (x, y), x, 0.25, samples=[0.05, 0.5, 1.0], seeds=[0, 1])
    exact, *sampled = study.rows
    assert [(row.kind, row.setting) for row in sampled] == [
        ("sampled", share) for share in (0.05, 0.05, 0.5, 0.5, 1.0, 1.0)
    ]
    assert sampled[-1].density == sampled[-2].density == exact.density
    assert sampled[-1].evaluation == pytest.approx(exact.evaluation)
    assert abs(sampled[2].density - exact.density) < 0.08
    assert sampled[0].density != sampled[1].density


def test_density_is_measured_in_every_round_of_pruning():
    model, (x, y) = trained(), data()

    def train(model, callbacks, round):
        model.fit(x, y, epochs=1, callbacks=callbacks, verbose=0)

    before = kp.activation_density(model, x).density
    study = kp.density_while_pruning(model, train, x, (x, y), sparsity=[0.5, 0.8], seed=0)
    assert [row.setting for row in study.rows] == pytest.approx([1.0, 0.5, 0.2], abs=0.01)
    assert study.rows[0].density == before
    assert study.rows[-1].density == kp.activation_density(model, x).density
    assert set(study.rows[0].evaluation) == {"loss", "accuracy"}
    bare = kp.density_while_pruning(model, train, x, sparsity=0.9, rounds=1, seed=0)
    assert bare.rows[0].evaluation == {}


def test_models_must_be_compiled():
    model, (x, y) = network(), data()
    bare = keras.Model(model.input, model.output)
    for study in (
        lambda: kp.compare_activation_masks(bare, (x, y), x),
        lambda: kp.sampling_curve(bare, (x, y), x, 0.5),
    ):
        with pytest.raises(ValueError, match=r"compile it. Received: model="):
            study()


def test_layers_that_share_their_activations_share_a_threshold():
    inputs = keras.Input((16,))
    y = layers.Add()([layers.Dense(8, name="a")(inputs), layers.Dense(8, name="b")(inputs)])
    model = keras.Model(inputs, layers.Dense(2, name="out")(layers.ReLU()(y)))
    found = kp.static_thresholds(model, data()[0], 0.25)
    assert list(found) == ["a", "b"] and found["a"] == found["b"] > 0.0
