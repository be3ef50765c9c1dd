"""WinnerTakeAll in C projects: the stock operators of a file become one kernel."""

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.export.c import export_c
from keras_prune.export.flatbuffer import read_model, write_model
from keras_prune.runtime.c_project import run_c_project
from tests.export.c_model_builder import (
    Model,
    edge_and_random_inputs,
    needs_qemu,
    reference,
)

VARIANTS = {
    "exact": {"rate": 0.25},
    "high": {"rate": 0.8},
    "groups": {"rate": 0.25, "groups": 4},
    "sample": {"rate": 0.25, "sample": 0.25, "seed": 1},
    "sampled_groups": {"rate": 0.4, "sample": 0.5, "seed": 2, "groups": 2},
    "linear": {"rate": 0.3},
    "softmax": {"rate": 0.3},
}
IMAGES = {
    "image": {"rate": 0.2},
    "channels": {"rate": 0.3, "groups": 2},
    "rows": {"rate": 0.3, "groups": 3, "axis": 1},
}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """One file with all variants side by side."""
    folder = tmp_path_factory.mktemp("winners")
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 2))
    flat, outputs = keras.layers.Flatten()(inputs), []
    for name, options in VARIANTS.items():
        activation = name if name in ("linear", "softmax") else "relu"
        x = keras.layers.Dense(24, activation=activation)(flat)
        outputs.append(keras.layers.Dense(3)(kp.layers.WinnerTakeAll(**options)(x)))
    for options in IMAGES.values():
        x = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
        x = kp.layers.WinnerTakeAll(**options)(x)
        outputs.append(keras.layers.Dense(3)(keras.layers.Flatten()(x)))
    model = keras.Model(inputs, outputs)
    data = np.random.default_rng(0).normal(size=(64, 8, 8, 2)).astype("float32")
    path = folder / "winners.tflite"
    kp.export_tflite(model, path, quantize="int8", representative_data=data)
    values = edge_and_random_inputs(np.random.default_rng(1), 128, count=12)
    return path, values, reference(path, values)


def test_each_is_one_kernel_and_gives_the_reference_outputs(exported, tmp_path):
    path, values, expected = exported
    report = export_c(path, tmp_path / "c")
    kinds = [layer.operator for layer in report.layers]
    assert kinds.count("WINNER_TAKE_ALL") == len(VARIANTS) + len(IMAGES)
    assert not {"ABS", "TOPK_V2", "LESS_EQUAL", "SELECT_V2"} & set(kinds)
    sanitize = "-fsanitize=address,undefined"
    run = run_c_project(tmp_path / "c", values, flags=("-O1", sanitize, "-Wconversion", "-Werror"))
    for got, want in zip(run.outputs, expected, strict=True):
        np.testing.assert_array_equal(got, want)


def test_a_float_model_gives_the_reference_outputs(tmp_path):
    inputs = keras.Input((12,))
    outputs = []
    for options in ({"rate": 0.25}, {"rate": 0.25, "groups": 4}, {"rate": 0.4, "sample": 0.5}):
        x = keras.layers.Dense(24, activation="relu")(inputs)
        outputs.append(keras.layers.Dense(3)(kp.layers.WinnerTakeAll(**options)(x)))
    kp.export_tflite(keras.Model(inputs, outputs), tmp_path / "model.tflite")
    report = export_c(tmp_path / "model.tflite", tmp_path / "c")
    assert [layer.operator for layer in report.layers].count("WINNER_TAKE_ALL") == 3
    values = np.random.default_rng(2).normal(size=(3, 12)).astype(np.float32)
    run = run_c_project(tmp_path / "c", values, flags=("-O1",))
    expected = reference(tmp_path / "model.tflite", values)
    for got, want in zip(run.outputs, expected, strict=True):
        np.testing.assert_allclose(got, want, 1e-5, 1e-5)


@needs_qemu
@pytest.mark.parametrize("target", ["cortex-m0", "cortex-m4"])
def test_processors_give_the_reference_outputs(exported, tmp_path, target):
    path, values, expected = exported
    report = export_c(path, tmp_path / "c", target)
    run = run_c_project(tmp_path / "c", values[:5], target)
    for got, want in zip(run.outputs, expected, strict=True):
        np.testing.assert_array_equal(got, want[:5])
    if target == "cortex-m4":
        assert 0.6 < report.instructions / run.instructions.mean() < 1.6


