"""Masks put behind the activations of models that exist."""

import keras
import numpy as np
import pytest
from ai_edge_litert import interpreter

import keras_prune as kp
from keras_prune.layers import WinnerTakeAll

pytestmark = pytest.mark.all_backends
layers = keras.layers


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def outputs(model, x):
    return keras.ops.convert_to_numpy(model(x))


def lenet():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(4, 3, name="conv")(inputs)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.ReLU(name="relu")(x)
    x = layers.Flatten(name="flat")(layers.MaxPooling2D(name="pool")(x))
    x = layers.Dense(16, activation="relu", name="fc")(x)
    return keras.Model(inputs, layers.Dense(3, name="logits")(x))


def masks_of(model):
    return {
        layer.name: layer.rate for layer in model._flatten_layers() if type(layer) is WinnerTakeAll
    }


def test_masks_stand_behind_the_non_linearity_and_before_the_pooling():
    model, x = lenet(), normal(5, 8, 8, 1)
    masked = kp.attach_activation_masks(model, {"conv": 0.2, "fc": 0.5}, sample=0.5, seed=3)
    names = [layer.name for layer in masked.layers]
    assert names.index("conv_winners") == names.index("relu") + 1 == names.index("pool") - 1
    assert names.index("fc_winners") == names.index("fc") + 1
    assert masks_of(masked) == {"conv_winners": 0.2, "fc_winners": 0.5}
    assert masked.get_layer("fc_winners").sample == 0.5 and masked.get_layer("fc_winners").seed == 3
    assert masks_of(model) == {}
    exact = kp.attach_activation_masks(model, {"conv": 0.2, "fc": 0.25})
    inner = keras.Model(exact.input, [exact.get_layer(n).output for n in ("conv_winners", "relu")])
    found, dense = (keras.ops.convert_to_numpy(y) for y in inner(x))
    assert (np.count_nonzero(found, axis=(1, 2, 3)) == round(0.2 * 6 * 6 * 4)).all()
    assert set(np.unique(found)) <= {*np.unique(dense), 0.0}


def test_rates_change_and_a_rate_of_one_takes_the_mask_away():
    model, x = lenet(), normal(5, 8, 8, 1)
    masked = kp.attach_activation_masks(model, 0.3)
    assert masks_of(masked) == {"conv_winners": 0.3, "fc_winners": 0.3}
    other = kp.attach_activation_masks(masked, {"conv": 0.6, "fc": 1.0})
    assert masks_of(other) == {"conv_winners": 0.6}
    none = kp.attach_activation_masks(other, 1.0)
    assert [layer.name for layer in none.layers] == [layer.name for layer in model.layers]
    np.testing.assert_allclose(outputs(none, x), outputs(model, x), atol=1e-6)
    assert np.abs(outputs(masked, x) - outputs(model, x)).max() > 1e-3


def test_masked_models_train_together_with_weight_masks_and_are_saved(tmp_path):
    model, x = lenet(), normal(64, 8, 8, 1)
    masked = kp.attach_activation_masks(model, {"conv": 0.2, "fc": 0.25})
    kp.prune(masked, 0.8)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    masked.compile("adam", loss)
    masked.fit(x, np.arange(64) % 3, verbose=0, callbacks=[kp.PruneCallback(0.8)])
    assert kp.sparsity(masked).total >= 0.79
    masked.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(outputs(loaded, x), outputs(masked, x), atol=1e-6)
    assert masks_of(kp.strip(masked)) == masks_of(masked)


def test_what_is_counted_are_the_winners():
    masked = kp.attach_activation_masks(lenet(), {"conv": 0.125, "fc": 0.25})
    x = normal(6, 8, 8, 1)
    rows = {row.path: row for row in kp.cost(masked, data=x).layers}
    assert rows["conv"].activation_density == pytest.approx(18 / 144)
    assert rows["fc"].activation_density == pytest.approx(4 / 16)


def test_residual_sums_nested_and_subclassed_models():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6,))
    inner_input = keras.Input((8,))
    inner = keras.Model(inner_input, layers.Dense(8, activation="relu", name="in")(inner_input))
    stem = layers.Dense(8, activation="relu", name="stem")(inputs)
    y = layers.Add()([layers.Dense(8, name="branch")(inner(stem)), stem])
    model = keras.Model(inputs, layers.Dense(2, name="logits")(keras.ops.relu(y)))
    masked = kp.attach_activation_masks(model, {"branch": 0.5, "in": 0.25, "stem": 0.75})
    assert masks_of(masked) == {"stem_winners": 0.75, "in_winners": 0.25, "branch_winners": 0.5}

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = layers.Dense(8, activation="relu", name="first")
            self.middle = layers.Dense(8, name="middle")
            self.last = layers.Dense(2, name="last")

        def call(self, inputs):
            return self.last(keras.ops.relu(self.middle(self.first(inputs))))

    own = Own()
    own(normal(2, 6))
    masked = kp.attach_activation_masks(own, 0.25)
    assert masks_of(masked) == {"first_winners": 0.25, "middle_winners": 0.25}


