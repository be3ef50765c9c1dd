"""One training whose epochs wait for their turn: the other end of `benchmarks.training_overhead`.

Run as `python -m benchmarks.training_worker JSON`, under Keras 3 or in TFMOT's environment. It
prints a line when it is ready and the seconds of an epoch after each line that it reads.
"""

import json
import sys
import time

from benchmarks.networks import NETWORKS

BATCH = 128


def turnstile(keras):
    """A callback that holds every epoch until a line comes in, and prints what the epoch took.

    It stands first in the list, so that the other callbacks' work is in the seconds.
    """

    class Turnstile(keras.callbacks.Callback):
        begin = None

        def on_epoch_begin(self, epoch, logs=None):
            self.report()
            if not sys.stdin.readline():  # nobody measures any more
                sys.exit()
            self.begin = time.perf_counter()

        def on_train_end(self, logs=None):
            self.report()

        def report(self):
            if self.begin is None:
                print("ready", flush=True)
            else:
                print(time.perf_counter() - self.begin, flush=True)

    return Turnstile()


def ours(kind, model, refresh):
    """Model and callbacks to train with; `refresh` is the number of steps between updates."""
    import keras_prune as kp

    if kind == "plain":
        return model, []
    if kind == "counted":
        return model, [kp.ActivationDensity()]
    schedule = kp.PolynomialDecay(end_step=1.0, frequency=refresh)
    return model, [kp.PruneCallback(0.8, schedule=schedule)]


def theirs(kind, model, refresh, steps):
    """The same with TFMOT."""
    from tensorflow_model_optimization.sparsity import keras as sparsity

    if kind == "plain":
        return model, []
    schedule = sparsity.PolynomialDecay(0.0, 0.8, 0, steps, frequency=refresh)
    return sparsity.prune_low_magnitude(model, schedule), [sparsity.UpdatePruningStep()]


def patient(x, y):
    """A data set whose epochs may begin late.

    What `fit` makes of arrays tunes itself, in a loop whose pauses grow while an epoch waits for
    its turn; the end of the data set waits for such a pause to end.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH).prefetch(2).with_options(options)


def main():
    task = json.loads(sys.argv[1])
    tfmot = task["backend"] == "tfmot"
    if tfmot:
        import tf_keras as keras
    else:
        import keras
    import numpy as np

    keras.utils.set_random_seed(0)
    network = NETWORKS[task["network"]](keras)
    steps, epochs, refresh = task["steps"], task["epochs"], task["refresh"]
    if tfmot:
        model, callbacks = theirs(task["kind"], network, refresh, steps * epochs)
    else:
        model, callbacks = ours(task["kind"], network, refresh)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(), loss)
    generator = np.random.default_rng(0)
    x = generator.normal(size=(steps * BATCH, *network.input_shape[1:])).astype("float32")
    y = generator.integers(0, 10, len(x))
    data = {"x": x, "y": y, "batch_size": BATCH, "shuffle": False}
    if task["backend"] in ("tensorflow", "tfmot"):
        data = {"x": patient(x, y)}
    model.fit(**data, epochs=epochs, verbose=0, callbacks=[turnstile(keras), *callbacks])


if __name__ == "__main__":
    main()
