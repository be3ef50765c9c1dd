"""Operators with a state, compared with LiteRT's reference kernels bit for bit, call by call."""

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.export.c import export_c
from keras_prune.runtime.c_project import run_c_project
from tests.export.c_model_builder import (
    Model,
    edge_and_random_inputs,
    needs_qemu,
    random_int8,
    reference,
)

NONE, RELU, TANH = 0, 1, 4
CALLS = 6


def sparse_int8(rng, shape, sparsity):
    weights = random_int8(rng, shape)
    weights[rng.random(shape) < sparsity] = 0
    return weights


class Lstm:
    """A model of one LSTM; fields and inputs of the operator may be replaced before `save`."""

    def __init__(self, seed, batch=1, time=3, inputs=5, units=4, sparsity=0.0, cell_bits=1, **more):
        self.rng, self.model, self.options = np.random.default_rng(seed), Model(), dict(more)
        self.options.setdefault("fusedActivationFunction", TANH)
        time_major = self.options.setdefault("timeMajor", False)
        lead = (time, batch) if time_major else (batch, time)
        tensor, rng = self.model.tensor, self.rng
        hidden = (float(rng.uniform(0.003, 0.008)), int(rng.integers(-20, 20)))
        self.source = tensor((*lead, inputs), 0.04, int(rng.integers(-128, 128)))
        self.inputs = [-1] * 24
        self.inputs[0] = self.source
        for position in range(1, 9):
            shape = (units, inputs if position < 5 else units)
            values = sparse_int8(rng, shape, sparsity)
            self.inputs[position] = tensor(shape, float(rng.uniform(0.001, 0.02)), 0, values)
        for position in range(12, 16):
            bias = rng.integers(-20000, 20000, units)
            self.inputs[position] = tensor((units,), 1e-4, 0, bias, "int32")
        self.inputs[18] = tensor((batch, units), *hidden, variable=True)
        cell = 2.0 ** (cell_bits - 15)
        self.inputs[19] = tensor((batch, units), cell, 0, dtype="int16", variable=True)
        self.intermediates = [tensor((0,), dtype="float32") for _ in range(4)]
        self.intermediates.append(tensor((0,), *hidden))
        self.output = tensor((*lead, units), *hidden)
        self.size = batch * time * inputs

    def save(self, path):
        self.model.operator(
            "UNIDIRECTIONAL_SEQUENCE_LSTM",
            self.inputs,
            [self.output],
            self.intermediates,
            **self.options,
        )
        return self.model.save(path, [self.source], [self.output])


def check(path, tmp_path, size, seed=0, target="host"):
    inputs = edge_and_random_inputs(np.random.default_rng(seed), size, count=CALLS - 3)
    report = export_c(path, tmp_path / "project", target)
    run = run_c_project(tmp_path / "project", inputs, target, flags=("-O1",))
    np.testing.assert_array_equal(run.outputs, reference(path, inputs))
    assert len({row.tobytes() for row in run.outputs}) > 1
    return report


@pytest.mark.parametrize(
    "case",
    [
        {"cell_bits": 0, "time": 1, "units": 1, "inputs": 1},
        {"cell_bits": 4, "batch": 2, "inputs": 33, "units": 13, "cellClip": 10.0},
        {"cell_bits": 3, "batch": 2, "inputs": 7, "timeMajor": True, "cellClip": 0.1},
        {"cell_bits": 6, "inputs": 300, "units": 9, "sparsity": 0.9},
    ],
)
def test_lstm_matches_the_reference(tmp_path, case):
    lstm = Lstm(seed=1, **case)
    report = check(lstm.save(tmp_path / "lstm.tflite"), tmp_path, lstm.size)
    expected = {0.0: "dense", 0.9: "stream"}[case.get("sparsity", 0.0)]
    assert [layer.encoding for layer in report.layers] == [expected]


class Svdf:
    """A model of one SVDF; inputs and options of the operator may be replaced before `save`."""

    def __init__(self, seed, batch=1, inputs=5, units=3, rank=1, memory=4, sparsity=0.0, bias=True):
        self.rng, self.model = np.random.default_rng(seed), Model()
        self.options = {"rank": rank, "fusedActivationFunction": RELU}
        tensor, rng, filters = self.model.tensor, self.rng, rank * units
        self.inputs = [
            tensor((batch, inputs), 0.04, int(rng.integers(-128, 128))),
            tensor((filters, inputs), 0.01, 0, sparse_int8(rng, (filters, inputs), sparsity)),
            tensor(
                (filters, memory),
                2.0**-15,
                data=rng.integers(-8000, 8000, (filters, memory)),
                dtype="int16",
            ),
            tensor((units,), 1e-8, data=rng.integers(-(10**8), 10**8, units), dtype="int32"),
            tensor((batch, filters * memory), 2.0**-11, dtype="int16", variable=True),
        ]
        if not bias:
            self.inputs[3] = -1
        self.output = tensor((batch, units), 0.02, -128)
        self.size = batch * inputs

    def save(self, path):
        self.model.operator("SVDF", self.inputs, [self.output], **self.options)
        return self.model.save(path, self.inputs[:1], [self.output])


@pytest.mark.parametrize(
    "case",
    [
        {"batch": 2, "rank": 2, "units": 4, "inputs": 33, "memory": 9},
        {"memory": 1, "bias": False, "units": 7},
        {"inputs": 300, "units": 12, "rank": 2, "memory": 10, "sparsity": 0.9},
    ],
)
def test_svdf_matches_the_reference(tmp_path, case):
    svdf = Svdf(seed=5, **case)
    report = check(svdf.save(tmp_path / "svdf.tflite"), tmp_path, svdf.size)
    expected = {0.0: "dense", 0.9: "stream"}[case.get("sparsity", 0.0)]
    assert [layer.encoding for layer in report.layers] == [expected]


