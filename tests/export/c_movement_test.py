"""Operators that move elements, and reductions and resizes, in C, compared with LiteRT."""

import numpy as np
import pytest

from keras_prune.export.c import export_c
from keras_prune.runtime.c_project import run_c_project
from tests.export.c_cases import Cases
from tests.export.c_model_builder import edge_and_random_inputs, needs_qemu, reference
from tests.export.c_networks import shuffled_network

SCALE = 0.05


def moved(cases, kind, shape, result, *constants, **options):
    """Add a case of one input, constants, and one output of the input's scale."""
    zero_point = cases.zero_point()
    inputs = [cases.input(shape, SCALE, zero_point)]
    inputs += [cases.integers(values) for values in constants]
    cases.output(kind, inputs, result, SCALE, zero_point, **options)


def test_transposes_and_slices_match_the_reference(tmp_path):
    cases = Cases(seed=40)
    shape = (2, 3, 4, 5)
    for axes in ([0, 3, 1, 2], [3, 2, 1, 0], [1, 0, 3, 2], [0, 1, 3, 2], [0, 2, 1, 3]):
        moved(cases, "TRANSPOSE", shape, [shape[axis] for axis in axes], axes)
    moved(cases, "TRANSPOSE", (3, 1, 5), (1, 3, 5), [1, 0, 2])
    moved(cases, "TRANSPOSE", (2, 3, 2, 2, 3), (3, 2, 3, 2, 2), [4, 3, 1, 2, 0])
    moved(cases, "SLICE", shape, (1, 3, 2, 3), [1, 0, 1, 2], [1, -1, 2, -1])
    moved(cases, "SLICE", (7,), (3,), [4], [3])
    reverse, shrink = {"endMask": 15, "beginMask": 1}, {"shrinkAxisMask": 5, "endMask": 2}
    for begin, end, strides, masks, result in (
        ([0, 0, 1, 0], [2, 3, 4, 5], [1, 2, 1, 3], {}, (2, 2, 3, 2)),
        ([0, 2, 3, 4], [0, 0, 0, 0], [1, -1, -2, -3], reverse, (2, 3, 2, 2)),
        ([1, -2, 2, 1], [2, 0, 3, 9], [1, 1, 1, 1], shrink, (2, 4)),
    ):
        moved(cases, "STRIDED_SLICE", shape, result, begin, end, strides, **masks)
    report = cases.check(tmp_path)
    kernels = [layer.kernel for layer in report.layers]
    assert set(kernels) == {"spk_copy__c", ""}
    assert kernels[5] == "", "moving an axis of size 1 moves nothing"


def test_joining_and_parting_match_the_reference(tmp_path):
    cases = Cases(seed=41)
    for axis, sizes in ((3, (2, 5, 1)), (-1, (4, 4)), (1, (3, 1)), (0, (1, 2)), (2, (6,))):
        shapes = []
        for size in sizes:
            shape = [2, 3, 4, 5]
            shape[axis] = size
            shapes.append(shape)
        whole = [2, 3, 4, 5]
        whole[axis] = sum(sizes)
        zero_point = cases.zero_point()
        parts = [cases.input(shape, SCALE, zero_point) for shape in shapes]
        cases.output("CONCATENATION", parts, whole, SCALE, zero_point, axis=axis)
        source = cases.input(whole, SCALE, zero_point)
        outputs = [cases.model.tensor(shape, SCALE, zero_point) for shape in shapes]
        cases.outputs += outputs
        inputs = [source, cases.integers([*sizes[:-1], -1]), cases.integers([axis])]
        cases.model.operator("SPLIT_V", inputs, outputs, numSplits=len(sizes))
    for axis in (0, 2, -1):
        parts = [cases.input((3, 4), SCALE, 7) for _ in range(2)]
        whole = np.stack(np.zeros((2, 3, 4)), axis).shape
        parts.insert(1, cases.model.tensor((3, 4), SCALE, 7, cases.rng.integers(-128, 128, 12)))
        whole = tuple(3 if at == axis % 3 else n for at, n in enumerate(whole))
        cases.output("PACK", parts, whole, SCALE, 7, axis=axis, valuesCount=3)
        outputs = [cases.model.tensor((3, 4), SCALE, 7) for _ in range(3)]
        source = cases.input(whole, SCALE, 7)
        cases.outputs += outputs
        cases.model.operator("UNPACK", [source], outputs, num=3, axis=axis)
    source = cases.input((2, 6, 3), SCALE, 7)
    outputs = [cases.model.tensor((2, 2, 3), SCALE, 7) for _ in range(3)]
    cases.outputs += outputs
    cases.model.operator("SPLIT", [cases.integers([1]), source], outputs, numSplits=3)
    report = cases.check(tmp_path)
    assert {layer.kernel for layer in report.layers} == {"spk_copy__c", ""}


