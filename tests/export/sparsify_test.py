import numpy as np
import pytest

from keras_prune.export import flatbuffer
from keras_prune.export.sparsify import sparsify_tflite
from keras_prune.runtime.interpreter import Job, run_jobs
from tests.export.layouts_test import sparse_array
from tests.export.tflite_models import convolution, fully_connected, prune_file

# What becomes of each real file as it is: refused with a sentence, or the number of weights that
# are sparse afterwards and the number of those that stay dense.
VERDICTS = {
    "litert_0_subgraphs.bin": "it has no subgraph",
    "litert_ff.tflite": (1, 2),
    "litert_lstm_quantized.bin": (0, 9),
    "litert_mobilenet_like_model.bin": (0, 3),
    "litert_multi_subgraphs_while.bin": (0, 0),
    "litert_sparse_tensor.bin": "CUSTOM:FakeOp version 1 reads a sparse constant directly",
    "litert_test_model_broken.bin": "the identifier TFL3 is missing",
    "litert_weight_shared_between_convs.bin": (0, 1),
    "litert_zero_size_constant.bin": (0, 0),
    "mlperf_ad01_fp32.tflite": (0, 10),
    "mlperf_ad01_int8.tflite": (0, 10),
    "mlperf_ad_toycar_dynrange.tflite": (0, 10),
    "mlperf_ic_resnet8.h5": "the identifier TFL3 is missing",
    "mlperf_ic_resnet8_fp32.tflite": (0, 10),
    "mlperf_ic_resnet8_int8.tflite": (0, 10),
    "mlperf_kws_dscnn_fp32.tflite": (0, 10),
    "mlperf_kws_dscnn_int8.tflite": (0, 10),
    "mlperf_vww_mobilenet_fp32.tflite": (0, 28),
    "mlperf_vww_mobilenet_int8.tflite": (8, 20),
    "support_mobilenet_v1_025_224_uint8.tflite": (0, 28),
    "tflm_hello_world_float.tflite": (0, 3),
    "tflm_hello_world_int8.tflite": (0, 3),
    "tflm_keyword_scrambled_8bit.tflite": "it crashed the runtime with SIG",
    "tflm_micro_speech_int8.tflite": (0, 2),
    "tflm_mnist_lstm_float.tflite": (0, 9),
    "tflm_person_detect_int8.tflite": "quantized_dimension must be in range",
    "tflm_seanet_add3_int16.tflite": (0, 0),
    "tflm_seanet_conv4_int16x8.tflite": (0, 1),
}

# The same with 80 % of the weights set to zero, in the profile that makes most of them sparse; and
# the largest part of the file's size that may be left.
PRUNED = {
    ("mlperf_ad01_fp32.tflite", "portable"): (10, 0.28),
    ("mlperf_ad01_fp32.tflite", "f32-fc-fast"): (10, 0.28),
    ("mlperf_ad01_int8.tflite", "small"): (10, 0.43),
    ("mlperf_ad_toycar_dynrange.tflite", "small"): (10, 0.43),
    ("mlperf_ic_resnet8_fp32.tflite", "portable"): (10, 0.31),
    ("mlperf_ic_resnet8_int8.tflite", "portable"): (7, 0.62),
    ("mlperf_ic_resnet8_int8.tflite", "small"): (7, 0.62),
    ("mlperf_kws_dscnn_fp32.tflite", "portable"): (5, 0.85),
    ("mlperf_kws_dscnn_int8.tflite", "portable"): (5, 0.85),
    ("mlperf_vww_mobilenet_fp32.tflite", "portable"): (25, 0.31),
    ("mlperf_vww_mobilenet_int8.tflite", "portable"): (17, 0.47),
    ("tflm_mnist_lstm_float.tflite", "portable"): (1, 0.65),
    ("tflm_micro_speech_int8.tflite", "small"): (1, 0.70),
}


def test_every_real_file_has_a_verdict(data_dir):
    assert sorted(VERDICTS) == sorted(path.name for path in (data_dir / "models").iterdir())


@pytest.mark.parametrize("name", VERDICTS)
def test_real_file(name, data_dir, tmp_path):
    source, target = data_dir / "models" / name, tmp_path / "sparse.tflite"
    verdict = VERDICTS[name]
    if isinstance(verdict, str):
        with pytest.raises(ValueError, match=verdict) as error:
            sparsify_tflite(source, target)
        assert str(error.value).endswith(f"path={source}")
        assert str(error.value).count("\n") == 0
        assert list(tmp_path.iterdir()) == []
        return
    report = sparsify_tflite(source, target)
    sparse = len(report.sparse_tensors)
    assert (sparse, len(report.tensors) - sparse) == verdict
    assert report.max_difference == 0
    assert report.samples == 4
    assert target.stat().st_size == report.sparse_bytes <= source.stat().st_size
    if not sparse:
        assert target.read_bytes() == source.read_bytes()


@pytest.fixture(scope="module")
def pruned(data_dir, tmp_path_factory):
    """Sparse and dense files of the pruned models: dict of name to (dense, sparse, report)."""
    folder, found = tmp_path_factory.mktemp("pruned"), {}
    for name, profile in PRUNED:
        dense, sparse = folder / name, folder / f"{profile}_{name}"
        prune_file(data_dir / "models" / name, dense, 0.8)
        found[name, profile] = dense, sparse, sparsify_tflite(dense, sparse, profile)
    return found


