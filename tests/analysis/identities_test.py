"""Identities of the first-order saliency w dL/dw that criteria and diagnostics rest on."""

import keras
import numpy as np
import pytest

from keras_prune.probes import Probe
from keras_prune.weights import find_weights
from tests.small_models import toy_data

layers = keras.layers
pytestmark = pytest.mark.all_backends


def homogeneous():
    """A network of ReLU layers without biases, its data, and a probe of it."""
    keras.utils.set_random_seed(4)
    model = keras.Sequential([keras.Input((8,))])
    for units in (12, 7, 3):
        model.add(layers.Dense(units, use_bias=False, activation="relu" if units > 3 else None))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return model, Probe(model, toy_data(), loss)


def test_the_saliencies_of_every_layer_have_the_same_sum():
    model, probe = homogeneous()
    weights = find_weights(model)
    gradients = probe.gradients(weights)
    sums = [np.sum(w.numpy() * g) for w, g in zip(weights, gradients, strict=True)]
    assert abs(sums[0]) > 1e-3
    np.testing.assert_allclose(sums, sums[0], rtol=1e-4)


def test_the_saliency_is_the_slope_of_a_gate():
    model, probe = homogeneous()
    weights = find_weights(model)
    saliency = weights[1].numpy() * probe.gradients(weights)[1]
    index = np.unravel_index(np.argmax(np.abs(saliency)), saliency.shape)
    value = weights[1].numpy()

    def loss(gate):
        gated = value.copy()
        gated[index] *= gate
        weights[1].variable.assign(gated)
        x, y = toy_data()
        return float(keras.ops.convert_to_numpy(probe.objective(x, y, model(x))))

    slope = (loss(1.05) - loss(0.95)) / 0.1
    assert slope == pytest.approx(saliency[index], rel=2e-2)
