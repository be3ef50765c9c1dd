"""Other widths, other layers, other statistics."""

import keras
import numpy as np
import pytest

import keras_prune as kp
from tests.surgery.graphs import assert_same, disturb, outputs

pytestmark = pytest.mark.all_backends
layers = keras.layers


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def network():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, padding="same", name="stem")(inputs)
    y = layers.Conv2D(8, 3, padding="same", activation="relu", name="branch")(x)
    x = layers.BatchNormalization(name="bn")(layers.Add()([x, y]))
    x = layers.Dense(6, name="fc")(layers.Flatten(name="flat")(x))
    return disturb(keras.Model(inputs, layers.Dense(2, name="logits")(x)))


def test_widths_change_with_those_that_belong_together_and_weights_are_fresh():
    model = network()
    small = kp.resize(model, {"stem": 5, "fc": 3})
    assert small.get_layer("stem").filters == small.get_layer("branch").filters == 5
    assert small.get_layer("fc").units == 3 and small.get_layer("fc").kernel.shape[0] == 5 * 64
    assert outputs(small, normal(2, 8, 8, 3)).shape == (2, 2)
    kernels = [keras.ops.convert_to_numpy(m.get_layer("stem").kernel) for m in (model, small)]
    assert abs(kernels[0][..., :5] - kernels[1]).max() > 0.01
    assert (keras.ops.convert_to_numpy(small.get_layer("bn").moving_mean) == 0.0).all()


@pytest.mark.parametrize(
    "widths, text",
    [
        ({"missing": 3}, "No layer of that name has units"),
        ({"stem": 0}, "must be an integer from 1 to 8. Received: stem=0"),
        ({"stem": 9}, "must be an integer from 1 to 8. Received: stem=9"),
        ({"stem": 2.0}, "must be an integer"),
        ({"stem": 4, "branch": 6}, "it can only be cut together with another"),
        ({"logits": 1}, "must stay: it makes the model's outputs"),
        ({"flat": 3}, "No layer of that name has units"),
    ],
)
def test_wrong_widths_get_a_sentence(widths, text):
    with pytest.raises(ValueError, match=text):
        kp.resize(network(), widths)


def twins():
    """Two nested models whose layers have the same names and the same paths."""
    inputs = keras.Input((4,))
    x = inputs
    for name in "ab":
        inner = keras.Input((4,))
        x = keras.Model(inner, layers.Dense(4, name="fc")(inner), name=name)(x)
    return keras.Model(inputs, layers.Dense(2, name="logits")(x))


def test_layers_of_one_name_are_told_apart():
    model = twins()
    assert set(kp.plan_shrink(model).widths) == {"fc (1)", "fc (2)", "logits"}
    small = kp.resize(model, {"fc (1)": 3})
    assert [small.get_layer(name).get_layer("fc").units for name in "ab"] == [3, 4]
    other = kp.replace(model, {"fc (2)": []})
    assert [len(other.get_layer(name).layers) for name in "ab"] == [2, 1]
    with pytest.raises(ValueError, match=r"has no layers \['fc'\]. Expected some of .*fc \(1\)"):
        kp.replace(model, {"fc": []})


def test_a_layer_is_replaced_by_others_and_the_rest_keeps_its_weights():
    model, x = network(), normal(2, 8, 8, 3)
    twin = layers.Conv2D(8, 3, padding="same", activation="relu", name="twin")
    twin.build((None, 8, 8, 8))
    twin.set_weights(model.get_layer("branch").get_weights())
    parts = [layers.Identity(name="before"), twin]
    new = kp.replace(model, {"branch": parts})
    assert_same(model, new, x)
    assert [layer.name for layer in new.layers].count("twin") == 1
    without = kp.replace(model, {"branch": []})
    assert "branch" not in [layer.name for layer in without.layers]
    assert not np.allclose(outputs(without, x), outputs(model, x))


def test_layers_of_a_sequential_and_of_a_nested_model_are_replaced():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(5, name="a"), layers.Dense(3)])
    model = keras.Sequential([keras.Input((4,)), inner, layers.ReLU(name="r"), layers.Dense(2)])
    new = kp.replace(model, {"r": layers.Activation("relu", name="act")})
    assert isinstance(new, keras.Sequential)
    assert_same(model, new, normal(3, 4))
    new = kp.replace(model, {"a": [layers.Dense(7, name="b"), layers.Dense(5, name="c")]})
    assert [layer.name for layer in new.layers[0].layers][:2] == ["b", "c"]


@pytest.mark.parametrize(
    "new, text",
    [
        ({"missing": layers.ReLU}, "has no layers ..missing"),
        ({"branch": lambda: layers.Dense(7)}, "do not fit in the place of the old ones"),
    ],
)
def test_wrong_replacements_get_a_sentence(new, text):
    with pytest.raises(ValueError, match=text):
        kp.replace(network(), {name: make() for name, make in new.items()})


def test_statistics_are_those_of_the_data_whatever_they_were():
    model = network()
    before = model.get_weights()
    bn = model.get_layer("bn")
    bn.trainable = False
    x = normal(40, 8, 8, 3) + 1.0
    assert kp.recalibrate_batch_norm(model, x, batch_size=10) == 1
    inner = keras.Model(model.input, bn.input)
    values = outputs(inner, x).reshape(4, -1, 8)  # batches of equal size
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(bn.moving_mean), values.mean(axis=(0, 1)), atol=1e-4
    )
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(bn.moving_variance), values.var(axis=1).mean(axis=0), rtol=1e-3
    )
    assert not bn.trainable and bn.momentum == 0.99 and "call" not in vars(bn)
    for variable, old in zip(model.variables, before, strict=True):
        if "moving" not in variable.name:
            np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), old)


def test_without_data_nothing_is_calibrated():
    model = network()
    before = model.get_weights()
    with pytest.raises(ValueError, match="holds no sample"):
        kp.recalibrate_batch_norm(model, [])
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
