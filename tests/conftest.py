"""Fixtures that every test may use."""

import os
import pathlib

import hypothesis
import pytest

from examples.datasets import find_data_dir

# Machines are shared: how long an example takes says nothing.
hypothesis.settings.register_profile("shared", deadline=None)
hypothesis.settings.load_profile("shared")


@pytest.fixture(scope="session")
def data_dir():
    """Folder with the real data sets and models; skips where there is none."""
    folder = find_data_dir()
    if folder is None or not folder.is_dir():
        pytest.skip(f"Real data and models are absent. Received: KERAS_PRUNE_DATA={folder}")
    return folder


@pytest.fixture(scope="session")
def tflite_runtime_python():
    """Interpreter of an environment with tflite-runtime 2.14 (which needs numpy < 2)."""
    python = os.environ.get("KERAS_PRUNE_TFLITE_RUNTIME_PYTHON")
    if not python or not pathlib.Path(python).exists():
        pytest.skip(
            "tflite-runtime 2.14 has no environment here. "
            f"Received: KERAS_PRUNE_TFLITE_RUNTIME_PYTHON={python}"
        )
    return python
