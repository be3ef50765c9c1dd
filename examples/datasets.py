"""Real data sets for the examples and benchmarks: digits, MNIST, Fashion-MNIST, CIFAR-10.

`digits` ships with scikit-learn. The others are read from the folder that
`KERAS_PRUNE_DATA` names (or a `shared/data` folder beside the checkout) where
it has them, else downloaded by Keras.
"""

import dataclasses
import gzip
import os
import pathlib

import numpy as np

NAMES = ("digits", "mnist", "fashion_mnist", "cifar10")


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Images in [0, 1] of shape `(n, height, width, channels)` with integer labels.

    `validation` is for choosing, `test` is for reporting once.
    """

    name: str
    train: tuple
    validation: tuple
    test: tuple

    @property
    def input_shape(self):
        return self.train[0].shape[1:]


def load(name, validation_fraction=0.1, seed=0):
    """Load a data set by name.

    Args:
        name: One of `NAMES`.
        validation_fraction: Float. The part of the training set that is set
            apart for validation. Defaults to `0.1`.
        seed: Int. Seeds the split. Defaults to `0`.

    Returns:
        A `Dataset`.
    """
    loaders = {"digits": _digits, "mnist": _idx, "fashion_mnist": _idx, "cifar10": _cifar10}
    if name not in loaders:
        raise ValueError(f"Unknown data set. Expected one of {NAMES}. Received: name={name!r}")
    (x, y), test = loaders[name](name)
    order = np.random.default_rng(seed).permutation(len(x))
    held_out = round(len(x) * validation_fraction)
    validation, train = order[:held_out], order[held_out:]
    return Dataset(name, (x[train], y[train]), (x[validation], y[validation]), test)


def find_data_dir():
    """Folder with the real data, or `None`.

    `KERAS_PRUNE_DATA` names it; else a `shared/data` folder beside the checkout
    or beside one of its parents is taken.
    """
    named = os.environ.get("KERAS_PRUNE_DATA")
    if named:
        return pathlib.Path(named)
    for parent in pathlib.Path(__file__).resolve().parents:
        if (parent / "shared" / "data").is_dir():
            return parent / "shared" / "data"
    return None


def _digits(_):
    """1,797 images of 8x8 pixels; two thirds train, one third tests, by class."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    data = load_digits()
    x = (data.images[..., None] / 16.0).astype("float32")
    x, x_test, y, y_test = train_test_split(
        x, data.target, test_size=1 / 3, random_state=0, stratify=data.target
    )
    return (x, y), (x_test, y_test)


def _idx(name):
    """MNIST and Fashion-MNIST, from IDX files where they are, else from Keras."""
    folder = find_data_dir()
    if folder is None or not (folder / name).is_dir():
        import keras

        (x, y), (x_test, y_test) = getattr(keras.datasets, name).load_data()
    else:
        x, y = _read_idx(folder / name, "train")
        x_test, y_test = _read_idx(folder / name, "t10k")
    return (_unit(x[..., None]), y.astype(int)), (_unit(x_test[..., None]), y_test.astype(int))


def _read_idx(folder, part):
    images = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    pixels = np.frombuffer(images, np.uint8, offset=16)
    return pixels.reshape(-1, 28, 28), np.frombuffer(labels, np.uint8, offset=8)


def _cifar10(_):
    """CIFAR-10; the stored copy holds differences of pixels, modulo 256."""
    folder = find_data_dir()
    if folder is None or not (folder / "cifar10").is_dir():
        import keras

        (x, y), (x_test, y_test) = keras.datasets.cifar10.load_data()
        return (_unit(x), y.ravel().astype(int)), (_unit(x_test), y_test.ravel().astype(int))
    parts = [_read_delta(folder / f"cifar10/cifar10_jpeg_train_{i}.npz") for i in range(1, 6)]
    x, y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    x_test, y_test = _read_delta(folder / "cifar10/cifar10_jpeg_test.npz")
    return (_unit(x), y.astype(int)), (_unit(x_test), y_test.astype(int))


def _read_delta(path):
    with np.load(path) as file:
        images, labels = file["x_delta"], file["y"]
    for axis in (0, 2, 3):  # (plane, n, row, column)
        images = np.cumsum(images, axis=axis, dtype=np.uint8)
    return np.moveaxis(images, 0, -1), labels


def _unit(images):
    return (images / np.float32(255.0)).astype("float32")
