"""Shares of live inputs: measured at export, kept in the file, and what C projects make of them."""

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.export.c import export_c
from keras_prune.export.flatbuffer import read_model, write_model
from keras_prune.export.live_inputs import ENTRY, record_live_inputs, stored_shares
from keras_prune.export.sparsify import sparsify_tflite
from keras_prune.runtime.c_project import run_c_project
from tests.export.c_model_builder import Model, needs_qemu, random_int8, reference


def fully_connected(path, batch=1, cols=300, rows=60, scales=None, activation=0, zero_point=-128):
    """One layer, 90 % of its weights zero."""
    rng, model = np.random.default_rng(5), Model()
    weights = random_int8(rng, (rows, cols))
    weights[rng.random(weights.shape) < 0.9] = 0
    source = model.tensor((batch, cols), 0.05, zero_point)
    tensor = model.tensor((rows, cols), rng.uniform(0.001, 0.02, scales or rows), 0, weights)
    bias = model.tensor((rows,), 0.001, 0, rng.integers(-3000, 3000, rows), "int32")
    output = model.tensor((batch, rows), 0.37, -9)
    options = {"fusedActivationFunction": activation}
    model.operator("FULLY_CONNECTED", [source, tensor, bias], [output], **options)
    return model.save(path, [source], [output])


def live_values(share, samples=4, size=300, zero_point=-128):
    """Inputs of which exactly so many are live."""
    rng = np.random.default_rng(6)
    values = np.full((samples, size), zero_point, np.int8)
    for row in values:
        places = rng.choice(size, round(share * size), replace=False)
        row[places] = rng.integers(-127, 127, len(places))
        row[places] += row[places] == zero_point
    return values


def recorded(path, values):
    model = read_model(path)
    assert record_live_inputs(model, {"input": values}) is None
    write_model(model, path)
    return path


@pytest.mark.parametrize("zero_point", [-128, 0, 17])
def test_the_share_is_that_of_the_data_and_stays_in_the_file(tmp_path, zero_point):
    path = fully_connected(tmp_path / "model.tflite", zero_point=zero_point)
    recorded(path, live_values(0.2, zero_point=zero_point))
    assert stored_shares(read_model(path)) == {"t0": 0.2}
    recorded(path, live_values(0.4, zero_point=zero_point))  # once more: replaced
    model = read_model(path)
    assert stored_shares(model) == {"t0": 0.4}
    assert sum(entry.name == ENTRY.encode() for entry in model.metadata) == 1
    sparsify_tflite(path, tmp_path / "sparse.tflite", profile="small")
    assert stored_shares(read_model(tmp_path / "sparse.tflite")) == {"t0": 0.4}


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"{", b"[]", b'{"live": 3}', b'{"live": {"t0": "much"}}', b"\xff\xfe"),
        *(b'{"live": {"t0": NaN}}', b'{"live": {"t0": -0.1}}', b"[" * 100000),
    ],
)
def test_an_entry_that_is_not_ours_is_not_read(tmp_path, data):
    path = recorded(fully_connected(tmp_path / "model.tflite"), live_values(0.1))
    model = read_model(path)
    entry = next(entry for entry in model.metadata if entry.name == ENTRY.encode())
    model.buffers[entry.buffer].data = np.frombuffer(data, np.uint8)
    write_model(model, path)
    assert stored_shares(read_model(path)) == {}
    assert export_c(path, tmp_path / "c").layers[0].encoding == "stream"


@pytest.mark.parametrize(
    "options",
    [{}, {"scales": 1}, {"batch": 3, "activation": 1}, {"zero_point": 3, "activation": 3}],
)
def test_columns_give_the_reference_outputs(tmp_path, options):
    path = fully_connected(tmp_path / "model.tflite", **options)
    size, zero = 300 * options.get("batch", 1), options.get("zero_point", -128)
    values = live_values(0.2, size=size, zero_point=zero)
    recorded(path, values)
    values = np.concatenate([values, live_values(1.0, 2, size), live_values(0.0, 1, size)])
    report = export_c(path, tmp_path / "c")
    assert (report.layers[0].encoding, report.layers[0].live) == ("columns", 0.2)
    assert "20.0%" in str(report)
    sanitize = "-fsanitize=address,undefined"
    run = run_c_project(tmp_path / "c", values, flags=("-O1", sanitize, "-Wconversion", "-Werror"))
    np.testing.assert_array_equal(run.outputs, reference(path, values))


@needs_qemu
@pytest.mark.parametrize("target", ["cortex-m0", "cortex-m4"])
def test_fewer_live_inputs_take_fewer_instructions(tmp_path, target):
    path, counts, estimates = fully_connected(tmp_path / "model.tflite"), [], []
    for share in (1.0, 0.2, 0.05):
        values = live_values(share)
        recorded(path, values)
        report = export_c(path, tmp_path / "c", target)
        assert report.layers[0].encoding == ("stream" if share == 1.0 else "columns")
        run = run_c_project(tmp_path / "c", values, target)
        np.testing.assert_array_equal(run.outputs, reference(path, values))
        counts.append(run.instructions.mean())
        estimates.append(report.instructions)
    assert counts[0] > 1.1 * counts[1] > 1.1 * 1.1 * counts[2]
    np.testing.assert_allclose(estimates, counts, rtol=0.25)


def test_a_trained_mask_reaches_the_c_project(tmp_path):
    keras.utils.set_random_seed(3)
    inputs = keras.Input((40,))
    x = keras.layers.Dense(200, activation="relu", name="fc1")(inputs)
    x = kp.layers.WinnerTakeAll(0.1)(x)
    model = keras.Model(inputs, keras.layers.Dense(50, name="fc2")(x))
    kp.prune(model, 0.9)
    data = np.random.default_rng(0).normal(size=(100, 40)).astype("float32")
    kp.export_tflite(model, tmp_path / "m.tflite", quantize="int8", representative_data=data)
    report = export_c(tmp_path / "m.tflite", tmp_path / "c")
    layers = [layer for layer in report.layers if layer.operator == "FULLY_CONNECTED"]
    assert layers[0].live > 0.9 and layers[1].encoding == "columns"
    assert layers[1].live == pytest.approx(0.1, abs=0.01)


def test_files_without_data_hold_nothing(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    kp.export_tflite(model, tmp_path / "model.tflite")
    assert stored_shares(read_model(tmp_path / "model.tflite")) == {}
