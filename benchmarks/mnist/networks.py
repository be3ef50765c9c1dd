"""The two networks of the tables."""

import keras
from keras import layers

INPUT = (28, 28, 1)


def lenet_300_100(dropout=0.0):
    """784-300-100-10: 266,200 weights in kernels."""
    return keras.Sequential(
        [
            keras.Input(INPUT),
            layers.Flatten(),
            layers.Dense(300, activation="relu", name="fc1"),
            layers.Dropout(dropout),
            layers.Dense(100, activation="relu", name="fc2"),
            layers.Dropout(dropout),
            layers.Dense(10, name="fc3"),
        ]
    )


def lenet_5(dropout=0.0):
    """LeNet-5 as Caffe has it, without activations after convolutions: 430,500 weights."""
    return keras.Sequential(
        [
            keras.Input(INPUT),
            layers.Conv2D(20, 5, name="conv1"),
            layers.MaxPooling2D(),
            layers.Conv2D(50, 5, name="conv2"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(500, activation="relu", name="fc1"),
            layers.Dropout(dropout),
            layers.Dense(10, name="fc2"),
        ]
    )


NETWORKS = {"LeNet-300-100": lenet_300_100, "LeNet-5": lenet_5}
