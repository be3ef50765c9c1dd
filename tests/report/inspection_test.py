import json

import keras
import numpy as np
import pytest

from keras_prune.export.flatbuffer import write_model
from keras_prune.export.sparse_encoding import CSR, DENSE, SparseLayout
from keras_prune.report.inspection import inspect_file, load_keras
from tests.export.tflite_models import convolution, fully_connected, make_sparse

REFUSED = {
    "litert_0_subgraphs.bin": "it has no subgraph",
    "litert_test_model_broken.bin": "identifier TFL3 is missing",
}

# Multiply-accumulates: 12,501,632 and 2,656,768 are what MLPerf Tiny's models have.
MACS = {
    "mlperf_ic_resnet8.h5": 12501632,
    "mlperf_ic_resnet8_fp32.tflite": 12501632,
    "mlperf_ic_resnet8_int8.tflite": 12501632,
    "mlperf_kws_dscnn_int8.tflite": 2656768,
    "mlperf_ad01_fp32.tflite": 264192,
    "mlperf_vww_mobilenet_fp32.tflite": 7489664,
    "litert_multi_subgraphs_while.bin": 0,
}


def test_every_real_file(data_dir):
    for path in sorted((data_dir / "models").iterdir()):
        if path.name in REFUSED:
            with pytest.raises(ValueError, match=REFUSED[path.name]):
                inspect_file(path)
            continue
        report = inspect_file(path)
        assert report.file_bytes == path.stat().st_size
        assert 0 <= report.sparsity <= 1
        assert report.total("stored_bytes") <= report.file_bytes
        assert json.loads(json.dumps(report.to_dict()))["total"]["macs"] == report.total("macs")
        assert str(report).count(path.name) == 1
        if path.name in MACS:
            assert report.total("macs") == MACS[path.name]


def test_dense_and_sparse_file_report_the_same_work(tmp_path):
    weight = np.zeros((4, 3, 3, 8), np.float32)
    weight[0, 1, 1, :6] = 1
    write_model(convolution(weight), tmp_path / "dense.tflite")
    layout = SparseLayout((0, 1, 2, 3), (DENSE, DENSE, DENSE, CSR))
    write_model(make_sparse(convolution(weight), layout), tmp_path / "sparse.tflite")
    dense, sparse = (
        inspect_file(tmp_path / f"{name}.tflite").weights[0] for name in ("dense", "sparse")
    )
    # 6x6 output positions.
    assert (
        (dense.macs, dense.sparse_macs) == (36 * 288, 36 * 6) == (sparse.macs, sparse.sparse_macs)
    )
    assert dense.sparsity == sparse.sparsity == 1 - 6 / 288
    assert (dense.kind, sparse.kind) == ("CONV_2D", "DENSIFY")
    assert dense.stored_bytes == 288 * 4
    assert sparse.stored_bytes == 6 * 4 + 37 + 6
    assert sparse.encoding == "DDDS order 0,1,2,3"


def test_depthwise_and_matrix(tmp_path):
    path = tmp_path / "model.tflite"
    write_model(convolution(np.ones((1, 3, 3, 8), np.int8), depthwise=True), path)
    assert inspect_file(path).total("macs") == 36 * 72
    write_model(fully_connected(np.eye(8, dtype=np.float32)), path)
    report = inspect_file(path)
    assert (report.total("macs"), report.total("sparse_macs")) == (64, 8)
    assert report.operators == {"FULLY_CONNECTED": 1}


def test_a_zero_point_is_a_zero(tmp_path):
    model = fully_connected(np.array([[5, 5, 0, 7]], np.int8))
    model.subgraphs[0].tensors[1].quantization.zeroPoint[0] = 5
    write_model(model, tmp_path / "model.tflite")
    assert inspect_file(tmp_path / "model.tflite").sparsity == 0.5


# Keras itself, when it saves a model of the TensorFlow backend.
def test_keras_file(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="top")])
    model.layers[0].kernel.assign([[1, 0], [0, 0], [2, 3], [0, 0]])
    model.save(tmp_path / "model.keras")
    report = inspect_file(tmp_path / "model.keras")
    (row,) = report.weights
    assert (row.kind, row.shape, row.sparsity) == ("Dense", (4, 2), 5 / 8)
    assert (row.stored_bytes, row.macs, row.sparse_macs) == (32, 8, 3)


def test_broken_keras_files(tmp_path):
    for name in ("model.keras", "model.h5"):
        (tmp_path / name).write_bytes(b"not a model")
        with pytest.raises(ValueError, match="Keras cannot load the file") as error:
            load_keras(tmp_path / name)
        assert str(error.value).endswith(f"Received: path={tmp_path / name}")
    with pytest.raises(ValueError, match="no such file"):
        load_keras(tmp_path / "absent.keras")
