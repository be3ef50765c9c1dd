"""Mutants of good files are exported or refused in a sentence; `tools/fuzz_export.py` runs more."""

from types import SimpleNamespace

import numpy as np
import pytest

from keras_prune.export.c import export_c
from keras_prune.export.c.quantization import quantized
from keras_prune.export.flatbuffer import parse_model, schema, write_model
from tests.export.c_networks import pooled_network, pruned_network, shuffled_network
from tools import fuzz_export
from tools.mutations import mutant


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    makers = (pruned_network, pooled_network, shuffled_network)
    return [make(folder / f"{make.__name__}.tflite").read_bytes() for make in makers]


def test_a_mutant_is_known_by_its_seed(models):
    first, again, other = (mutant(models[0], np.random.default_rng(n)) for n in (1, 1, 2))
    assert first == again != models[0]
    assert other != first


def test_many_mutants_are_still_files_that_can_be_read(models):
    # Else the loop below would test nothing but the first check of the parser.
    readable = 0
    for number in range(60):
        try:
            parse_model(mutant(models[0], np.random.default_rng(number)))
            readable += 1
        except ValueError:
            pass
    assert readable > 20


def test_mutants_end_well_or_with_a_sentence(models):
    faults, counts = fuzz_export.fuzz(models, count=80, seed=0)
    assert faults == {}
    assert sum(counts.values()) == 80 and set(counts) == {"exported", "refused", "sparse"}


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (RuntimeError("from the depths"), "RuntimeError: from the depths"),
        (ValueError("without what was received"), "without what was received"),
        (MemoryError(), "MemoryError"),
        (SystemExit(3), "the process ended with 3"),
    ],
)
def test_faults_are_found(models, monkeypatch, fault, found):
    def broken(*arguments, **options):
        raise fault

    monkeypatch.setattr(fuzz_export, "export_c", broken)
    faults, _ = fuzz_export.fuzz(models, count=4, seed=0)
    assert faults and all(found in text for text in faults.values())


def test_a_hang_is_found(models, monkeypatch):
    def endless(*arguments, **options):
        while True:
            pass

    monkeypatch.setattr(fuzz_export, "SECONDS", 1)
    monkeypatch.setattr(fuzz_export, "export_c", endless)
    faults, _ = fuzz_export.fuzz(models, count=2, seed=0)
    assert all("_TooLong" in text for text in faults.values()) and faults


def test_options_of_another_operator_are_none(tmp_path):
    model = parse_model(pooled_network(tmp_path / "network.tflite").read_bytes())
    pool = next(
        each
        for each in model.subgraphs[0].operators
        if hasattr(each.builtinOptions, "filterHeight")
    )
    pool.builtinOptions = schema().RNNOptionsT()
    pool.builtinOptionsType = schema().BuiltinOptions.RNNOptions
    write_model(model, tmp_path / "network.tflite")
    with pytest.raises(ValueError, match=r"\(AVERAGE_POOL_2D\) .* needs its options"):
        export_c(tmp_path / "network.tflite", tmp_path / "c")


def test_limits_of_the_smallest_scales_are_clamped():
    tensor = SimpleNamespace(scale=np.float32(1e-45), zero_point=3)
    assert quantized(6.0, tensor) == 3 + 2**31
    assert quantized(-1.0, tensor) == 3 - 2**31