@pytest.mark.parametrize(
    "rates, text",
    [
        ({"missing": 0.5}, r"Expected some of .*'conv'.*Received: 'missing'"),
        ({"logits": 0.5}, "`logits` makes outputs of the model, which are not masked. Received: "),
        ({"conv": 1.5}, r"`rates\['conv'\]` must be a number from 0 to 1"),
        (-1, "`rates` must be a number from 0 to 1. Received: rates=-1"),
        ("half", "Received: rates='half'"),
    ],
)
def test_wrong_rates_get_a_sentence(rates, text):
    with pytest.raises(ValueError, match=text):
        kp.attach_activation_masks(lenet(), rates)


def test_layers_that_share_their_activations_need_one_rate():
    inputs = keras.Input((6,))
    y = layers.Add()([layers.Dense(8, name="a")(inputs), layers.Dense(8, name="b")(inputs)])
    model = keras.Model(inputs, layers.Dense(2)(layers.ReLU(name="relu")(y)))
    with pytest.raises(ValueError, match="Layers `a` and `b` share their activations"):
        kp.attach_activation_masks(model, {"a": 0.5, "b": 0.25})
    masked = kp.attach_activation_masks(model, {"a": 0.5, "b": 0.5})
    assert masks_of(masked) == {"a_winners": 0.5}


@pytest.mark.parametrize("quantize", [None, "int8"])
def test_masks_are_exported_as_stock_operators(tmp_path, quantize):
    x = normal(32, 8, 8, 1)
    masked = kp.attach_activation_masks(lenet(), {"conv": 0.25, "fc": 0.25}, sample=0.5, seed=0)
    data = x if quantize else None
    kp.export_tflite(masked, tmp_path / "m.tflite", quantize=quantize, representative_data=data)
    reader = interpreter.Interpreter(str(tmp_path / "m.tflite"))
    reader.allocate_tensors()
    names = [detail["op_name"] for detail in reader._get_ops_details()]
    assert names.count("TOPK_V2") == names.count("GATHER") == 2
    assert not [name for name in names if "CUSTOM" in name.upper() or "FLEX" in name.upper()]


def test_a_mask_that_is_the_non_linearity_leaves_it_behind():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6,))
    x = layers.Dense(8, name="fc")(inputs)
    x = WinnerTakeAll(0.5, activation="relu", name="both")(x)
    model = keras.Model(inputs, layers.Dense(2)(x))
    x = normal(5, 6)
    hidden = np.maximum(x @ keras.ops.convert_to_numpy(model.get_layer("fc").kernel), 0.0)
    logits = model.layers[-1]
    bare = kp.attach_activation_masks(model, {"fc": 1.0})
    expected = hidden @ keras.ops.convert_to_numpy(logits.kernel)
    np.testing.assert_allclose(outputs(bare, x), expected, atol=1e-5)
    masked = kp.attach_activation_masks(model, {"fc": 0.25})
    assert masks_of(masked) == {"fc_winners": 0.25}
    assert kp.activation_density(masked, x).layers["fc"].density <= 0.25


def test_static_masks():
    model, x = lenet(), normal(32, 8, 8, 1)
    masked = kp.attach_activation_masks(model, thresholds={"conv": 0.2, "fc": 0.0})
    masks = [x for x in masked.layers if isinstance(x, kp.layers.ActivationThreshold)]
    assert [(mask.name, mask.threshold) for mask in masks] == [("conv_threshold", 0.2)]
    before, after = (kp.activation_histograms(m, x, filters="conv") for m in (model, masked))
    assert after["conv"].zeros > before["conv"].zeros
    for wrong in ({}, {"rates": 0.5, "thresholds": 0.5}, {"thresholds": 0.5, "groups": 2}):
        with pytest.raises(ValueError, match=r"One of `rates`.*Received: rates="):
            kp.attach_activation_masks(model, **wrong)
    with pytest.raises(ValueError, match=r"`threshold` must be a number >= 0"):
        kp.attach_activation_masks(model, thresholds=-1.0)
