"""Small models and data that the tests share. Only keras and numpy."""

import keras
import numpy as np


def toy_data(rows=64, features=8, classes=3):
    """Float32 features (rows, features) and int labels (rows,), always the same."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows, features)).astype("float32")
    return x, generator.integers(0, classes, rows)


def mlp(optimizer="adam", seed=0, **compile_arguments):
    """Compiled 8-16-3 network. Its kernels have 128 and 48 weights."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(16, activation="relu", name="hidden"),
            keras.layers.Dense(3, name="logits"),
        ],
        name="mlp",
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, **compile_arguments)
    return model


def kernels(model):
    """The kernels of a model as numpy arrays."""
    return [
        keras.ops.convert_to_numpy(variable.value)
        for variable in model.trainable_variables
        if variable.name == "kernel"
    ]


def zeros_of(model):
    """One bool array a kernel: True where the weight is exactly +0.0."""
    return [(kernel == 0.0) & ~np.signbit(kernel) for kernel in kernels(model)]


class ZeroProbe(keras.callbacks.Callback):
    """Looks at the zeros whenever Keras calls, and fails as soon as one comes back."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def look(self):
        now = zeros_of(self.model)
        assert all(
            (kernel != 0.0).sum() + zero.sum() == kernel.size
            for kernel, zero in zip(kernels(self.model), now, strict=True)
        )
        if self.seen:
            for before, after in zip(self.seen[-1], now, strict=True):
                assert not np.any(before & ~after), "a pruned weight came back"
        self.seen.append(now)

    @property
    def sparsities(self):
        """Sparsity over all kernels at each look."""
        return [
            sum(zero.sum() for zero in zeros) / sum(zero.size for zero in zeros)
            for zeros in self.seen
        ]

    def on_train_batch_end(self, batch, logs=None):
        self.look()

    def on_test_batch_end(self, batch, logs=None):
        self.look()

    def on_epoch_end(self, epoch, logs=None):
        self.look()

    def on_train_end(self, logs=None):
        self.look()
