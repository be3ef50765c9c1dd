"""Operators whose result is known before a C program runs."""

import subprocess
import sys

import numpy as np
import pytest

from keras_prune.export.c import export_c
from keras_prune.runtime.c_project import run_c_project
from tests.export.c_model_builder import Model, needs, random_int8, reference


def chosen(model, x, low, zero_point, kind, scale=0.05):
    """x where it is above a threshold that it always is, else a constant."""
    shape = (1, 12)
    threshold = model.tensor((1, 1), 0.01, 0, [[low]])
    condition = model.operator(kind, [x, threshold], [model.tensor(shape, dtype="bool")])
    other = model.tensor((), scale, zero_point, zero_point)
    choices = [x, other] if kind == "GREATER" else [other, x]
    return model.operator(
        "SELECT_V2", [condition, *choices], [model.tensor(shape, scale, zero_point)]
    )


@needs("cc")
@pytest.mark.parametrize("kind, low", [("GREATER", -100), ("LESS_EQUAL", -100), ("GREATER", 0)])
def test_what_is_always_chosen_stays_alone(tmp_path, kind, low):
    model = Model()
    source = model.tensor((1, 12), 0.05, -128)
    x = model.operator("RELU", [source], [model.tensor((1, 12), 0.05, -128)])
    x = chosen(model, x, low, -128, kind)  # 0 is the least that x holds, and the other choice
    x = model.operator("RELU6", [x], [model.tensor((1, 12), 0.05, -128)])
    path = model.save(tmp_path / "model.tflite", [source], [x])
    report = export_c(path, tmp_path / "c", "host")
    assert [layer.operator for layer in report.layers] == ["RELU", "RELU6"]
    inputs = random_int8(np.random.default_rng(0), (4, 12))
    run = run_c_project(tmp_path / "c", inputs)
    np.testing.assert_array_equal(run.outputs, reference(path, inputs))


@pytest.mark.parametrize(
    "low, zero_point, scale",
    [(1, -128, 0.05), (-100, 0, 0.05), (0, -128, 0.003)],  # the last in steps nobody sees
)
def test_a_choice_that_depends_on_the_input_is_not_made(tmp_path, low, zero_point, scale):
    model = Model()
    source = model.tensor((1, 12), scale, zero_point)
    x = chosen(model, source, low, zero_point, "GREATER", scale)
    path = model.save(tmp_path / "model.tflite", [source], [x])
    with pytest.raises(ValueError, match="GREATER"):
        export_c(path, tmp_path / "c", "host")


@needs("cc")
def test_a_shape_that_is_computed_is_the_fixed_one(tmp_path):
    model = Model()
    source = model.tensor((1, 2, 6), 0.05, 3)
    shape = model.operator("SHAPE", [source], [model.tensor((3,), dtype="int32")], outType=2)
    ends = [model.tensor((1,), data=[each], dtype="int32") for each in (0, 1, 1)]
    first = model.operator("STRIDED_SLICE", [shape, *ends], [model.tensor((1,), dtype="int32")])
    rest = model.tensor((1,), data=[12], dtype="int32")
    both = model.operator("CONCATENATION", [first, rest], [model.tensor((2,), dtype="int32")])
    x = model.operator("RESHAPE", [source, both], [model.tensor((1, 12), 0.05, 3)])
    x = model.operator("RELU", [x], [model.tensor((1, 12), 0.05, 3)])
    path = model.save(tmp_path / "model.tflite", [source], [x])
    export_c(path, tmp_path / "c", "host")
    inputs = random_int8(np.random.default_rng(0), (4, 12))
    run = run_c_project(tmp_path / "c", inputs)
    np.testing.assert_array_equal(run.outputs, reference(path, inputs))


def test_modules_beside_the_package_can_be_imported_first():
    for module in ("winner_pattern", "custom_operators", "c.winners", "c.graph"):
        command = [sys.executable, "-c", f"import keras_prune.export.{module}"]
        subprocess.run(command, check=True)