@pytest.mark.parametrize("kind", ["MEAN", "REDUCE_MAX"])
def test_reductions_over_any_axes_match_the_reference(tmp_path, kind):
    cases, shape = Cases(seed=42), (2, 5, 4, 3)
    for axes in ([0, 2], [1, 3], [0, 1, 3], [-1, 0], [1, 2], [2], [0, 1, 2, 3]):
        for keep in (False, True):
            reduced = {axis % 4 for axis in axes}
            sizes = [1 if axis in reduced else n for axis, n in enumerate(shape)]
            if not keep:
                sizes = [n for axis, n in enumerate(shape) if axis not in reduced]
            scale = SCALE if kind == "REDUCE_MAX" else float(cases.rng.uniform(0.01, 0.06))
            zero_point = cases.zero_point()
            inputs = [cases.input(shape, SCALE, zero_point), cases.integers(axes)]
            if kind == "MEAN":
                zero_point = cases.zero_point()
            cases.output(kind, inputs, sizes, scale, zero_point, keepDims=keep)
    cases.check(tmp_path)


@pytest.mark.parametrize("kind", ["RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR"])
def test_resizes_match_the_reference(tmp_path, kind):
    cases = Cases(seed=43)
    for (before, after), depth in zip(
        [((3, 4), (6, 8)), ((5, 3), (7, 11)), ((6, 9), (4, 2)), ((1, 5), (3, 5)), ((4, 4), (1, 1))],
        (3, 1, 2, 4, 5),
        strict=True,
    ):
        for options in ({}, {"alignCorners": True}, {"halfPixelCenters": True}):
            moved(cases, kind, (2, *before, depth), (2, *after, depth), after, **options)
    cases.check(tmp_path)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("operators")
    path = shuffled_network(folder / "network.tflite")
    inputs = edge_and_random_inputs(np.random.default_rng(44), 6 * 4 * 8)
    report = export_c(path, folder / "project")
    return folder / "project", inputs, reference(path, inputs), report


def test_sanitizers_and_strict_warnings_find_nothing(network):
    directory, inputs, expected, _ = network
    flags = ("-O1", "-Wextra", "-Wconversion", "-Werror", "-fsanitize=address,undefined")
    run = run_c_project(directory, inputs, flags=(*flags, "-fno-sanitize-recover=all"))
    np.testing.assert_array_equal(run.outputs, expected)


@needs_qemu
@pytest.mark.parametrize("target", ["cortex-m0", "cortex-m4"])
def test_emulated_processors_give_the_reference_outputs(network, target):
    directory, inputs, expected, report = network
    run = run_c_project(directory, inputs, target)
    np.testing.assert_array_equal(run.outputs, expected)
    if target == "cortex-m4":
        assert 0.7 < report.instructions / run.instructions.mean() < 1.4


def refused(tmp_path, cases, sentence):
    path = cases.model.save(tmp_path / "refused.tflite", cases.inputs, cases.outputs)
    with pytest.raises(ValueError, match=sentence) as refusal:
        export_c(path, tmp_path / "project")
    assert "Received: operator=" in str(refusal.value)


