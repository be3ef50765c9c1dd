"""Convolutions between gates in C projects: channels that a sample leaves out cost nothing."""

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.export.c import export_c
from keras_prune.runtime.c_project import run_c_project
from tests.export.c_model_builder import edge_and_random_inputs, needs, needs_qemu, reference

layers = keras.layers
SIDE, DEPTH = 15, 3


def boosted(filters, density, name, kernel=3, **arguments):
    convolution = layers.Conv2D(filters, kernel, use_bias=False, name=f"{name}_conv", **arguments)
    spread = keras.initializers.RandomNormal(stddev=1.0)
    return kp.layers.FeatureBoosting(convolution, density, gate_initializer=spread, name=name)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The same network with dense and with sparse weights, inputs, and what the runtime gives."""
    folder = tmp_path_factory.mktemp("gates")
    keras.utils.set_random_seed(0)
    inputs = keras.Input((SIDE, SIDE, DEPTH))
    x = boosted(12, 0.4, "a", padding="same")(inputs)
    x = boosted(16, 0.3, "b")(layers.MaxPooling2D()(x))
    x = boosted(10, 0.5, "few", kernel=1)(x)
    # No prediction of most samples is above zero.
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="plain")(x)
    model = keras.Model(inputs, layers.Dense(4)(layers.Flatten()(x)))
    model.get_layer("few").gate.bias.assign(np.full(10, -0.2, "float32"))
    rng = np.random.default_rng(0)
    data = rng.normal(size=(64, SIDE, SIDE, DEPTH)).astype("float32")
    values = edge_and_random_inputs(np.random.default_rng(1), SIDE * SIDE * DEPTH, count=12)
    found = {}
    for name in ("dense", "sparse"):
        if name == "sparse":
            for layer in model._flatten_layers():
                if isinstance(layer, layers.Conv2D):
                    layer.kernel.assign(layer.kernel * (rng.random(layer.kernel.shape) < 0.2))
        path = folder / f"{name}.tflite"
        kp.export_tflite(model, path, quantize="int8", representative_data=data)
        found[name] = path, values, reference(path, values)
    return found


def kernels_of(report):
    return [each.kernel for each in report.layers if each.operator == "GATED_CONV_2D"]


@needs("cc")
@pytest.mark.parametrize("weights, kind", [("dense", "dense"), ("sparse", "stream")])
def test_live_channels_alone_give_the_outputs_of_all(files, tmp_path, weights, kind):
    path, values, expected = files[weights]
    report = export_c(path, tmp_path / "c")
    kernels = kernels_of(report)
    assert len(kernels) >= 3 and f"spk_conv2d_s8_gated_{kind}__c" in kernels
    assert "MUL" not in [each.operator for each in report.layers]
    flags = ("-O1", "-fsanitize=address,undefined", "-Wconversion", "-Werror")
    run = run_c_project(tmp_path / "c", values, flags=flags)
    np.testing.assert_array_equal(run.outputs, expected)


@needs_qemu
def test_it_takes_fewer_instructions(files, tmp_path, monkeypatch):
    path, values, expected = files["dense"]
    report = export_c(path, tmp_path / "gated")
    gated = run_c_project(tmp_path / "gated", values[:6], "cortex-m4")
    np.testing.assert_array_equal(gated.outputs, expected[:6])
    assert 0.6 < report.instructions / gated.instructions.mean() < 1.6
    monkeypatch.setattr("keras_prune.export.c.lowering.fuse_gates", lambda graph: graph)
    assert not kernels_of(export_c(path, tmp_path / "whole"))
    whole = run_c_project(tmp_path / "whole", values[:6], "cortex-m4")
    assert gated.instructions.mean() < 0.75 * whole.instructions.mean()


def test_a_gate_that_bounds_nothing_stays_a_product(tmp_path):
    # Of a threshold predicted from a sample more channels may win than the rate says.
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    scores = layers.Dense(16, activation="relu")(layers.GlobalAveragePooling2D()(inputs))
    winners = kp.layers.WinnerTakeAll(0.25, sample=0.5, seed=1)(scores)
    gate = layers.Reshape((1, 1, 16))(winners)
    model = keras.Model(inputs, layers.Conv2D(4, 3)(layers.Multiply()([x, gate])))
    data = np.random.default_rng(0).normal(size=(16, 8, 8, 3)).astype("float32")
    path = tmp_path / "model.tflite"
    kp.export_tflite(model, path, quantize="int8", representative_data=data)
    assert not kernels_of(export_c(path, tmp_path / "c"))
    values = edge_and_random_inputs(np.random.default_rng(1), 192, count=8)
    run = run_c_project(tmp_path / "c", values)
    np.testing.assert_array_equal(run.outputs, reference(path, values))


def test_a_gate_of_other_channels_stays_a_product(tmp_path):
    # The factors multiply the rows of the map, of which there are as many as channels.
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    gate = kp.layers.WinnerTakeAll(0.5)(layers.Dense(8, activation="relu")(layers.Flatten()(x)))
    x = layers.Multiply()([x, layers.Reshape((8, 1, 1))(gate)])
    model = keras.Model(inputs, x)
    data = np.random.default_rng(0).normal(size=(16, 8, 8, 3)).astype("float32")
    path = tmp_path / "model.tflite"
    kp.export_tflite(model, path, quantize="int8", representative_data=data)
    report = export_c(path, tmp_path / "c")
    assert not kernels_of(report) and "MUL" in [each.operator for each in report.layers]


@needs("cc")
@pytest.mark.parametrize("quantize", ["int8", None])
def test_a_density_of_1_leaves_nothing_to_choose(tmp_path, quantize):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((6, 6, DEPTH))
    x = boosted(8, 1.0, "all", padding="same")(inputs)
    model = keras.Model(inputs, boosted(4, 0.5, "half")(x))
    data = np.random.default_rng(2).normal(size=(16, 6, 6, DEPTH)).astype("float32")
    path = tmp_path / "model.tflite"
    kp.export_tflite(model, path, quantize=quantize, representative_data=data)
    report = export_c(path, tmp_path / "c", "host")
    kinds = [layer.operator for layer in report.layers]
    assert kinds.count("CONV_2D") + kinds.count("GATED_CONV_2D") == 2
    if quantize is None:
        run = run_c_project(tmp_path / "c", data.reshape(16, -1))
        expected = reference(path, data)
        np.testing.assert_allclose(run.outputs, expected, 1e-5, 1e-5 * abs(expected).max())
    else:
        values = edge_and_random_inputs(np.random.default_rng(3), data[0].size)
        run = run_c_project(tmp_path / "c", values)
        np.testing.assert_array_equal(run.outputs, reference(path, values))
