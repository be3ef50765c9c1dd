"""What takes the place of a convolution runs on phones."""

import keras
import numpy as np
import pytest

from keras_prune.export.tflite import export_tflite
from keras_prune.runtime.interpreter import Job, run_jobs
from keras_prune.surgery import (
    approximate_by_depthwise,
    approximate_by_groups,
    cluster_kernels,
    expand_clusters,
)
from tests.surgery.graphs import disturb, outputs

layers = keras.layers


def network():
    keras.utils.set_random_seed(0)
    parts = [layers.Conv2D(8, 3, padding="same", name="conv"), layers.GlobalAveragePooling2D()]
    return disturb(keras.Sequential([keras.Input((8, 8, 4)), *parts, layers.Dense(2)]))


@pytest.mark.all_backends
@pytest.mark.parametrize(
    "cheaper",
    [
        lambda model: approximate_by_groups(model, 2)[0],
        lambda model: approximate_by_depthwise(model, 2)[0],
        lambda model: expand_clusters(cluster_kernels(model)[0]),
        lambda model: cluster_kernels(model)[0],
    ],
    ids=["groups", "depthwise", "expanded", "clustered"],
)
def test_the_file_does_what_the_model_does(cheaper, tmp_path):
    model = cheaper(network())
    export_tflite(model, tmp_path / "model.tflite")
    x = np.random.default_rng(0).normal(size=(3, 8, 8, 4)).astype("float32")
    jobs = {"file": Job(tmp_path / "model.tflite")}
    result = run_jobs(jobs, {model.inputs[0].name: x[:, None]}, random_samples=0)["file"]
    assert result.error is None
    found = np.concatenate([sample[0] for sample in result.outputs])
    np.testing.assert_allclose(found, outputs(model, x), atol=1e-4)