def winner_model(path, scale=0.05, keep=None, zero=-128, score_scale=None):
    """The pattern by hand: 40 values of which 6 win; `keep` names an extra output."""
    model, score_scale = Model(), score_scale or scale
    x = model.tensor((1, 40), scale, -128)
    made = {"scores": model.operator("ABS", [x], [model.tensor((1, 40), score_scale, -128)])}
    k = model.tensor((), data=[7], dtype="int32")
    top = [model.tensor((1, 7), score_scale, -128), model.tensor((1, 7), dtype="int32")]
    made["top"] = model.operator("TOPK_V2", [made["scores"], k], top)
    ends = [model.tensor((2,), data=end, dtype="int32") for end in ([0, 6], [1, 7], [1, 1])]
    made["threshold"] = model.operator(
        "STRIDED_SLICE", [made["top"], *ends], [model.tensor((1, 1), score_scale, -128)]
    )
    loses = model.operator(
        "LESS_EQUAL",
        [made["scores"], made["threshold"]],
        [model.tensor((1, 40), dtype="bool")],
    )
    nothing = model.tensor((), scale, -128, data=[zero])
    y = model.operator("SELECT_V2", [loses, nothing, x], [model.tensor((1, 40), scale, -128)])
    return model.save(path, [x], [y, made[keep]] if keep else [y])


# With a scale below 1 / 256 LESS_EQUAL takes neighbouring values for equal: fewer win.
@pytest.mark.parametrize("scale", [0.5, 0.05, 0.002, 0.0003])
def test_fewer_win_where_the_scale_is_too_small_to_compare(tmp_path, scale):
    path = winner_model(tmp_path / "model.tflite", scale)
    values = np.stack([np.random.default_rng(s).permutation(40) * 3 - 60 for s in range(4)])
    values = values.astype(np.int8)
    expected = reference(path, values)
    export_c(path, tmp_path / "c", "host")
    run = run_c_project(tmp_path / "c", values, flags=("-O1",))
    np.testing.assert_array_equal(run.outputs, expected)
    winners = (run.outputs != -128).sum(axis=1)
    assert np.all(winners == 6) if scale > 0.01 else np.all(winners <= 6)


@pytest.mark.parametrize(
    "change", [{"keep": "threshold"}, {"zero": 5}, {"scale": 0.5, "score_scale": 1e-30}]
)
def test_what_only_looks_like_it_is_refused(tmp_path, change):
    path = winner_model(tmp_path / "model.tflite", **change)
    with pytest.raises(ValueError, match=r"Operator 1 \(TOPK_V2\) cannot be exported to C"):
        export_c(path, tmp_path / "c")
    assert not (tmp_path / "c").exists()


DAMAGES = {
    "no inputs": lambda inputs: inputs[:0],
    "an absent one": lambda inputs: np.append(-1, inputs[1:]),
    "one less": lambda inputs: inputs[:-1],
    "one more": lambda inputs: np.append(inputs, inputs[-1]),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("number", range(5))
def test_a_damaged_pattern_gets_a_sentence(tmp_path, number, damage):
    path = winner_model(tmp_path / "model.tflite")
    model = read_model(path)
    operator = model.subgraphs[0].operators[number]
    operator.inputs = DAMAGES[damage](np.array(operator.inputs)).astype(np.int32)
    write_model(model, path)
    with pytest.raises(ValueError, match=r"Operator \d \(\w+\) cannot be exported to C"):
        export_c(path, tmp_path / "c")


@pytest.mark.parametrize("k", [0, -1, 41, 1 << 30])
def test_more_winners_than_values_are_refused(tmp_path, k):
    model = read_model(winner_model(tmp_path / "model.tflite"))
    count = model.subgraphs[0].tensors[model.subgraphs[0].operators[1].inputs[1]]
    model.buffers[count.buffer].data = np.frombuffer(np.int32(k).tobytes(), np.uint8)
    write_model(model, tmp_path / "model.tflite")
    with pytest.raises(ValueError, match="cannot be exported to C"):
        export_c(tmp_path / "model.tflite", tmp_path / "c")
