"""Kernels that are chosen by timing them when a model is loaded."""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
from ai_edge_litert.interpreter import Interpreter

import keras_prune as kp
from keras_prune.runtime import native
from keras_prune.runtime.delegate import load_delegate
from tests.runtime.delegate_models import Layer, build, random_weights
from tests.runtime.delegate_test import (
    assert_same,
    claims,
    conv2d,
    delegated,
    fully_connected,
    random_input,
    reference,
)

pytestmark = pytest.mark.skipif(
    not native.library_path().exists(), reason="The compiled library has not been built."
)


def very_sparse(dtype="float32"):
    return Layer(random_weights((256, 512), dtype, density=0.03), (1, 512))


@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize("make", [fully_connected, conv2d])
def test_outputs_do_not_depend_on_tuning(make, dtype, tmp_path):
    content, x = build(make(dtype)), random_input(make(dtype).input_shape, dtype)
    expected = reference(content, x)
    for _ in range(2):  # measured, then from the file
        assert_same(delegated(content, x, tuning_cache=tmp_path / "cache"), expected)
    assert_same(delegated(content, x, tuning=True, num_threads=2), expected)


def test_a_cache_holds_what_was_measured(tmp_path, capfd):
    path, content = tmp_path / "cache", build(very_sparse())
    lines = []
    for _ in range(2):
        delegated(content, random_input((1, 512), "float32"), tuning_cache=path, verbose=True)
        lines.append(claims(capfd)[0])
    assert "measured" in lines[0] and lines[0] == lines[1]
    assert path.read_text().startswith("keras_prune tuning 1 ")
    assert [file.name for file in tmp_path.iterdir()] == ["cache"]


def test_without_tuning_nothing_is_measured(tmp_path, capfd):
    options = {"tuning": False, "tuning_cache": tmp_path / "cache", "verbose": True}
    delegated(build(very_sparse()), random_input((1, 512), "float32"), **options)
    assert "expected" in claims(capfd)[0] and not (tmp_path / "cache").exists()


def test_a_damaged_cache_is_ignored_with_a_line(tmp_path, capfd):
    path = tmp_path / "cache"
    path.write_bytes(b"keras_prune tuning 1 " + bytes(range(256)))
    delegated(
        build(very_sparse()), random_input((1, 512), "float32"), tuning_cache=path, verbose=True
    )
    errors = capfd.readouterr().err
    assert f"the tuning cache {path} is damaged and was ignored" in errors
    assert "measured" in errors


def test_a_cache_that_cannot_be_written_is_a_line(tmp_path, capfd):
    path = tmp_path / "absent" / "cache"
    delegated(build(very_sparse()), random_input((1, 512), "float32"), tuning_cache=path)
    assert f"the tuning cache {path} could not be written" in capfd.readouterr().err


_PROCESS = """
import sys
from ai_edge_litert.interpreter import Interpreter
from keras_prune.runtime.delegate import load_delegate

for model in sys.argv[2:]:
    delegate = load_delegate(runtime="litert", tuning_cache=sys.argv[1])
    Interpreter(model, experimental_delegates=[delegate]).allocate_tensors()
"""


def test_processes_share_a_cache(tmp_path):
    models = []
    for i in range(4):
        weights = random_weights((256, 512), density=0.02 + 0.01 * i)
        models.append(tmp_path / f"{i}.tflite")
        models[-1].write_bytes(build(Layer(weights, (1, 512))))
    path = tmp_path / "cache"
    command = [sys.executable, "-c", _PROCESS, path]
    processes = [subprocess.Popen([*command, *models[i:], *models[:i]]) for i in range(2)]
    assert all(process.wait(timeout=120) == 0 for process in processes)
    assert len(path.read_text().splitlines()) == 5  # the head, and one line a layer
    assert len(list(tmp_path.iterdir())) == 5


def test_explain_says_what_was_measured(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(build(very_sparse()))
    (expected,) = kp.explain(path).choices
    (measured,) = kp.explain(path, tuning=True).choices
    assert measured.measured and not expected.measured
    assert "*" in str(kp.explain(path, tuning=True)) and "*" not in str(kp.explain(path))
    with pytest.raises(ValueError, match=r"Only the delegate takes options.*Received: "):
        kp.explain(path, target="cortex-m4", tuning=True)


def test_measured_losses_are_left_to_the_interpreter(capfd):
    layer = Layer(np.ones((64, 64), np.float32), (1, 64))
    delegate = load_delegate(runtime="litert", verbose=True, tuning=True)
    Interpreter(model_content=build(layer), experimental_delegates=[delegate]).allocate_tensors()
    assert "the stock kernel is expected to be faster" in claims(capfd)[0]
