import keras
import numpy as np

from keras_prune.export import flatbuffer
from keras_prune.export.tflite import export_tflite
from keras_prune.runtime.interpreter import Job, run_jobs

layers = keras.layers
DATA = np.random.default_rng(0).normal(size=(20, 5, 6)).astype(np.float32)


def sequential(*stack):
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((5, 6)), *stack, layers.Dense(3)])


def first_output(path, sample):
    # The state of an LSTM outlives a call, so each process sees one sample.
    result = run_jobs({"file": Job(path)}, {"x": sample[None, None]}, random_samples=0)["file"]
    assert result.error is None
    return result.outputs[0][0][0]


def kinds(path):
    parsed = flatbuffer.read_model(path)
    assert len(parsed.subgraphs) == 1
    return [flatbuffer.operator_name(parsed, o) for o in parsed.subgraphs[0].operators]


def test_recurrent_layers_compute_what_keras_computes(tmp_path):
    both_ways = layers.Bidirectional(layers.LSTM(4, return_sequences=True))
    hard = layers.LSTM(3, recurrent_activation="hard_sigmoid", return_sequences=True)
    stack = [both_ways, hard, layers.GRU(5, return_sequences=True), layers.SimpleRNN(4)]
    model = sequential(*stack)
    export_tflite(model, tmp_path / "model.tflite")
    found = kinds(tmp_path / "model.tflite")
    assert found.count("UNIDIRECTIONAL_SEQUENCE_LSTM") == 2
    assert "WHILE" not in found
    expected = keras.ops.convert_to_numpy(model(DATA[:1]))[0]
    np.testing.assert_allclose(
        first_output(tmp_path / "model.tflite", DATA[0]), expected, rtol=1e-4, atol=1e-6
    )
    assert not any(layer.unroll for layer in stack[1:])
    assert "inner_loop" not in vars(both_ways.forward_layer)


def test_an_int8_lstm_of_small_cell_states(tmp_path):
    # Its second cell state stays below one half, where the converter chooses a scale that
    # LiteRT's kernel cannot take.
    model = sequential(layers.LSTM(8, return_sequences=True), layers.LSTM(4))
    path = tmp_path / "model.tflite"
    report = export_tflite(model, path, "int8", DATA)
    assert any("outlives a call" in note for note in report.notes)
    parsed = flatbuffer.read_model(path)
    tensors = parsed.subgraphs[0].tensors
    scales = [tensors[o.inputs[19]].quantization.scale[0] for o in parsed.subgraphs[0].operators
              if len(o.inputs) == 24]  # fmt: skip
    assert min(scales) == 2.0**-15
    ends = (parsed.subgraphs[0].inputs[0], parsed.subgraphs[0].outputs[0])
    source, output = (tensors[i].quantization for i in ends)
    sample = np.round(DATA[0] / source.scale[0]) + source.zeroPoint[0]
    found = first_output(path, np.clip(sample, -128, 127).astype(np.int8))
    expected = keras.ops.convert_to_numpy(model(DATA[:1]))[0]
    real = (found.astype(np.float32) - output.zeroPoint[0]) * output.scale[0]
    np.testing.assert_allclose(real, expected, atol=0.1 * np.abs(expected).max())


def test_gates_keep_the_zeros_of_a_pruned_lstm(tmp_path):
    model = sequential(layers.LSTM(8))
    for variable in model.layers[0].trainable_variables[:2]:
        values = np.array(variable)
        values[np.random.default_rng(0).random(values.shape) < 0.7] = 0
        variable.assign(values)
    report = export_tflite(model, tmp_path / "model.tflite")
    assert not any("could not be traced" in note for note in report.notes)


def test_a_stateful_lstm_keeps_its_state_in_the_file(tmp_path):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5, 6), batch_size=1)
    recurrent = layers.LSTM(4, stateful=True)
    model = keras.Model(inputs, recurrent(inputs))
    path = tmp_path / "model.tflite"
    export_tflite(model, path)
    assert "UNIDIRECTIONAL_SEQUENCE_LSTM" in kinds(path)
    assert recurrent.stateful and not recurrent.unroll
    recurrent.reset_states()
    expected = [keras.ops.convert_to_numpy(model(sample[None]))[0] for sample in DATA[:3]]
    result = run_jobs({"file": Job(path)}, {"x": DATA[:3, None]}, random_samples=0)["file"]
    found = [sample[0][0] for sample in result.outputs]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
