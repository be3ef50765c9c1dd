import numpy as np
import pytest

from keras_prune.export.flatbuffer import write_model
from keras_prune.export.layouts import candidates, smallest
from keras_prune.export.sparse_encoding import CSR, DENSE, SparseLayout, decode
from keras_prune.runtime.interpreter import Job, run_jobs
from tests.export.tflite_models import convolution, fully_connected, make_sparse

MODELS = {
    "matrix f32": (fully_connected, (16, 32), np.float32),
    "convolution f32": (convolution, (8, 3, 3, 16), np.float32),
    "convolution int8": (convolution, (8, 3, 3, 16), np.int8),
    "depthwise f32": (lambda w: convolution(w, depthwise=True), (1, 3, 3, 16), np.float32),
    "depthwise int8": (lambda w: convolution(w, depthwise=True), (1, 3, 3, 16), np.int8),
}


def sparse_array(shape, dtype, density=0.2, seed=0):
    generator = np.random.default_rng(seed)
    array = generator.integers(-100, 101, shape).astype(dtype)
    return array * (generator.random(shape) < density).astype(dtype)


def check_every_layout(kind, folder, **runner):
    build, shape, dtype = MODELS[kind]
    array = sparse_array(shape, dtype)
    jobs = {"dense": Job(folder / "dense.tflite")}
    write_model(build(array), jobs["dense"].path)
    for layout in candidates(shape):
        path = folder / f"{len(jobs)}.tflite"
        write_model(make_sparse(build(array), layout), path)
        jobs[str(layout)] = Job(path)
        jobs[f"{layout}, reference"] = Job(path, "reference")
    jobs["dense, reference"] = Job(folder / "dense.tflite", "reference")
    results = run_jobs(jobs, random_samples=2, **runner)
    assert len(results) > 70
    for name, result in results.items():
        assert result.error is None, (name, result.error)
        twin = results["dense, reference" if name.endswith("reference") else "dense"]
        np.testing.assert_array_equal(result.outputs, twin.outputs, err_msg=name)
        assert np.std(result.outputs[0]) > 0


@pytest.mark.parametrize("kind", MODELS)
def test_litert_reads_every_layout(kind, tmp_path):
    check_every_layout(kind, tmp_path)


@pytest.mark.parametrize("kind", ["matrix f32", "convolution int8"])
def test_tensorflow_reads_every_layout(kind, tmp_path):
    check_every_layout(kind, tmp_path, runtime="tensorflow")


@pytest.mark.parametrize("kind", MODELS)
def test_tflite_runtime_reads_every_layout(kind, tmp_path, tflite_runtime_python):
    runtime = "tflite_runtime.interpreter"
    check_every_layout(kind, tmp_path, python=tflite_runtime_python, runtime=runtime)


def test_candidates_are_different_and_fit():
    found = candidates((8, 3, 3, 16))
    assert len(set(found)) == len(found) > 50
    assert SparseLayout((0, 1, 2, 3), (DENSE, DENSE, DENSE, CSR)) in found
    assert not any(layout.block_sizes for layout in candidates((7, 5)))


def best(array):
    size, layout, values, levels = smallest(array)
    np.testing.assert_array_equal(decode(values, array.shape, layout, levels), array)
    return size, layout


def test_single_values_use_one_byte_indices():
    # 1024 inputs need two bytes each, 64 outputs one: so columns, not rows.
    size, layout = best(sparse_array((64, 1024), np.int8))
    assert layout == SparseLayout((1, 0), (DENSE, CSR))
    nonzero = np.count_nonzero(sparse_array((64, 1024), np.int8))
    assert size == 2 * nonzero + 2 * 1025


def test_blocks_are_found():
    pattern = sparse_array((32, 1, 16), np.float32).repeat(4, axis=1).reshape(128, 16)
    size, layout = best(pattern)
    assert layout.block_map == (0,)
    assert layout.block_sizes == (4,)
    assert size < 5 * np.count_nonzero(pattern)


def test_whole_filters_are_found():
    array = np.ones((16, 3, 3, 8), np.float32)
    array[3:] = 0
    size, layout = best(array)
    assert layout == SparseLayout((0, 1, 2, 3), (CSR, DENSE, DENSE, DENSE))
    assert size == 3 * 72 * 4 + 2 + 3


def test_large_arrays_are_searched_less(monkeypatch):
    monkeypatch.setattr("keras_prune.export.layouts.LARGE", 100)
    _, layout = best(sparse_array((16, 32), np.float32))
    assert layout.formats.count(CSR) == 1
