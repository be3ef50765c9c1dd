"""Networks of any widths that the tests of shrinking share."""

import keras

from keras_prune.layers import ParameterFreeShortcut
from tests.recipes.round_models import X, Y

layers = keras.layers
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def compiled(model, optimizer=None):
    model.compile(optimizer or keras.optimizers.Adam(0.01), LOSS, metrics=["accuracy"])
    return model


def dense(widths):
    """8-16-12-3 with normalization and dropout, or of other widths."""
    return compiled(
        keras.Sequential(
            [
                keras.Input((8,)),
                layers.Dense(widths.get("first", 16), name="first"),
                layers.BatchNormalization(name="norm"),
                layers.ReLU(name="relu"),
                layers.Dropout(0.2, name="dropout"),
                layers.Dense(widths.get("second", 12), "relu", name="second"),
                layers.Dense(3, name="logits"),
            ],
            name="dense",
        )
    )


def residual(widths):
    """Two blocks around shortcuts without parameters, for (8, 8, 1)."""
    x = inputs = keras.Input((8, 8, 1))
    x = normalized(x, widths.get("stem", 6), 1, "stem")
    for block, strides in (("a", 1), ("b", 2)):
        filters = widths.get(f"{block}2", 6 * strides)
        y = normalized(x, widths.get(f"{block}1", 8), strides, f"{block}1")
        y = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{block}2")(y)
        y = layers.BatchNormalization(name=f"{block}2_norm")(y)
        shortcut = ParameterFreeShortcut(filters, strides, name=f"{block}_shortcut")(x)
        x = layers.ReLU(name=f"{block}2_relu")(layers.Add(name=f"{block}_sum")([y, shortcut]))
    x = layers.Flatten(name="flatten")(layers.MaxPooling2D(name="pool")(x))
    return compiled(keras.Model(inputs, layers.Dense(3, name="logits")(x), name="residual"))


def normalized(x, filters, strides, name):
    x = layers.Conv2D(filters, 3, strides, "same", use_bias=False, name=name)(x)
    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(name=f"{name}_norm")(x))


def fit(model, callbacks, round, epochs=4, **arguments):
    """The plain `train`: some epochs in shuffled batches of 8."""
    del round
    model.fit(X, Y, batch_size=8, epochs=epochs, callbacks=callbacks, verbose=0, **arguments)
