"""The networks that benchmarks train. `keras` is Keras 3, or tf_keras for TFMOT's sake."""


def lenet_300_100(keras):
    """784-300-100-10: 266,200 weights."""
    layers = keras.layers
    inputs = keras.Input((784,))
    x = layers.Dense(300, activation="relu")(inputs)
    x = layers.Dense(100, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(10)(x))


def lenet_5(keras):
    """LeNet-5 as Caffe has it, for 28 x 28 images: 430,500 weights."""
    layers = keras.layers
    inputs = keras.Input((28, 28, 1))
    x = layers.MaxPooling2D()(layers.Conv2D(20, 5)(inputs))
    x = layers.MaxPooling2D()(layers.Conv2D(50, 5)(x))
    x = layers.Dense(500, activation="relu")(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(10)(x))


def resnet_20(keras):
    """ResNet-20 for 32 x 32 images, with 1 x 1 convolutions as projections: 270,896 weights."""
    inputs = keras.Input((32, 32, 3))
    x = _normalized(keras, inputs, 16, 3, 1)
    for filters, first_stride in ((16, 1), (32, 2), (64, 2)):
        for stride in (first_stride, 1, 1):
            y = _normalized(keras, x, filters, 3, stride)
            y = _normalized(keras, y, filters, 3, 1, activation=None)
            if stride > 1:
                x = _normalized(keras, x, filters, 1, stride, activation=None)
            x = keras.layers.Activation("relu")(keras.layers.Add()([x, y]))
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(10)(x))


def _normalized(keras, x, filters, window, stride, activation="relu"):
    x = keras.layers.Conv2D(filters, window, stride, "same", use_bias=False)(x)
    x = keras.layers.BatchNormalization()(x)
    return x if activation is None else keras.layers.Activation(activation)(x)


NETWORKS = {"lenet_300_100": lenet_300_100, "lenet_5": lenet_5, "resnet_20": resnet_20}
