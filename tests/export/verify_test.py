import numpy as np
import pytest

from keras_prune.export import sparsify
from keras_prune.export.flatbuffer import serialize_model, write_model
from keras_prune.export.verify import largest_difference, verify_files
from tests.export.tflite_models import add_operator, add_tensor, fully_connected, set_ends


def files(folder, *weights):
    paths = []
    for number, weight in enumerate(weights):
        paths.append(folder / f"{number}.tflite")
        write_model(fully_connected(weight), paths[-1])
    return paths


def test_equal_files(tmp_path):
    found = verify_files(*files(tmp_path, *[np.ones((4, 8), np.float32)] * 2), "model")
    assert (found.max_difference, found.samples, found.notes) == (0, 4, ())


@pytest.mark.parametrize("dtype", [np.float32, np.int8])
def test_one_wrong_weight_is_found(dtype, tmp_path):
    right, wrong = np.full((4, 8), 50, dtype), np.full((4, 8), 50, dtype)
    wrong[1, 2] = 60
    paths = files(tmp_path, right, wrong)
    with pytest.raises(ValueError, match=r"output 0 differs .* Received: path=model"):
        verify_files(*paths, "model")
    assert largest_difference(*paths, "model") > 0


def test_rounding_of_floats_is_allowed_and_told(tmp_path):
    weight = np.random.default_rng(0).normal(size=(4, 8)).astype(np.float32)
    found = verify_files(*files(tmp_path, weight, weight * np.float32(1 + 1e-6)), "model")
    assert 0 < found.max_difference < 1e-5


def test_inputs_are_run_by_name_and_quantized(tmp_path):
    paths = files(tmp_path, *[np.ones((4, 8), np.int8)] * 2)
    found = verify_files(*paths, "model", inputs={"x": np.ones((3, 1, 8))})
    assert found.samples == 7


def test_nan_that_both_have_is_equal(tmp_path):
    weight = np.ones((4, 8), np.float32)
    weight[0, 0] = np.nan
    assert verify_files(*files(tmp_path, weight, weight), "model").max_difference == 0
    with pytest.raises(ValueError, match="differs"):
        verify_files(*files(tmp_path, weight, np.ones((4, 8), np.float32)), "model")


def test_file_that_does_not_run(tmp_path):
    model = fully_connected(np.ones((4, 8), np.float32))
    result = add_tensor(model, (1, 4))
    add_operator(model, "CUSTOM", [3], [result])
    model.operatorCodes[-1].customCode = "Spiral"
    set_ends(model, [0], [result])
    path = tmp_path / "custom.tflite"
    write_model(model, path)
    (good,) = files(tmp_path, np.ones((4, 8), np.float32))
    with pytest.raises(ValueError, match="does not run in LiteRT: Encountered unresolved custom"):
        verify_files(path, path, "model")
    with pytest.raises(ValueError, match="sparse file does not run in LiteRT's default kernels"):
        verify_files(good, path, "model")


def test_a_wrong_sparse_file_is_not_written(tmp_path, monkeypatch):
    weight = np.zeros((64, 64), np.float32)
    weight[3] = 1
    source, target = tmp_path / "0.tflite", tmp_path / "out.tflite"
    files(tmp_path, weight)
    wrong = serialize_model(fully_connected(weight * 2))
    monkeypatch.setattr(sparsify, "serialize_model", lambda model: wrong)
    with pytest.raises(ValueError, match="the file was not written"):
        sparsify.sparsify_tflite(source, target)
    assert [path.name for path in tmp_path.iterdir()] == ["0.tflite"]
