import json

import keras
import numpy as np
import pytest

from keras_prune.cli import main
from keras_prune.export.flatbuffer import read_model, write_model
from keras_prune.runtime.native import library_path
from tests.export.c_code_test import layer
from tests.export.layouts_test import sparse_array
from tests.export.tflite_models import convolution


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "model.tflite"
    write_model(convolution(sparse_array((32, 3, 3, 32), np.int8)), path)
    return path


def fails(capfd, *argv):
    """Run a command that must fail with one line on stderr, and return the line."""
    assert main([str(argument) for argument in argv]) == 2
    output, errors = capfd.readouterr()
    assert output == ""
    assert errors.startswith("keras-prune: error: ")
    assert errors.count("\n") == 1
    assert "Traceback" not in errors
    return errors


def works(capfd, *argv):
    assert main([str(argument) for argument in argv]) == 0
    output, errors = capfd.readouterr()
    assert errors == ""
    return output


@pytest.mark.parametrize(
    "command", [(), ("inspect",), ("prune",), ("convert",), ("bench",), ("export-c",)]
)
def test_help(command, capfd):
    text = works(capfd, *command, "--help")
    assert text.startswith("usage: keras-prune")
    if command:
        assert f"\n  keras-prune {command[0]} " in text


def test_version(capfd):
    assert works(capfd, "--version").startswith("keras-prune ")


@pytest.mark.parametrize(
    "argv, sentence",
    [
        ((), "required: COMMAND"),
        (("frobnicate",), "invalid choice: 'frobnicate'"),
        (("inspect",), "required: FILE; see `keras-prune inspect --help`"),
        (("inspect", "absent.tflite"), "Cannot read the file"),
        (("inspect", "absent.keras"), "no such file"),
        (("prune", "absent.keras", "out.keras"), "no such file"),
        (("prune", "absent.keras", "out.h5"), "written as a .keras file"),
        (("prune", "a.keras", "b.keras", "--quantize", "int4"), "invalid choice: 'int4'"),
        (("convert", "absent.tflite", "out.tflite"), "Cannot read the file"),
        (("convert", "a.keras", "b", "--profile", "huge"), "invalid choice: 'huge'"),
        (("convert", "a.tflite", "b", "--quantize", "int8"), "are for Keras files"),
        (("convert", "a.tflite", "b", "--custom-operators"), "are for Keras files"),
        (("convert", "a.tflite", "b", "--representative-data", "no.npy"), "data cannot be read"),
        (("bench", "absent.tflite"), "no such file"),
        (("bench", "a", "--threads", "two"), "invalid int value: 'two'"),
        (("bench", "a", "--delegate-option", "fast"), "NAME=VALUE"),
        (("bench", "a", "--no-delegate", "--delegate-option", "a=1"), "needs the delegate"),
        (("export-c", "absent.tflite", "out"), "absent.tflite"),
    ],
)
def test_errors(argv, sentence, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sentence in fails(capfd, *argv)
    assert list(tmp_path.iterdir()) == []


def test_inspect(file, capfd):
    assert "CONV_2D" in works(capfd, "inspect", file)
    data = json.loads(works(capfd, "inspect", file, "--json"))
    assert data["weights"][0]["shape"] == [32, 3, 3, 32]


def test_inspect_real_keras_file(data_dir, capfd):
    text = works(capfd, "inspect", data_dir / "models" / "mlperf_ic_resnet8.h5")
    assert "12,501,632" in text


def test_convert_tflite_file(file, tmp_path, capfd):
    target = tmp_path / "sparse.tflite"
    assert "DENSIFY" in works(capfd, "convert", file, target)
    assert target.stat().st_size < file.stat().st_size
    data = json.loads(works(capfd, "convert", file, target, "--json"))
    assert data["max_difference"] == 0


# Keras itself, when it saves a model of the TensorFlow backend.
def test_convert_keras_file(tmp_path, capfd):
    model = keras.Sequential([keras.Input((40,)), keras.layers.Dense(32)])
    model.layers[0].kernel.assign(sparse_array((40, 32), np.float32))
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(10, 40)))
    arguments = ["--quantize", "int8", "--representative-data", tmp_path / "x.npy", "--json"]
    target = tmp_path / "model.tflite"
    text = works(
        capfd, "convert", tmp_path / "model.keras", target, "--profile", "small", *arguments
    )
    assert json.loads(text)["quantize"] == "int8"
    assert len(read_model(target).subgraphs[0].operators) == 2


def test_prune_keras_file_for_a_target(tmp_path, capfd):
    model = keras.Sequential([keras.Input((128,)), keras.layers.Dense(64), keras.layers.Dense(5)])
    source, target = tmp_path / "model.keras", tmp_path / "pruned.keras"
    model.save(source)
    auto = ("--granularity", "auto", "--target", "x86-avx512", "--sparsity", 0.8)
    data = json.loads(works(capfd, "prune", source, target, *auto, "--json"))
    assert [line["granularity"] for line in data["weights"]] == ["Block(16, 1)", "Unstructured()"]
    assert data["reached"] and data["achieved"] > 0.79
    kernel = keras.saving.load_model(target).layers[0].get_weights()[0]
    assert set((kernel != 0.0).reshape(128, 4, 16).sum(2).ravel()) == {0, 16}

    assert "NM(3, 32)" in works(capfd, "prune", source, target, *auto[:-1], 0.9)
    text = works(capfd, "prune", source, target, *auto, "--quantize", "int8")
    assert "Block(16, 4)" in text and "too small for blocks" in text
    text = works(capfd, "prune", source, target, "--granularity", "2:4", "--filters", "dense")
    assert "50.00%" in text
    before = target.read_bytes()
    assert "one of [" in fails(capfd, "prune", source, target, "--granularity", "auto")
    assert "['x86-avx512'" in fails(capfd, "prune", source, target, *auto[:2], "--target", "vax")
    assert "take neither" in fails(capfd, "prune", source, target, "--target", "aarch64")
    assert target.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.keras", "pruned.keras"]


def test_bench(file, capfd):
    text = works(capfd, "bench", file, "--runs", 2, "--no-delegate")
    assert "model.tflite" in text
    if library_path().exists():
        options = ["--delegate-option", "min_sparsity=0.5", "--json"]
        data = json.loads(works(capfd, "bench", file, "--runs", 2, *options))
        assert [row["runs"] for row in data["rows"]] == ["LiteRT", "LiteRT + delegate"]


def test_export_c(file, tmp_path, capfd):
    assert works(capfd, "export-c", file, tmp_path / "project", "--name", "digits")
    assert (tmp_path / "project" / "src" / "digits.h").exists()
    data = json.loads(works(capfd, "export-c", file, tmp_path / "again", "--json"))
    assert data["target"] == "cortex-m4" and data["flash_bytes"] > 0


def test_weights_as_code(tmp_path, capfd):
    path, project = tmp_path / "dense.tflite", tmp_path / "c"
    layer(path)
    for numbers in ([], [0]):
        option = ["--weights-as-code", *numbers]
        assert " code " in works(capfd, "export-c", path, project, *option)
        text = works(capfd, "explain", path, "--target", "cortex-m4", *option)
        assert "fully_connected_s8_code" in "".join(text.split())
    assert "code" not in works(capfd, "explain", path, "--target", "cortex-m4")
    line = fails(capfd, "export-c", path, tmp_path / "d", "--weights-as-code", 3)
    assert "Received: weights_as_code=[3]" in line
