"""The networks of `benchmarks.joint_pruning`, and what their papers say."""

import dataclasses

import keras
import numpy as np

layers = keras.layers


def mlp_3():
    """784-300-100-10."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(300, activation="relu", name="fc1"),
            layers.Dropout(0.2),
            layers.Dense(100, activation="relu", name="fc2"),
            layers.Dropout(0.2),
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
    """Two convolutions and three dense layers, for crops of 24 x 24.

    Its normalization stands before the ReLU: behind it zeros would be zero no longer.
    """
    stack = [keras.Input((24, 24, 3))]
    for name in ("conv1", "conv2"):
        stack.append(layers.Conv2D(64, 5, padding="same", use_bias=False, name=name))
        stack.append(layers.BatchNormalization(name=f"{name}_norm"))
        stack.append(layers.ReLU(name=f"{name}_relu"))
        stack.append(layers.MaxPooling2D(3, 2, padding="same"))
    stack += [layers.Flatten(), layers.Dense(384, activation="relu", name="fc1")]
    stack += [layers.Dropout(0.3), layers.Dense(192, activation="relu", name="fc2")]
    return keras.Sequential([*stack, layers.Dropout(0.3), layers.Dense(10, name="logits")])


class Crops(keras.utils.PyDataset):
    """Random crops, in a new order every epoch.

    Args:
        x: Array of shape `(n, height, width, channels)`.
        y: Int array of shape `(n,)`.
        size: Int. Height and width of the crops.
        mirrored: Bool. Whether half of them are.
        batch: Int.
        seed: Int.
        teacher: `keras.Model` that makes logits, which then stand behind the labels. Defaults to
            `None`.
    """

    def __init__(self, x, y, size, mirrored, batch, seed, teacher=None):
        super().__init__()
        self.x, self.y, self.size, self.mirrored = x, y, size, mirrored
        self.batch, self.teacher = batch, teacher
        self.generator = np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self):
        return -(-len(self.x) // self.batch)

    def __getitem__(self, index):
        chosen = self.order[index * self.batch : (index + 1) * self.batch]
        margin = self.x.shape[1] - self.size + 1
        top, left = self.generator.integers(0, margin, (2, len(chosen), 1, 1))
        pixels = np.arange(self.size)
        images = self.x[chosen[:, None, None], top + pixels[:, None], left + pixels]
        if self.mirrored:
            turned = self.generator.random(len(chosen)) < 0.5
            images[turned] = images[turned, :, ::-1]
        labels = self.y[chosen].reshape(-1, 1)
        if self.teacher is None:
            return images, labels
        logits = self.teacher.predict_on_batch(images)
        return images, np.concatenate([labels.astype("float32"), logits], axis=1)

    def on_epoch_end(self):
        self.order = self.generator.permutation(len(self.x))


def middle(x, size):
    """The crops that are evaluated."""
    start = (x.shape[1] - size) // 2
    return x[:, start : start + size, start : start + size]


def _labels(y):
    return y if len(y.shape) == 1 else y[:, 0]


class Distillation(keras.losses.Loss):
    """What labels and a teacher want, from [Hinton et al., 2015](https://arxiv.org/abs/1503.02531).

    `(1 - share) * CE(label, p) + share * T^2 * CE(softmax(teacher / T), softmax(logits / T))`,
    the former alone where no logits stand behind the label.

    Args:
        share: Float in [0, 1].
        temperature: Float > 0.
    """

    def __init__(self, share, temperature):
        super().__init__()
        self.share, self.temperature = share, temperature

    def call(self, y_true, y_pred):
        hard = keras.losses.sparse_categorical_crossentropy(
            _labels(y_true), y_pred, from_logits=True
        )
        if len(y_true.shape) == 1 or y_true.shape[-1] == 1:
            return hard
        wanted = keras.ops.softmax(y_true[:, 1:] / self.temperature)
        soft = keras.losses.categorical_crossentropy(
            wanted, y_pred / self.temperature, from_logits=True
        )
        return (1.0 - self.share) * hard + self.share * self.temperature**2 * soft


def accuracy(y_true, y_pred):
    """Share of the images whose label has the largest logit."""
    return keras.metrics.sparse_categorical_accuracy(_labels(y_true), y_pred)


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
        size: Int. Height and width of the crops that the network sees.
        rate: Float. The learning rate of the dense network and of the fine-tuning, for Adam along
            a cosine; rounds begin with half of it.
        tolerance: Float. See `kp.joint_prune`.
        winner_rates: Dict. See `kp.joint_prune`. Defaults to `None`: they are searched.
        pad: Int. Pixels of zeros around an image before it is cropped.
        mirrored: Bool. Whether half of the images are mirrored.
        teacher: Tuple (share, temperature) of `Distillation`; the teacher is the dense network.
        images: Int. How many training images are used. Defaults to `None`: all.
    """

    make: object
    data: str
    published: dict
    sparsities: dict
    epochs: tuple
    rounds: int
    size: int = 28
    rate: float = 1e-3
    tolerance: float = 0.02
    winner_rates: dict | None = None
    pad: int = 1
    mirrored: bool = False
    teacher: tuple = (0.9, 4.0)
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
        {"fc1": 0.922, "fc2": 0.75, "logits": 0.3},
        epochs=(30, 15, 100),
        rounds=4,
        winner_rates={"fc1": 0.12, "fc2": 0.24},
    ),
    "Lenet-4": Network(
        lenet_4,
        "mnist",
        _published(99.4, 99.0, 5.5, 12.3, 1.2),
        {"conv1": 0.77, "conv2": 0.93, "fc1": 0.92, "logits": 0.8},
        epochs=(10, 3, 15),
        rounds=4,
        winner_rates={"conv1": 0.045, "conv2": 0.07, "fc1": 0.15},
    ),
    "ConvNet-5": Network(
        convnet_5,
        "cifar10",
        _published(86.0, 85.9, 43.6, 2.5, 27.7),
        {"conv1": 0.46, "conv2": 0.62, "fc1": 0.6, "fc2": 0.65, "logits": 0.5},
        epochs=(24, 4, 32),
        rounds=2,
        size=24,
        winner_rates={"conv1": 0.3, "conv2": 0.35, "fc1": 0.1, "fc2": 0.45},
        pad=0,
        mirrored=True,
    ),
}