@needs_qemu
def test_svdf_on_a_cortex_m(tmp_path):
    svdf = Svdf(seed=6, inputs=40, units=12, sparsity=0.8, memory=8)
    check(svdf.save(tmp_path / "svdf.tflite"), tmp_path, svdf.size, target="cortex-m0")


@needs_qemu
def test_lstm_on_a_cortex_m(tmp_path):
    lstm = Lstm(seed=2, inputs=40, units=12, sparsity=0.8, batch=2)
    check(lstm.save(tmp_path / "lstm.tflite"), tmp_path, lstm.size, target="cortex-m4")


def test_the_state_outlives_a_call(tmp_path):
    lstm = Lstm(seed=3)
    export_c(lstm.save(tmp_path / "lstm.tflite"), tmp_path / "project", "host")
    inputs = np.repeat(random_int8(lstm.rng, (1, lstm.size)), 2, axis=0)
    first, second = run_c_project(tmp_path / "project", inputs).outputs
    assert not np.array_equal(first, second)
    anew = run_c_project(tmp_path / "project", inputs[:1]).outputs
    np.testing.assert_array_equal(anew[0], first)


def _without(*positions):
    def change(lstm):
        for position in positions:
            lstm.inputs[position] = -1

    return change


def _constant(position, shape, dtype="int8"):
    def change(lstm):
        values = np.ones(shape, dtype)
        lstm.inputs[position] = lstm.model.tensor(shape, 0.01, 0, values, dtype)

    return change


def _state(position, shape, scale, dtype, **more):
    def change(lstm):
        lstm.inputs[position] = lstm.model.tensor(shape, scale, dtype=dtype, variable=True, **more)

    return change


@pytest.mark.parametrize(
    "change, reason",
    [
        (_constant(9, (4,), "int16"), "peephole connections"),
        (_constant(16, (4, 4)), "a projection"),
        (_constant(20, (4,), "int16"), "layer normalisation"),
        (_without(1, 5, 12), "coupled to the forget gate"),
        (_constant(3, (4, 6)), r"must be INT8 of shape \(4, 5\)"),
        (_without(13), "its input 13 must be a constant"),
        (_constant(18, (1, 4)), "must be a variable tensor"),
        (_state(19, (1, 4), 0.001, "int16"), "must be a power of two"),
        (_state(19, (1, 4), 2.0**-16, "int16"), "must be a power of two"),
        (_state(19, (1, 4), 2.0**-12, "int8"), "must hold 4 INT16 values"),
        (_state(18, (1, 4), 0.01, "int8", zero_point=200), "zero point 200"),
        (lambda lstm: lstm.intermediates.pop(), "five intermediate tensors"),
        (lambda lstm: lstm.options.update(fusedActivationFunction=RELU), "must be TANH"),
        (lambda lstm: lstm.options.update(cellClip=-1.0), "cell_clip"),
    ],
)
def test_other_lstms_are_refused(tmp_path, change, reason):
    lstm = Lstm(seed=4)
    change(lstm)
    path = lstm.save(tmp_path / "lstm.tflite")
    with pytest.raises(ValueError, match=reason) as refusal:
        export_c(path, tmp_path / "project", "host")
    assert "Received:" in str(refusal.value)
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize(
    "change, reason",
    [
        (lambda svdf: svdf.options.update(fusedActivationFunction=NONE), "must be RELU"),
        (lambda svdf: svdf.options.update(rank=2), "rank 2, 3 filters"),
        (_constant(1, (3, 6)), r"must be INT8 of shape \(3, 5\)"),
        (_constant(2, (3, 4)), "must be INT16"),
        (_constant(4, (1, 12), "int16"), "must be a variable tensor"),
        (_state(4, (1, 11), 0.01, "int16"), "must hold 12 INT16 values"),
    ],
)
def test_other_svdfs_are_refused(tmp_path, change, reason):
    svdf = Svdf(seed=7)
    change(svdf)
    path = svdf.save(tmp_path / "svdf.tflite")
    with pytest.raises(ValueError, match=reason) as refusal:
        export_c(path, tmp_path / "project", "host")
    assert "Received:" in str(refusal.value)


def test_a_state_belongs_to_its_operator(tmp_path):
    model = Model()
    source, state = model.tensor((1, 4), 0.1), model.tensor((1, 4), 0.1, variable=True)
    output = model.operator("ADD", [source, state], [model.tensor((1, 4), 0.1)])
    path = model.save(tmp_path / "model.tflite", [source], [output])
    with pytest.raises(ValueError, match="keeps as its state"):
        export_c(path, tmp_path / "project", "host")


def test_a_pruned_keras_lstm_goes_the_whole_way(tmp_path):
    keras.utils.set_random_seed(0)
    layers = [keras.Input((6, 10)), keras.layers.LSTM(24, return_sequences=True)]
    layers += [keras.layers.LSTM(16), keras.layers.Dense(5)]
    model = keras.Sequential(layers)
    kp.prune(model, 0.85)
    data = np.random.default_rng(0).normal(size=(30, 6, 10)).astype(np.float32)
    path = tmp_path / "model.tflite"
    report = kp.export_tflite(model, path, "int8", representative_data=data)
    assert [note for note in report.notes if "outlives a call" in note] == report.notes
    c_report = check(path, tmp_path, data[0].size)
    kinds = [layer.operator for layer in c_report.layers]
    assert kinds.count("UNIDIRECTIONAL_SEQUENCE_LSTM") == 2
    assert c_report.weight_bytes < 0.6 * c_report.dense_weight_bytes
