"""Counts activations while two devices share every training step; prints the counts.

A process of its own, because the number of devices is fixed when a backend starts.
"""

import json
import os

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"

import keras
import numpy as np

from keras_prune.callbacks.activation_density import ActivationDensity
from tests.callbacks.replicas_worker import two_devices
from tests.small_models import mlp, toy_data

if __name__ == "__main__":
    with two_devices():
        model, (x, y) = mlp(keras.optimizers.SGD(0.0)), toy_data()
        callback, positions = ActivationDensity(), []

        class Look(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                positions.append(callback.counts["hidden"].positions)

        model.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=[callback, Look()])
    kernel, bias = (keras.ops.convert_to_numpy(v) for v in model.layers[0].weights)
    hidden = x.astype("float64") @ kernel + bias
    result = {
        "positions": positions,
        "nonzero": callback.counts["hidden"].nonzero.tolist(),
        "expected": np.count_nonzero(hidden > 0.0, 0).tolist(),
    }
    print(json.dumps(result))
