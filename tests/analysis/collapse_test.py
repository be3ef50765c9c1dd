"""What is told of signal paths after pruning."""

import keras
import numpy as np
import pytest

from keras_prune.analysis.collapse import collapse_after_pruning
from keras_prune.analysis.connectivity import NO_WEIGHT
from keras_prune.analysis.signal_paths import NO_INPUT, NO_MEETING
from keras_prune.weights import find_weights

layers = keras.layers
pytestmark = pytest.mark.all_backends


def chain(*kernels):
    """Dense layers with these kernels."""
    model = keras.Sequential([keras.Input((len(kernels[0]),))])
    for kernel in kernels:
        model.add(layers.Dense(len(kernel[0]), activation="relu"))
        model.layers[-1].kernel.assign(kernel)
    return model


def collapse(model, *keep):
    """What is told after pruning the first kernels so; no `keep` for those that were not."""
    weights = find_weights(model)
    pairs = [(w, k) for w, k in zip(weights, keep, strict=True) if k is not None]
    return collapse_after_pruning(model, *map(list, zip(*pairs, strict=True)))


def test_after_pruning_only_pruned_kernels_are_told():
    model = chain(np.ones((2, 2)), np.zeros((2, 2)), np.ones((2, 1)))
    first, _, last = (layer.kernel.path for layer in model.layers)
    none, whole = np.zeros((2, 2), bool), np.ones((2, 1), bool)
    assert collapse(model, none, None, whole) == ((first, NO_WEIGHT), (last, NO_INPUT))
    # The second kernel was initialized with zeros.
    assert collapse(model, ~none, None, whole) == ()
    assert collapse(model, np.eye(2, dtype=bool), None, whole) == ()


def test_units_that_do_not_meet_are_found_after_pruning():
    model = chain(np.ones((2, 2)), np.ones((2, 1)))
    left, right = np.array([[True, False]] * 2), np.array([[False], [True]])
    reasons = [reason for _, reason in collapse(model, left, right)]
    assert reasons == [NO_MEETING, NO_MEETING]


def test_a_sound_model_is_not_even_run(monkeypatch):
    model = chain(np.ones((2, 2)), np.ones((2, 1)))
    monkeypatch.setattr(model, "call", None)
    assert collapse(model, np.eye(2, dtype=bool), np.ones((2, 1), bool)) == ()


def test_a_large_model_is_not_run_either_and_tells_of_its_thin_kernels(monkeypatch):
    model = chain(np.ones((2, 2)), np.ones((2, 2)), np.ones((2, 1)))
    first, second, _ = (layer.kernel.path for layer in model.layers)
    monkeypatch.setattr(model, "call", None)
    monkeypatch.setattr("keras_prune.analysis.collapse._TRACEABLE", 9)
    one, whole = np.array([[True, False], [False, False]]), np.ones((2, 1), bool)
    found = collapse(model, np.zeros((2, 2), bool), one, whole)
    assert found == ((first, NO_WEIGHT), (second, "1 of its 4 weights are left"))
    assert collapse(model, np.eye(2, dtype=bool), np.ones((2, 2), bool), whole) == ()


def test_a_model_of_open_sizes_tells_of_its_empty_kernels():
    model = keras.Sequential([keras.Input((None, None, 1)), layers.Conv2D(2, 3)])
    path = model.layers[0].kernel.path
    assert collapse(model, np.zeros((3, 3, 1, 2), bool)) == ((path, NO_WEIGHT),)
