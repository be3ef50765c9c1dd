"""Prunes while two devices share every training step; prints what each of them holds.

A process of its own, because the number of devices is fixed when a backend starts.
"""

import json
import os
import sys

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"

import keras
import numpy as np

from keras_prune.callbacks import PruneCallback
from tests.small_models import mlp, toy_data

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"


def two_devices():
    """Split this machine in two; returns what a model is to be made under."""
    if ON_TENSORFLOW:
        import tensorflow as tf

        halves = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0], halves
        )
        return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope()
    return keras.distribution.DataParallel(devices=["cpu:0", "cpu:1"]).scope()


def held_by_each_device(variable):
    """The value of a variable on each device, as numpy arrays."""
    if ON_TENSORFLOW:
        return [value.numpy() for value in variable.value.values]
    return [np.asarray(shard.data) for shard in variable.value.addressable_shards]


class Look(keras.callbacks.Callback):
    """Notes after every step what the devices hold."""

    def __init__(self):
        super().__init__()
        self.steps = []

    def on_train_batch_end(self, batch, logs=None):
        kernels = [layer.kernel for layer in self.model.layers]
        held = [held_by_each_device(kernel) for kernel in kernels]
        masks = [held_by_each_device(kernel.constraint.mask) for kernel in kernels]
        self.steps.append(
            {
                "devices": [len(values) for values in held],
                "agree": all(np.array_equal(*values) for values in held + masks),
                "exact": all(
                    np.array_equal(value == 0.0, mask == 0.0)
                    for values, keeps in zip(held, masks, strict=True)
                    for value, mask in zip(values, keeps, strict=True)
                ),
                "zeros": [int((values[0] == 0.0).sum()) for values in held],
            }
        )


CASES = {
    "adam": lambda: mlp(keras.optimizers.Adam(0.01)),
    "averages": lambda: mlp(keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.5)),
    "loss_scale": lambda: mlp(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))),
    "accumulation": lambda: mlp(keras.optimizers.Adam(0.01, gradient_accumulation_steps=2)),
    "bundle": lambda: mlp(keras.optimizers.Adam(0.01), steps_per_execution=3),
}


def trained(make):
    look, callback = Look(), PruneCallback(0.8)
    model = make()
    arguments = {"batch_size": 16, "epochs": 3, "verbose": 0, "shuffle": False}
    model.fit(*toy_data(), callbacks=[callback, look], **arguments)
    final = [held_by_each_device(layer.kernel) for layer in model.layers]
    return {
        "steps": look.steps,
        "final": [[int((value == 0.0).sum()) for value in values] for values in final],
        "reached": callback.report.reached,
    }


if __name__ == "__main__":
    with two_devices():
        print(json.dumps({name: trained(CASES[name]) for name in sys.argv[1:]}))