@pytest.mark.parametrize("case", PRUNED, ids="-".join)
def test_pruned_real_file_is_smaller_and_computes_the_same(case, pruned):
    dense, sparse, report = pruned[case]
    least, most = PRUNED[case]
    assert len(report.sparse_tensors) >= least
    assert sparse.stat().st_size <= most * dense.stat().st_size
    before, after = (zeros(path) for path in (dense, sparse))
    for name, zero in before.items():
        np.testing.assert_array_equal(after[name], zero)
    int8 = any(tensor.dtype == "INT8" for tensor in report.sparse_tensors)
    if case[1] != "small":
        assert report.max_difference <= (0 if int8 else 1e-5)


def zeros(path):
    model = flatbuffer.read_model(path)
    arrays = {
        flatbuffer.text(tensor.name): flatbuffer.tensor_array(model, tensor)
        for tensor in model.subgraphs[0].tensors
    }
    return {name: array == 0 for name, array in arrays.items() if array is not None}


def check_runtime(pruned, **runner):
    # The dense dynamic-range file does not load in tflite-runtime 2.14 (FULLY_CONNECTED too new).
    cases = {
        f"{name} {profile}": files[:2]
        for (name, profile), files in pruned.items()
        if profile != "small"
    }
    jobs = {}
    for name, (dense, sparse) in cases.items():
        for resolver in ("default", "reference"):
            jobs[f"{name} {resolver} dense"] = Job(dense, resolver)
            jobs[f"{name} {resolver} sparse"] = Job(sparse, resolver)
    results = run_jobs(jobs, random_samples=2, **runner)
    for name in cases:
        for resolver in ("default", "reference"):
            dense = results[f"{name} {resolver} dense"]
            sparse = results[f"{name} {resolver} sparse"]
            assert (dense.error, sparse.error) == (None, None), name
            if "fast" in name:
                np.testing.assert_allclose(sparse.outputs, dense.outputs, rtol=1e-4, atol=1e-5)
            else:
                np.testing.assert_array_equal(sparse.outputs, dense.outputs, err_msg=name)


def test_sparse_files_run_in_tensorflow(pruned):
    check_runtime(pruned, runtime="tensorflow")


def test_sparse_files_run_in_tflite_runtime(pruned, tflite_runtime_python):
    check_runtime(pruned, python=tflite_runtime_python, runtime="tflite_runtime.interpreter")


def test_version_8_runs_everywhere(pruned, tflite_runtime_python):
    """The reference kernels do not care about the version, so there it is exact to the dense."""
    dense, sparse, _ = pruned["mlperf_ad01_int8.tflite", "small"]
    jobs = {
        f"{name} {resolver}": Job(path, resolver)
        for name, path in (("dense", dense), ("sparse", sparse))
        for resolver in ("default", "reference")
    }
    runners = [
        {},
        {"runtime": "tensorflow"},
        {"python": tflite_runtime_python, "runtime": "tflite_runtime.interpreter"},
    ]
    for runner in runners:
        results = run_jobs(jobs, random_samples=2, **runner)
        assert {result.error for result in results.values()} == {None}
        gap = [
            np.abs(np.int32(results["dense default"].outputs) - results["sparse default"].outputs),
            np.abs(
                np.int32(results["dense reference"].outputs) - results["sparse reference"].outputs
            ),
        ]
        assert gap[0].max() <= 1
        assert gap[1].max() == 0


def test_source_may_be_the_destination(tmp_path):
    path = tmp_path / "model.tflite"
    flatbuffer.write_model(convolution(sparse_array((32, 3, 3, 32), np.float32)), path)
    size = path.stat().st_size
    report = sparsify_tflite(path, path)
    assert path.stat().st_size == report.sparse_bytes < size == report.dense_bytes
    again = sparsify_tflite(path, path)
    assert [tensor.reason for tensor in again.tensors] == ["it already was sparse"]
    assert again.sparse_bytes == again.dense_bytes == report.sparse_bytes


def test_representative_data_is_compared_too(tmp_path):
    path = tmp_path / "model.tflite"
    flatbuffer.write_model(convolution(sparse_array((32, 3, 3, 32), np.int8)), path)
    data = np.random.default_rng(0).normal(size=(3, 6, 6, 32))
    report = sparsify_tflite(path, tmp_path / "sparse.tflite", representative_data=data)
    assert (report.samples, report.max_difference) == (7, 0)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (("model.tflite", "out.tflite", "fastest"), "Received: profile='fastest'"),
        (("model.tflite", "no/folder/out.tflite"), "folder to write to does not exist"),
        (("model.tflite", "."), "is a folder"),
        (("absent.tflite", "out.tflite"), "Cannot read the file"),
    ],
)
def test_wrong_arguments(arguments, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flatbuffer.write_model(fully_connected(np.ones((2, 2), np.float32)), "model.tflite")
    with pytest.raises(ValueError, match=sentence):
        sparsify_tflite(*arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["model.tflite"]
