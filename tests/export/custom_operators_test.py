"""WinnerTakeAll as one custom operator: written, run by the delegate and by C projects."""

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.export.c import export_c
from keras_prune.export.custom_operators import use_custom_operators
from keras_prune.export.flatbuffer import operator_name, read_model, write_model
from keras_prune.export.winner_options import CUSTOM_CODE, Winners, from_bytes, to_bytes
from keras_prune.runtime.c_project import run_c_project
from tests.export.c_model_builder import needs, reference
from tests.export.c_winners_test import winner_model

pytest.importorskip("ai_edge_litert")
NAME = f"CUSTOM:{CUSTOM_CODE}"


def operators_of(path):
    model = read_model(path)
    return [operator_name(model, operator) for operator in model.subgraphs[0].operators]


def delegated(path, values, **options):
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    # XNNPACK, which would take other layers, rounds int8 in its own way.
    interpreter = Interpreter(
        str(path),
        experimental_delegates=[kp.load_delegate(runtime="litert", **options)],
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    source, *_ = interpreter.get_input_details()
    outputs = []
    for value in values:
        interpreter.set_tensor(source["index"], value.reshape(source["shape"]))
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
    return np.stack(outputs)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A model with three kinds of masks: float32 and int8, stock and custom operators."""
    folder = tmp_path_factory.mktemp("custom")
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 6, 2))
    x = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
    x = kp.layers.WinnerTakeAll(0.4, groups=2)(x)
    x = keras.layers.Dense(40, activation="relu")(keras.layers.Flatten()(x))
    x = kp.layers.WinnerTakeAll(0.25, sample=0.5, seed=1)(x)
    x = keras.layers.Dense(20)(x)
    x = keras.layers.Dense(5)(kp.layers.WinnerTakeAll(0.3)(x))
    model = keras.Model(inputs, x)
    data = np.random.default_rng(0).normal(size=(40, 6, 6, 2)).astype("float32")
    paths, reports = {}, {}
    for quantize in (None, "int8"):
        for custom in (False, True):
            key = quantize, custom
            paths[key] = folder / f"{quantize}_{custom}.tflite"
            reports[key] = kp.export_tflite(
                model,
                paths[key],
                quantize=quantize,
                representative_data=data,
                custom_operators=custom,
            )
    return paths, reports, data


@pytest.mark.parametrize("quantize", [None, "int8"])
def test_the_delegate_gives_the_outputs_of_the_stock_operators(files, quantize):
    paths, reports, data = files
    kinds = operators_of(paths[quantize, True])
    assert kinds.count(NAME) == 3 and "TOPK_V2" not in kinds and "SELECT_V2" not in kinds
    assert "3 custom operators" in str(reports[quantize, True])
    assert NAME not in operators_of(paths[quantize, False])
    values = data if quantize is None else np.clip(np.round(40 * data), -128, 127).astype(np.int8)
    want = reference(paths[quantize, False], values)
    for options in ({"min_sparsity": 1.0}, {"min_sparsity": 0.0}, {}):
        got = delegated(paths[quantize, True], values, **options)
        if quantize is None:
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
        else:
            np.testing.assert_array_equal(got, want)


def test_without_the_delegate_the_file_does_not_run(files):
    from ai_edge_litert.interpreter import Interpreter

    with pytest.raises(RuntimeError, match=CUSTOM_CODE):
        Interpreter(str(files[0][None, True])).allocate_tensors()


@pytest.mark.parametrize("quantize", [None, "int8"])
def test_the_choice_of_feature_boosting_is_one_too(tmp_path, quantize):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 6, 2))
    convolution = keras.layers.Conv2D(10, 3, use_bias=False)
    x = kp.layers.FeatureBoosting(convolution, density=0.4)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(5)(keras.layers.Flatten()(x)))
    data = np.random.default_rng(0).normal(size=(40, 6, 6, 2)).astype("float32")
    for custom in (False, True):
        path, settings = tmp_path / f"{custom}.tflite", {"custom_operators": custom}
        kp.export_tflite(model, path, quantize, representative_data=data, **settings)
    kinds = operators_of(path)
    assert kinds.count(NAME) == 1 and "TOPK_V2" not in kinds and "GREATER" not in kinds
    values = data if quantize is None else np.clip(np.round(40 * data), -128, 127).astype(np.int8)
    want = reference(tmp_path / "False.tflite", values)
    np.testing.assert_allclose(delegated(path, values), want, rtol=1e-5, atol=1e-5)


@needs("cc")
def test_c_projects_run_it(files, tmp_path):
    paths, _, data = files
    values = np.clip(np.round(40 * data), -128, 127).astype(np.int8)
    report = export_c(paths["int8", True], tmp_path / "c")
    assert [layer.operator for layer in report.layers].count("WINNER_TAKE_ALL") == 3
    run = run_c_project(tmp_path / "c", values.reshape(len(values), -1))
    np.testing.assert_array_equal(run.outputs, reference(paths["int8", False], values))


def test_a_model_without_masks_stays_as_it_is(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    path = tmp_path / "model.tflite"
    report = kp.export_tflite(model, path, custom_operators=True)
    assert "has no WinnerTakeAll" in str(report.notes)
    with pytest.raises(ValueError, match=r"custom_operators.*Received: custom_operators='yes'"):
        kp.export_tflite(model, path, custom_operators="yes")


@pytest.mark.parametrize(
    "winners",
    [
        Winners(2, 3, 4, 7),
        Winners(2, 3, 4, 1, np.array([0, 3, 13])),
        Winners(1, 1, 8, 0, None, np.arange(256, dtype=np.uint8)),
    ],
)
def test_options_are_read_as_they_were_written(winners):
    data = to_bytes(winners)
    again = from_bytes(data)
    assert to_bytes(again) == data and again.size == winners.size
    for changed in (data[:-1], data + b"\0", b"", data[:27]):
        assert from_bytes(changed) is None
    for word, value in [(0, 2), (1, 0), (2, -1), (3, 0), (4, 99), (5, 99), (6, 3)]:
        words = np.frombuffer(data, "<i4", 7).copy()
        words[word] = value
        assert from_bytes(words.tobytes() + data[28:]) is None


def broken(path, options):
    """A file whose custom operator has other options."""
    model = read_model(winner_model(path))
    assert use_custom_operators(model) == 1
    model.subgraphs[0].operators[0].customOptions = np.frombuffer(options, np.uint8)
    write_model(model, path)
    return path


@pytest.mark.parametrize("options", [b"\0", b"\1" * 28, to_bytes(Winners(1, 1, 41, 3))])
def test_broken_options_get_a_sentence(tmp_path, options):
    path = broken(tmp_path / "model.tflite", options)
    with pytest.raises(RuntimeError, match=r"its (options are not valid|input does not fit)"):
        delegated(path, np.zeros((1, 40), np.int8))
    with pytest.raises(ValueError, match="its options do not fit its input"):
        export_c(path, tmp_path / "c")
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("ends", ["inputs", "outputs"])
def test_a_custom_operator_without_ends_is_refused(tmp_path, ends):
    path = broken(tmp_path / "model.tflite", to_bytes(Winners(1, 1, 40, 3)))
    model = read_model(path)
    setattr(model.subgraphs[0].operators[0], ends, np.zeros(0, np.int32))
    write_model(model, path)
    with pytest.raises(ValueError, match=r"Operator 0 \(CUSTOM:.*cannot be exported to C|output"):
        export_c(path, tmp_path / "c")
