"""The public names are all there, each once, and cost nothing until they are used."""

import ast
import importlib
import pathlib
import subprocess
import sys

import pytest

import keras_prune as kp


@pytest.mark.parametrize("name", kp.__all__)
def test_public_names_exist_and_are_documented(name):
    assert getattr(kp, name).__doc__
    assert name in dir(kp)


def test_type_stub_lists_the_same_names():
    stub = pathlib.Path(kp.__file__).with_suffix(".pyi").read_text()
    imports = [node for node in ast.parse(stub).body if isinstance(node, ast.ImportFrom)]
    assert {alias.asname for node in imports for alias in node.names} == set(kp.__all__)


def test_functions_are_not_hidden_by_modules_of_their_name():
    for module in ("export.c", "report.inspection", "model_cost", "pruner"):
        importlib.import_module(f"keras_prune.{module}")
    assert callable(kp.cost)
    assert callable(kp.sparsity)
    assert callable(kp.prune)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'shrinking'"):
        kp.shrinking  # noqa: B018


def test_import_alone_loads_no_framework():
    code = "import keras_prune, sys; print(sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
