"""Models for the tests of surgery: random graphs, and what makes them hard to cut."""

import keras
import numpy as np
from hypothesis import strategies as st

import keras_prune as kp

layers = keras.layers
CHANNELS = 8


def disturb(model, seed=0):
    """Give biases, statistics and scales values, so that dead units emit something."""
    generator = np.random.default_rng(seed)
    for variable in model.variables:
        if "float" in variable.dtype and len(variable.shape) == 1 and variable.shape[0] > 1:
            values = generator.normal(size=variable.shape)
            if variable.name == "moving_variance":
                values = np.abs(values) + 0.5
            variable.assign(values)
    return model


def silence(model):
    """Take the biases and offsets away again: dead units emit nothing."""
    for variable in model.variables:
        if variable.name in ("bias", "beta", "moving_mean"):
            variable.assign(np.zeros(variable.shape))
    return model


def outputs(model, x):
    """The outputs of a model, one array."""
    found = keras.tree.flatten(model(x, training=False))
    parts = [keras.ops.convert_to_numpy(y).reshape(len(y), -1) for y in found]
    return np.concatenate(parts, axis=1)


def assert_same(model, small, x, tolerance=1e-5):
    """Both models make the same of x, up to the rounding of their largest outputs."""
    want, got = outputs(model, x), outputs(small, x)
    assert want.shape == got.shape and np.isfinite(want).all()
    scale = max(1.0, np.abs(want).max())
    np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * scale)


def smaller(model, x, **arguments):
    """Shrink a model, prove that it does the same, and return the smaller one."""
    before = model.get_weights()
    small = kp.shrink(model, **arguments)
    assert_same(model, small, x)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    return small


def _normalized(x, kind):
    if kind == "batch":
        return layers.BatchNormalization()(x)
    if kind == "group":
        return layers.GroupNormalization(groups=4)(x)
    if kind == "layer":
        return layers.LayerNormalization()(x)
    return x


def _block(draw, x, before):
    """One random step; `before` are the tensors so far, some of which have the same shape."""
    kinds = (
        *("conv", "conv", "strided", "grouped", "depthwise", "one_each", "separable"),
        *("transposed", "residual", "concat", "excite", "pad", "pool", "up", "crop", "prelu"),
        *("shared", "minimum", "average", "rescale", "sequential", "dense"),
    )
    kind = draw(st.sampled_from(kinds))
    padding = draw(st.sampled_from(["same", "valid"])) if x.shape[1] > 4 else "same"
    biased = draw(st.booleans())
    like = [tensor for tensor in before if tensor.shape == x.shape]
    if kind == "conv":
        width = draw(st.sampled_from([CHANNELS, 12]))
        return layers.Conv2D(width, 3, padding=padding, use_bias=biased)(x)
    if kind == "strided":
        return layers.Conv2D(CHANNELS, 3, strides=2, padding="same", activation="elu")(x)
    if kind == "grouped":
        return layers.Conv2D(CHANNELS, 3, padding=padding, groups=2, use_bias=biased)(x)
    if kind == "depthwise":
        multiplier = draw(st.sampled_from([1, 2]))
        return layers.DepthwiseConv2D(3, 1, padding, multiplier, use_bias=biased)(x)
    if kind == "one_each":
        return layers.Conv2D(2 * x.shape[-1], 3, padding="same", groups=x.shape[-1])(x)
    if kind == "separable":
        return layers.SeparableConv2D(CHANNELS, 3, padding=padding, use_bias=biased)(x)
    if kind == "transposed":
        return layers.Conv2DTranspose(CHANNELS, 3, padding="same", use_bias=biased)(x)
    if kind == "residual":
        y = layers.Conv2D(x.shape[-1], 3, padding="same", use_bias=biased)(x)
        return layers.Add()([x, layers.BatchNormalization()(y)])
    if kind == "concat" and like:
        return layers.Concatenate()([x, draw(st.sampled_from(like))])
    if kind == "excite":
        s = layers.GlobalAveragePooling2D(keepdims=draw(st.booleans()))(x)
        s = layers.Reshape((1, 1, x.shape[-1]))(s)
        s = layers.Conv2D(4, 1, activation="relu")(s)
        return layers.Multiply()([x, layers.Dense(x.shape[-1], activation="sigmoid")(s)])
    if kind == "pad":
        return layers.ZeroPadding2D()(x)
    if kind == "pool":
        pool = draw(st.sampled_from([layers.MaxPooling2D, layers.AveragePooling2D]))
        return pool(2, padding="same")(x)
    if kind == "up" and x.shape[1] < 8:
        return layers.UpSampling2D()(x)
    if kind == "crop" and x.shape[1] > 4:
        return layers.Cropping2D()(x)
    if kind == "prelu":
        shared = draw(st.sampled_from([[1, 2], None]))
        return layers.PReLU(alpha_initializer="uniform", shared_axes=shared)(x)
    if kind == "shared":
        shared = layers.Conv2D(x.shape[-1], 3, padding="same")
        return layers.Maximum()([shared(x), shared(layers.ReLU()(x))])
    if kind == "minimum" and like:
        return layers.Minimum()([x, draw(st.sampled_from(like))])
    if kind == "average" and like:
        return layers.Average()([x, draw(st.sampled_from(like))])
    if kind == "rescale":
        return x * 0.5 + 0.25
    if kind == "sequential":
        inner = [layers.Conv2D(CHANNELS, 1, use_bias=biased), layers.BatchNormalization()]
        return keras.Sequential([keras.Input(x.shape[1:]), *inner])(x)
    return layers.Dense(CHANNELS, activation="tanh")(x)


def image_model(draw):
    """A Functional model of random blocks, pruned, with values where units are dead.

    Args:
        draw: Callable(strategy) -> value.
    """
    keras.utils.set_random_seed(draw(st.integers(0, 1000)))
    inputs = x = keras.Input((8, 8, 3))
    x = layers.Conv2D(CHANNELS, 3, padding="same")(x)
    before = []
    for _ in range(draw(st.integers(1, 5))):
        before.append(x)
        x = _block(draw, x, before)
        x = _normalized(x, draw(st.sampled_from(["batch", "group", "layer", None])))
        x = draw(st.sampled_from([layers.ReLU(), layers.Activation("silu"), lambda x: x]))(x)
    reduce = draw(st.sampled_from([layers.Flatten, layers.GlobalAveragePooling2D]))
    hidden = layers.Dense(CHANNELS, "relu", name="hidden")(reduce()(x))
    model = keras.Model(inputs, layers.Dense(3, name="logits")(hidden))
    disturb(model)
    if draw(st.booleans()):
        silence(model)
    shape = kp.Filter(coupled=draw(st.booleans()))
    kp.prune(model, draw(st.sampled_from([0.25, 0.5, 0.8])), granularity=shape)
    if draw(st.booleans()):
        kp.prune(model, 0.7, granularity="channel")
    return model
