import numpy as np
import pytest

from keras_prune.export.flatbuffer import write_model
from keras_prune.runtime.interpreter import Job, run_jobs, time_jobs
from tests.export.tflite_models import fully_connected


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.tflite"
    write_model(fully_connected(np.eye(4, dtype=np.float32)), path)
    return path


def test_given_inputs_come_after_random_ones(path):
    data = np.arange(8, dtype=np.float32).reshape(2, 1, 4)
    result = run_jobs({"a": Job(path)}, {"x": data}, random_samples=3)["a"]
    assert result.error is None
    assert len(result.outputs) == 5
    # The matrix is the identity and the bias is 0, 1, 2, 3.
    np.testing.assert_allclose(result.outputs[4][0], [[4, 6, 8, 10]])
    assert np.abs(result.outputs[0][0] - [0, 1, 2, 3]).max() <= 1


def test_random_inputs_are_the_same_in_every_job_and_run(path):
    first = run_jobs({"a": Job(path), "b": Job(path, "reference", threads=2)})
    again = run_jobs({"a": Job(path)})
    np.testing.assert_array_equal(first["a"].outputs, first["b"].outputs)
    np.testing.assert_array_equal(first["a"].outputs, again["a"].outputs)


def test_integers_are_quantized(tmp_path):
    path = tmp_path / "int8.tflite"
    write_model(fully_connected(np.full((4, 4), 50, np.int8)), path)
    result = run_jobs({"a": Job(path)}, {"x": np.zeros((1, 1, 4))}, random_samples=0)["a"]
    assert result.outputs[0][0].tolist() == [[0, 0, 0, 0]]


def test_a_broken_file_does_not_hurt_the_others(path, tmp_path):
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"\x1c\0\0\0TFL3" + bytes(100))
    results = run_jobs({"bad": Job(broken), "good": Job(path)})
    assert results["good"].error is None
    assert "schema version 0" in results["bad"].error


def test_a_crash_is_a_reason(data_dir):
    path = data_dir / "models" / "tflm_keyword_scrambled_8bit.tflite"
    assert "it crashed the runtime with SIG" in run_jobs({"a": Job(path)})["a"].error


def test_a_hang_is_a_reason(path):
    assert run_jobs({"a": Job(path)}, timeout=0.01)["a"].error == (
        "it did not finish within 0.01 seconds"
    )


def test_a_missing_runtime_is_an_error(path):
    with pytest.raises(ImportError, match="needs the package `no-such-runtime`"):
        run_jobs({"a": Job(path)}, runtime="no_such_runtime.interpreter")
    result = run_jobs({"a": Job(path)}, python="/usr/bin/env", runtime="x")["a"]
    assert "the runtime stopped with exit code" in result.error


def test_times(path):
    results = time_jobs({"a": Job(path), "b": Job(path)}, rounds=4, round_seconds=0.001)
    for result in results.values():
        assert len(result.seconds) == 4
        assert all(0 < seconds < 1 for seconds in result.seconds)
        assert result.calls >= 1
        assert result.outputs[0][0].shape == (1, 4)
