"""Which kernel runs an operator, and why."""

import json

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.cli import main

pytest.importorskip("ai_edge_litert")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A network with a very sparse and a dense layer, float32 and int8."""
    folder = tmp_path_factory.mktemp("explain")
    keras.utils.set_random_seed(0)
    wide = keras.layers.Dense(512, activation="relu", name="wide")
    model = keras.Sequential([keras.Input((512,)), wide, keras.layers.Dense(8, name="logits")])
    kp.prune(model, 0.99, filters=["wide"])
    data = np.random.default_rng(0).normal(size=(16, 512)).astype("float32")
    paths = {}
    for quantize in (None, "int8"):
        paths[quantize] = folder / f"{quantize}.tflite"
        kp.export_tflite(model, paths[quantize], quantize, representative_data=data)
    return paths


def test_the_delegate_takes_what_it_makes_faster(files):
    found = {
        choice.index: choice
        for choice in kp.explain(files[None]).choices
        if choice.operator == "FULLY_CONNECTED"
    }
    sparse, dense = (found[index] for index in sorted(found))
    assert sparse.chosen and sparse.kernel.startswith("spk_fully_connected_f32")
    assert sparse.microseconds < sparse.stock_microseconds
    assert not dense.chosen and dense.kernel == "" and "faster" in dense.reason
    assert dense.int8_microseconds > 0


def test_layers_of_other_types_have_no_figures_for_int8(files):
    for choice in kp.explain(files["int8"]).choices:
        assert choice.int8_microseconds is None


def test_a_program_has_the_chosen_kernels(files, tmp_path):
    report = kp.export_c(files["int8"], tmp_path / "c", target="cortex-m4")
    explanation = kp.explain(files["int8"], target="cortex-m4")
    chosen = [choice for choice in explanation.choices if choice.chosen]
    assert [choice.kernel for choice in chosen] == [layer.kernel for layer in report.layers]
    assert [choice.instructions for choice in chosen] == [
        layer.instructions for layer in report.layers
    ]
    others = [choice for choice in explanation.choices if not choice.chosen]
    best = chosen[0].stored_bytes * chosen[0].instructions
    assert len(others) >= 2  # dense weights, a stream ...
    assert all(o.stored_bytes * o.instructions >= best for o in others if o.index == 0)
    assert all(choice.kernel in str(explanation) for choice in chosen)


def test_the_command_prints_it(files, capsys):
    assert main(["explain", str(files["int8"]), "--target", "cortex-m0", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["target"] == "cortex-m0" and printed["choices"][0]["operator"]
    assert main(["explain", str(files[None])]) == 0
    assert "LiteRT" in capsys.readouterr().out


def test_wrong_input_gets_a_sentence(files, tmp_path):
    with pytest.raises(ValueError, match=r"Expected one of .*'delegate'.* Received: target='m4'"):
        kp.explain(files["int8"], target="m4")
    (tmp_path / "broken.tflite").write_bytes(b"TFL3" * 9)
    for target in ("delegate", "cortex-m4"):
        with pytest.raises(ValueError, match=r"Received: "):
            kp.explain(tmp_path / "broken.tflite", target=target)
