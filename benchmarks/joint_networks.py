"""The networks of `benchmarks.joint_pruning`, and what their papers say."""

import dataclasses

import keras
import numpy as np

CROP = 24  # of CIFAR-10's 32 x 32
layers = keras.layers


def mlp_3():
    """784-300-100-10."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(300, activation="relu", name="fc1"),
            layers.Dropout(0.3),
            layers.Dense(100, activation="relu", name="fc2"),
            layers.Dropout(0.3),
            layers.Dense(10, name="logits"),
        ]
    )


def lenet_4():
    """LeNet-5 as Caffe has it, with a ReLU behind each layer: four layers with weights."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(20, 5, activation="relu", name="conv1"),
            layers.MaxPooling2D(),
            layers.Conv2D(50, 5, activation="relu", name="conv2"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(500, activation="relu", name="fc1"),
            layers.Dropout(0.4),
            layers.Dense(10, name="logits"),
        ]
    )


def convnet_5():
    """Two convolutions and three dense layers, for crops of 24 x 24."""
    stack = [keras.Input((CROP, CROP, 3))]
    for name in ("conv1", "conv2"):
        stack.append(layers.Conv2D(64, 5, padding="same", activation="relu", name=name))
        stack.append(layers.MaxPooling2D(3, 2, padding="same"))
        stack.append(layers.BatchNormalization(name=f"{name}_norm"))
    stack += [layers.Flatten(), layers.Dense(384, activation="relu", name="fc1")]
    stack += [layers.Dropout(0.5), layers.Dense(192, activation="relu", name="fc2")]
    return keras.Sequential([*stack, layers.Dropout(0.5), layers.Dense(10, name="logits")])


class Crops(keras.utils.PyDataset):
    """Random crops, half of them mirrored, in a new order every epoch."""

    def __init__(self, x, y, batch, seed):
        super().__init__()
        self.x, self.y, self.batch = x, y, batch
        self.generator = np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self):
        return -(-len(self.x) // self.batch)

    def __getitem__(self, index):
        chosen = self.order[index * self.batch : (index + 1) * self.batch]
        margin = self.x.shape[1] - CROP + 1
        top, left = self.generator.integers(0, margin, (2, len(chosen), 1, 1))
        pixels = np.arange(CROP)
        images = self.x[chosen[:, None, None], top + pixels[:, None], left + pixels]
        mirrored = self.generator.random(len(chosen)) < 0.5
        images[mirrored] = images[mirrored, :, ::-1]
        return images, self.y[chosen]

    def on_epoch_end(self):
        self.order = self.generator.permutation(len(self.x))


def middle(x):
    """The crops that are evaluated."""
    start = (x.shape[1] - CROP) // 2
    return x[:, start : start + CROP, start : start + CROP]


@dataclasses.dataclass(frozen=True)
class Network:
    """One row.

    Args:
        make: Callable() -> `keras.Model` that is not compiled.
        data: Str. The data set.
        published: Dict with the paper's dense and joint accuracy in %, activations in %,
            compression, and multiply-accumulates in %.
        sparsities: Dict from layers to the sparsity that their weights end with.
        epochs: Tuple of ints: of the dense network, of every round, of the fine-tuning.
        rounds: Int.
        rate: Float. The learning rate of the dense network, for Adam along a cosine; rounds
            begin with half of it.
        tolerance: Float. See `kp.joint_prune`.
        crops: Bool. Whether images are cropped and mirrored.
        images: Int. How many training images are used. Defaults to `None`: all.
    """

    make: object
    data: str
    published: dict
    sparsities: dict
    epochs: tuple
    rounds: int
    rate: float = 1e-3
    tolerance: float = 0.02
    crops: bool = False
    images: int | None = None


def _published(dense, joint, activations, compression, macs):
    return {
        "dense": dense,
        "joint": joint,
        "activations": activations,
        "compression": compression,
        "macs": macs,
    }


NETWORKS = {
    "MLP-3": Network(
        mlp_3,
        "mnist",
        _published(98.41, 98.42, 17.1, 10.0, 3.65),
        {"fc1": 0.91, "fc2": 0.91, "logits": 0.8},
        epochs=(30, 10, 30),
        rounds=4,
        tolerance=0.01,
    ),
    "Lenet-4": Network(
        lenet_4,
        "mnist",
        _published(99.4, 99.0, 5.5, 12.3, 1.2),
        {"conv1": 0.6, "conv2": 0.9, "fc1": 0.93, "logits": 0.8},
        epochs=(10, 3, 6),
        rounds=4,
    ),
    "ConvNet-5": Network(
        convnet_5,
        "cifar10",
        _published(86.0, 85.9, 43.6, 2.5, 27.7),
        {"conv1": 0.3, "conv2": 0.5, "fc1": 0.65, "fc2": 0.7, "logits": 0.5},
        epochs=(24, 6, 12),
        rounds=2,
        crops=True,
        images=15_000,
    ),
}
