"""What every row shares: data, dense networks, training, errors."""

import dataclasses
import hashlib
import json
import pathlib
import tempfile

import keras
import numpy as np

import keras_prune as kp
from benchmarks.mnist.networks import NETWORKS
from examples import datasets

CACHE = pathlib.Path(tempfile.gettempdir()) / "keras_prune_mnist"
BATCH = {"LeNet-300-100": 128, "LeNet-5": 64}
STEPS_PER_EXECUTION = 10

# The dense networks, which many rows begin from.
DENSE = {
    "LeNet-300-100": dict(dropout=0.3, epochs=50, rate=0.1, weight_decay=5e-3),
    "LeNet-5": dict(dropout=0.4, epochs=8, rate=0.02, weight_decay=2e-3),
}


@dataclasses.dataclass(frozen=True)
class Data:
    """What is learned from, and what errors are counted on.

    Args:
        name: Str. `"validation"` while settings are chosen, `"test"` for the tables.
        train: Tuple of arrays (x, y).
        held_out: Tuple of arrays (x, y).
    """

    name: str
    train: tuple
    held_out: tuple


def load_data(name):
    """The images of a run, with mean 0 and deviation 1 over all training pixels.

    Args:
        name: Str. `"validation"`: learn from 54,000 training images, count errors on the other
            6,000. `"test"`: learn from all 60,000, count errors on the test set.

    Returns:
        A `Data`.
    """
    stored = datasets.load("mnist")
    if name == "validation":
        train, held_out = stored.train, stored.validation
    else:
        parts = zip(stored.train, stored.validation, strict=True)
        train, held_out = tuple(np.concatenate(part) for part in parts), stored.test
    mean, deviation = train[0].mean(), train[0].std()
    standardized = (((x - mean) / deviation, y) for x, y in (train, held_out))
    return Data(name, *standardized)


@dataclasses.dataclass(frozen=True)
class Task:
    """One network with one seed: makes it, trains it, measures it.

    Args:
        network: Str. A key of `NETWORKS`.
        seed: Int. Fixes initial weights, dropout and the order of the images.
        data: `Data`.
        epochs: Int or `None`. Replaces every number of epochs, for a quick look. Defaults to
            `None`.
        cache: Path. Folder of the trained dense networks. Defaults to `CACHE`.
    """

    network: str
    seed: int
    data: Data
    epochs: int | None = None
    cache: pathlib.Path = CACHE

    def model(self, dropout=0.0):
        """A network with its initial weights, which the seed fixes."""
        keras.utils.set_random_seed(self.seed)
        return NETWORKS[self.network](dropout)

    def compile(self, model, epochs, rate, weight_decay=None, kind="sgd"):
        """Compile a network; the learning rate falls to zero along a cosine.

        Args:
            model: `keras.Model`.
            epochs: Int.
            rate: Float. The learning rate at the begin.
            weight_decay: Float or `None`. Decoupled: times the learning rate, not through the
                momentum. Defaults to `None`.
            kind: Str. `"sgd"` (momentum 0.9) or `"adam"`. Defaults to `"sgd"`.
        """
        steps = -(-len(self.data.train[0]) // BATCH[self.network]) * (self.epochs or epochs)
        rate = keras.optimizers.schedules.CosineDecay(rate, steps)
        if kind == "adam":
            optimizer = keras.optimizers.Adam(rate, weight_decay=weight_decay)
        else:
            optimizer = keras.optimizers.SGD(rate, momentum=0.9, weight_decay=weight_decay)
        model.compile(
            optimizer,
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            steps_per_execution=STEPS_PER_EXECUTION,
        )

    def run(self, model, epochs, callbacks=()):
        """Train a network that is compiled."""
        x, y = self.data.train
        model.fit(
            x,
            y,
            batch_size=BATCH[self.network],
            epochs=self.epochs or epochs,
            callbacks=list(callbacks),
            verbose=0,
        )

    def fit(self, model, epochs, callbacks=(), **settings):
        """Compile and train a network; the settings are those of `compile`."""
        self.compile(model, epochs, **settings)
        self.run(model, epochs, callbacks)

    def dense(self, dropout=0.0):
        """The trained dense network, trained once for all rows; `dropout` for what follows."""
        settings = dict(DENSE[self.network])
        path = self.cache / f"{self._digest(settings)}.weights.h5"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            trained = self.model(settings.pop("dropout"))
            self.fit(trained, **settings)
            unfinished = path.with_name(f"unfinished-{path.name}")
            trained.save_weights(unfinished)
            unfinished.replace(path)
        model = self.model(dropout)
        model.load_weights(path)
        return model

    def _digest(self, settings):
        size = len(self.data.train[0])
        what = [self.network, self.seed, self.data.name, size, self.epochs, BATCH[self.network]]
        what += [settings, keras.config.backend(), keras.__version__]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]

    def error(self, model):
        """Float. The error on what is held out, in percent."""
        x, y = self.data.held_out
        logits = model.predict(x, batch_size=1000, verbose=0)
        return 100.0 * float(np.mean(logits.argmax(-1) != y))

    def measured(self, model):
        """Dict of a network's error, compression, and densities of layers."""
        report = kp.sparsity(model)
        kernels = {
            layer.name: keras.ops.convert_to_numpy(layer.kernel)
            for layer in model.layers
            if hasattr(layer, "kernel")
        }
        return {
            "error": self.error(model),
            "compression": report.size / max(1, report.size - report.zeros),
            "densities": {name: float(np.mean(kernel != 0)) for name, kernel in kernels.items()},
            "filters": [
                int(np.count_nonzero(np.abs(kernel).sum(tuple(range(kernel.ndim - 1)))))
                for kernel in kernels.values()
            ],
        }
