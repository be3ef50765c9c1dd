"""Networks as people have them: an inverted-residual network, SE blocks, a transformer, an
encoder with a decoder. `benchmarks/applications.py` prunes the large ones.
"""

import keras
import numpy as np
import pytest

from keras_prune.callbacks import PruneCallback
from keras_prune.one_shot import prune
from tests.small_models import ZeroProbe

layers = keras.layers
DEPTHWISE = "depthwise kernel: few weights, one input each"
OUTPUTS = "makes the model's outputs, which must all stay"


def mobilenet():
    return keras.applications.MobileNetV2(
        input_shape=(32, 32, 3), alpha=0.35, weights=None, classes=10
    )


def efficientnet():
    return keras.applications.EfficientNetV2B0(input_shape=(32, 32, 3), weights=None, classes=10)


def convnext():
    """A block of ConvNeXt: a convolution in as many groups as channels, and a learned scale."""
    inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(16, 4, strides=4)(inputs)
    y = layers.Conv2D(16, 7, padding="same", groups=16)(x)
    y = layers.Dense(64, activation="gelu")(layers.LayerNormalization()(y))
    y = Scale()(layers.Dense(16)(y))
    x = layers.GlobalAveragePooling2D()(layers.Add()([x, y]))
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


@keras.saving.register_keras_serializable("tests")
class Scale(layers.Layer):
    """Multiplies every channel with a number."""

    def build(self, shape):
        self.gamma = self.add_weight(shape=shape[-1:], initializer="ones", name="gamma")

    def call(self, inputs):
        return inputs * self.gamma


def attended(x, memory, **arguments):
    y = layers.LayerNormalization()(x)
    return layers.Add()([x, layers.MultiHeadAttention(2, 8)(y, memory(y), **arguments)])


def fed_forward(x):
    y = layers.Dense(64, activation="gelu")(layers.LayerNormalization()(x))
    return layers.Add()([x, layers.Dense(16)(y)])


def transformer():
    tokens = keras.Input((8,), dtype="int32")
    x = layers.Embedding(30, 16)(tokens)
    x = fed_forward(attended(x, lambda y: y))
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(tokens, layers.Dense(10, activation="softmax")(x))


def translator():
    """Encoder and decoder."""
    source, target = (keras.Input((size,), dtype="int32") for size in (8, 6))
    memory = fed_forward(attended(layers.Embedding(30, 16)(source), lambda y: y))
    x = attended(layers.Embedding(30, 16)(target), lambda y: y, use_causal_mask=True)
    x = fed_forward(attended(x, lambda y: memory))
    return keras.Model([source, target], layers.Dense(30, activation="softmax")(x))


# How many kernels each has, and how many of them are depthwise.
MODELS = {
    "mobilenet": (mobilenet, 53, 17),
    "efficientnet": (efficientnet, 92, 16),
    "convnext": (convnext, 5, 1),
    "transformer": (transformer, 8, 0),
    "translator": (translator, 19, 0),
}


@pytest.fixture(scope="module", params=sorted(MODELS))
def built(request):
    """A model, its first weights and how many kernels it has: all, and depthwise ones."""
    make, kernels, depthwise = MODELS[request.param]
    keras.utils.set_random_seed(0)
    model = make()
    return model, model.get_weights(), kernels, depthwise


def batch(model, rows=8):
    """Random inputs and labels that fit a model."""
    generator = np.random.default_rng(0)

    def draw(tensor):
        if tensor.dtype == "int32":
            return generator.integers(0, 30, (rows, *tensor.shape[1:]))
        return generator.normal(size=(rows, *tensor.shape[1:])).astype("float32")

    size = model.output.shape
    labels = generator.integers(0, size[-1], (rows, *size[1:-1]))
    return keras.tree.map_structure(draw, model.input), labels


def outputs_of(model):
    return keras.ops.convert_to_numpy(model(batch(model)[0], training=False))


# Arguments, and what the kernels that are left alone say, besides the depthwise ones.
SETTINGS = [
    ({}, set()),
    ({"allocation": "global"}, set()),
    ({"allocation": "erk"}, set()),
    ({"granularity": "1x4"}, set()),
    ({"granularity": "4x1", "allocation": "global"}, set()),
    ({"granularity": "2:4"}, {"3 inputs are fewer than one window of NM(2, 4)"}),
    ({"granularity": "filter"}, {OUTPUTS}),
    ({"granularity": "channel", "allocation": "global"}, set()),
]


# One threshold over weights that were never trained empties narrow layers.
@pytest.mark.filterwarnings("ignore:Pruning has cut the model:UserWarning")
@pytest.mark.parametrize("arguments, reasons", SETTINGS, ids=lambda value: str(value))
def test_every_kernel_is_pruned_or_says_why_not(built, arguments, reasons):
    model, weights, kernels, depthwise = built
    model.set_weights(weights)
    sparsity = None if arguments.get("granularity") == "2:4" else 0.8
    report = prune(model, sparsity, **arguments)
    assert report.reached, report
    assert len(report.weights) == kernels
    skipped = [weight.skip for weight in report.skipped]
    assert skipped.count(DEPTHWISE) == depthwise
    assert set(skipped) - {DEPTHWISE} <= reasons
    if arguments.get("allocation") != "global":
        for weight in report.pruned:
            assert abs(weight.asked - weight.achieved) * weight.size <= weight.slack + 1e-6
    assert np.isfinite(outputs_of(model)).all()


def test_the_pruned_model_is_saved_and_loaded_as_it_is(built, tmp_path):
    model, weights, _, _ = built
    model.set_weights(weights)
    prune(model, 0.8)
    expected = outputs_of(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(outputs_of(loaded), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("built", ["convnext", "transformer", "translator"], indirect=True)
@pytest.mark.parametrize("criterion", ["magnitude", "sensitivity"])
@pytest.mark.all_backends
def test_small_ones_are_pruned_while_they_train(built, criterion):
    model, weights, _, depthwise = built
    model.set_weights(weights)
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
    x, y = batch(model)
    data = (x, y) if criterion == "sensitivity" else None
    callback = PruneCallback(0.8, criterion, allocation="global", data=data)
    model.fit(x, y, epochs=2, batch_size=4, verbose=0, callbacks=[callback, ZeroProbe()])
    assert callback.report.reached
    assert len(callback.report.skipped) == depthwise
    assert np.isfinite(outputs_of(model)).all()