@pytest.mark.parametrize(
    ("kind", "shape", "result", "constants", "options", "sentence"),
    [
        ("TRANSPOSE", (2, 3), (2, 3), [[1, 0]], {}, r"must have shape \(3, 2\), not \(2, 3\)"),
        ("TRANSPOSE", (2, 3), (3, 2), [[0, 0]], {}, "constants do not fit"),
        ("SLICE", (7,), (3,), [[-4], [3]], {}, "constants do not fit"),
        ("SLICE", (7,), (3,), [[5], [3]], {}, r"must have shape \(2,\)"),
        ("SLICE", (2, 3), (3,), [[2, 0], [0, 3]], {}, r"must have shape \(0, 3\)"),
        ("STRIDED_SLICE", (7,), (3,), [[0], [7], [0]], {}, "constants do not fit"),
        ("STRIDED_SLICE", (7,), (7, 1), [[0], [7], [1]], {"newAxisMask": 2}, "do not fit"),
        ("CONCATENATION", (2, 3), (2, 4), [], {"axis": 1}, "its parts need shapes"),
        ("CONCATENATION", (2, 3), (2, 3), [], {"axis": 2}, "axis 2 does not fit"),
        ("UNPACK", (2, 3), (3,), [], {"axis": 0}, "its parts need shapes"),
        ("UNPACK", (2**30, 2**30, 64), (3,), [], {"axis": 0}, "is larger than 1073741824 bytes"),
        ("SPLIT_V", (4,), (4,), [[3], [0]], {}, r"its sizes \[3\]"),
        ("SPLIT_V", (4,), (4,), [[4]], {}, "its input 2 must be a constant of 1"),
        ("MEAN", (2, 3), (2,), [[2]], {}, r"axes \[2\] do not fit"),
        ("REDUCE_MAX", (2, 3), (3,), [[1]], {}, r"does not reduce to output \(3,\)"),
        ("RESIZE_BILINEAR", (2, 3), (4, 6), [[4, 6]], {}, "4-D input"),
        ("RESIZE_BILINEAR", (1, 2, 2, 1), (1, 4, 4, 1), [[4, 5]], {}, "its size does not turn"),
        ("LOGISTIC", (4,), (4,), [], {}, "its output needs scale 1/256"),
        ("TANH", (4,), (5,), [], {}, "disagree"),
        ("MUL", (4,), (4,), [], {}, "two inputs"),
    ],
)
def test_wrong_uses_are_refused(tmp_path, kind, shape, result, constants, options, sentence):
    cases = Cases(seed=45)
    moved(cases, kind, shape, result, *constants, **options)
    refused(tmp_path, cases, rf"Operator 0 \({kind}\).*{sentence}")


def test_axes_of_another_type_are_refused(tmp_path):
    cases = Cases(seed=45)
    axes = cases.model.tensor((1,), data=[1.0], dtype="float32")
    cases.output("MEAN", [cases.input((2, 3), SCALE, 0), axes], (2,), SCALE, 0)
    refused(tmp_path, cases, "its axes must be a constant of INT32 values")


@pytest.mark.parametrize(
    ("kind", "shapes", "scale", "sentence"),
    [
        ("MUL", [(2, 3), (2, 4), (2, 4)], SCALE, "do not broadcast"),
        ("SUB", [(2, 3), (3,), (3,)], SCALE, r"must have shape \(2, 3\), not \(3,\)"),
        ("PRELU", [(3,), (2, 3), (2, 3)], SCALE, "slopes must not be larger"),
        ("MAXIMUM", [(3,), (3,), (3,)], 0.1, "the same scale and zero point"),
        ("CONCATENATION", [(3,), (3,), (6,)], 0.1, "the same scale and zero point"),
        ("MUL", [(3,), (3,), (3,)], 1e-20, "scale factor"),
    ],
)
def test_inputs_that_do_not_fit_together_are_refused(tmp_path, kind, shapes, scale, sentence):
    cases = Cases(seed=46)
    inputs = [cases.input(shape, SCALE, 3) for shape in shapes[:2]]
    cases.output(kind, inputs, shapes[2], scale, 3)
    refused(tmp_path, cases, rf"Operator 0 \({kind}\).*{sentence}")
