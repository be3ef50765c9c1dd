"""Every Python example of the guides runs as it stands."""

import pathlib
import re

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.allocation import ALLOCATIONS
from keras_prune.criteria import CRITERIA
from keras_prune.granularity import GRANULARITIES
from keras_prune.regrowth import REGROWTHS
from keras_prune.schedules import SCHEDULES

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
GUIDES = sorted((REPOSITORY / "docs").glob("*.md"))


@pytest.fixture(scope="module")
def sparse_network():
    """A trained, pruned network, its data, and its int8 file's bytes."""
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    x = random.normal(size=(256, 8, 8, 1)).astype("float32")
    y = (x.mean((1, 2, 3)) > 0).astype(int)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    kp.prune(model, 0.8)
    return model, x, y


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_examples_run(guide, sparse_network, tmp_path, monkeypatch, capfd):
    model, x, y = sparse_network
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", guide.read_text(), re.DOTALL)
    if blocks and guide.name in ("delegate.md", "microcontrollers.md"):
        kp.export_tflite(model, "model.tflite", quantize="int8", representative_data=x[:20])
    namespace = {"model": model, "x": x, "y": y}
    for block in blocks:
        exec(compile(block, guide.name, "exec"), namespace)


def test_links_lead_somewhere():
    for page in [REPOSITORY / "README.md", *GUIDES]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_kernel_table_is_that_of_the_library():
    from benchmarks import kernel_table

    if not kernel_table.PROGRAM.exists():
        pytest.skip(f"`make native` has not been run. Received: {kernel_table.PROGRAM}")
    assert kernel_table.table() in (REPOSITORY / "docs" / "delegate.md").read_text()


def test_table_of_speeds_is_that_of_the_package():
    from benchmarks import kernel_speeds

    assert kernel_speeds.table() in (REPOSITORY / "docs" / "shapes.md").read_text()


def test_table_of_layers_is_that_of_surgery():
    from benchmarks import surgery

    assert surgery.layers() in (REPOSITORY / "docs" / "surgery.md").read_text()


@pytest.mark.parametrize("registry", [CRITERIA, GRANULARITIES, ALLOCATIONS, SCHEDULES, REGROWTHS])
def test_every_method_is_in_the_table_of_methods(registry):
    page = (REPOSITORY / "docs" / "methods.md").read_text()
    for name, factory in registry.factories.items():
        assert f'`"{name}"`' in page, name
        assert f"`kp.{factory.__name__}" in page, factory


def test_every_public_class_of_penalties_and_operators_is_in_it_too():
    page = (REPOSITORY / "docs" / "methods.md").read_text()
    for name, factory in keras.saving.get_custom_objects().items():
        if name.startswith("keras_prune>") and hasattr(kp, factory.__name__):
            assert f"`kp.{factory.__name__}" in page, factory
