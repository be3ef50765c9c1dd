"""Models that others made: each gives LiteRT's reference outputs, or is refused in a sentence."""

import numpy as np
import pytest

from keras_prune.export.c import export_c
from keras_prune.export.c.graph import read_graph
from keras_prune.export.flatbuffer import read_model, type_name, write_model
from keras_prune.runtime.c_project import run_c_project
from tests.export.c_model_builder import edge_and_random_inputs, needs_qemu, reference

EXPORTED = (
    "mlperf_ad01_int8.tflite",
    "mlperf_ic_resnet8_int8.tflite",
    "mlperf_kws_dscnn_int8.tflite",
    "mlperf_vww_mobilenet_int8.tflite",
    "tflm_hello_world_int8.tflite",
    "tflm_micro_speech_int8.tflite",
    "tflm_person_detect_int8.tflite",
    "tflm_seanet_add3_int16.tflite",
    "tflm_seanet_conv4_int16x8.tflite",
)
FLOATS = (
    "litert_mobilenet_like_model.bin",
    "litert_weight_shared_between_convs.bin",
    "mlperf_ad01_fp32.tflite",
    "mlperf_ic_resnet8_fp32.tflite",
    "mlperf_vww_mobilenet_fp32.tflite",
    "tflm_hello_world_float.tflite",
)
_MIXED = "FLOAT32 weights are supported for FLOAT32 inputs, not INT8"
REFUSED = {
    "litert_0_subgraphs.bin": "it has no subgraph",
    "litert_ff.tflite": "Operator 0 \\(BATCH_MATMUL\\)",
    "litert_lstm_quantized.bin": "Operator 1 \\(LSTM\\)",
    "litert_multi_subgraphs_while.bin": "exactly one subgraph",
    "litert_sparse_tensor.bin": "Operator 0 \\(CUSTOM:FakeOp\\)",
    "litert_test_model_broken.bin": "not a valid TensorFlow Lite model",
    "litert_zero_size_constant.bin": "Operator 0 \\(",
    "mlperf_ad_toycar_dynrange.tflite": _MIXED,
    "mlperf_ic_resnet8.h5": "not a valid TensorFlow Lite model",
    "mlperf_kws_dscnn_fp32.tflite": _MIXED,
    "support_mobilenet_v1_025_224_uint8.tflite": "UINT8",
    "tflm_keyword_scrambled_8bit.tflite": "Operator 14 \\(QUANTIZE\\)",
    "tflm_mnist_lstm_float.tflite": "Operator 0 \\(UNIDIRECTIONAL_SEQUENCE_LSTM\\)",
}


@needs_qemu
@pytest.mark.parametrize("name", EXPORTED[:4])
def test_code_takes_about_20_kilobytes_of_flash(name, data_dir, tmp_path):
    path = data_dir / "models" / name
    report = export_c(path, tmp_path / "project", "cortex-m4")
    assert 0 < report.code_bytes <= (21_200 if "vww" in name else 20_000)
    # A bias, a multiplier and a shift for each channel, and little else.
    layers = [node for node in read_graph(path).nodes if len(node.inputs) == 3]
    channels = sum(node.inputs[2].size for node in layers if node.inputs[2].data is not None)
    assert report.constant_bytes <= 12 * channels + 1000


@pytest.mark.parametrize("name", EXPORTED)
def test_exported_models_match_the_reference(name, data_dir, tmp_path):
    path = data_dir / "models" / name
    report = export_c(path, tmp_path / "project", "host")
    assert report.weight_bytes <= report.dense_weight_bytes
    loadable = _repaired(path, tmp_path)
    subgraph, rng, inputs = read_model(path).subgraphs[0], np.random.default_rng(0), ()
    for tensor in (subgraph.tensors[index] for index in subgraph.inputs):
        values = edge_and_random_inputs(rng, int(np.prod(tensor.shape)), count=3)
        inputs += (values * np.int16(256) if type_name(tensor) == "INT16" else values,)
    run = run_c_project(tmp_path / "project", inputs, flags=("-O1",))
    np.testing.assert_array_equal(run.outputs, reference(loadable, inputs))


@pytest.mark.parametrize("name", FLOATS)
def test_float_models_match_the_reference(name, data_dir, tmp_path):
    path = data_dir / "models" / name
    export_c(path, tmp_path / "project")
    subgraph, rng = read_model(path).subgraphs[0], np.random.default_rng(0)
    shapes = [subgraph.tensors[index].shape for index in subgraph.inputs]
    inputs = tuple(rng.normal(size=(1, int(np.prod(each)))).astype(np.float32) for each in shapes)
    run = run_c_project(tmp_path / "project", inputs, flags=("-O1",))
    for got, want in zip(np.array(run.outputs), np.array(reference(path, inputs)), strict=True):
        np.testing.assert_allclose(got, want, 1e-5, 1e-5 * abs(want).max())


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_other_models_are_refused_in_one_sentence(name, data_dir, tmp_path):
    with pytest.raises(ValueError, match=REFUSED[name]) as refusal:
        export_c(data_dir / "models" / name, tmp_path / "project")
    assert "Received:" in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


def test_every_model_has_a_verdict(data_dir):
    names = {path.name for path in (data_dir / "models").iterdir()}
    assert names == {*EXPORTED, *FLOATS, *REFUSED}


def _repaired(path, tmp_path):
    # LiteRT refuses biases that claim to be quantised along an axis that they do not have; the
    # axis of a bias takes no part in the computation.
    model = read_model(path)
    for tensor in model.subgraphs[0].tensors:
        if tensor.quantization is not None and len(tensor.shape) == 1:
            tensor.quantization.quantizedDimension = 0
    write_model(model, tmp_path / "repaired.tflite")
    return tmp_path / "repaired.tflite"
