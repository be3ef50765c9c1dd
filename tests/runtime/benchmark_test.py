import json

import numpy as np
import pytest

from keras_prune.export.flatbuffer import write_model
from keras_prune.runtime.benchmark import BenchmarkReport, BenchmarkRow, benchmark
from keras_prune.runtime.native import library_path
from tests.export.layouts_test import sparse_array
from tests.export.tflite_models import convolution

needs_library = pytest.mark.skipif(
    not library_path().exists(), reason="The compiled library has not been built: `make build`."
)


@pytest.fixture
def paths(tmp_path):
    paths = [tmp_path / "f32.tflite", tmp_path / "int8.tflite"]
    for path, dtype in zip(paths, (np.float32, np.int8), strict=True):
        write_model(convolution(sparse_array((32, 3, 3, 32), dtype)), path)
    return paths


def test_table():
    rows = [
        BenchmarkRow("a/dense.tflite", "LiteRT", 1000, [4e-6, 5e-6, 6e-6]),
        BenchmarkRow("a/dense.tflite", "LiteRT + delegate", 1000, [2.5e-6], 0.0),
        BenchmarkRow("a/bad.tflite", "LiteRT", 7, error="it crashed"),
    ]
    report = BenchmarkReport(rows, threads=2, rounds=3)
    lines = [" ".join(line.split()) for line in str(report).splitlines()]
    assert lines[0] == "Median of 3 interleaved rounds, 2 threads, batch 1"
    assert "dense.tflite LiteRT 1000 5.0 20% 1.00x" in lines
    assert "dense.tflite LiteRT + delegate 1000 2.5 2.00x 0" in lines
    assert "bad.tflite LiteRT 7 it crashed" in lines
    data = json.loads(json.dumps(report.to_dict()))
    assert data["rows"][0]["median"] == 5e-6
    assert data["rows"][2]["median"] is None


def test_litert_alone(paths):
    report = benchmark(paths, delegate=False, runs=3, round_seconds=0.001)
    assert [row.runs for row in report.rows] == ["LiteRT", "LiteRT"]
    assert all(len(row.seconds) == 3 and row.error is None for row in report.rows)
    assert report.rows[0].file_bytes == paths[0].stat().st_size


@needs_library
def test_with_the_delegate(paths):
    report = benchmark(paths, delegate={"min_sparsity": 0}, runs=3, round_seconds=0.001)
    assert [row.runs for row in report.rows] == ["LiteRT", "LiteRT + delegate"] * 2
    assert [row.error for row in report.rows] == [None] * 4
    assert report.rows[1].max_difference < 1e-2
    assert report.rows[3].max_difference <= 1  # XNNPACK rounds otherwise than the reference


@needs_library
def test_unknown_delegate_option(paths):
    with pytest.raises(ValueError, match="velocity"):
        benchmark(paths, delegate={"velocity": 3})


def test_a_file_that_crashes_has_a_row(paths, data_dir):
    bad = data_dir / "models" / "tflm_keyword_scrambled_8bit.tflite"
    report = benchmark([paths[0], bad], delegate=False, runs=2, round_seconds=0.001)
    assert report.rows[0].median > 0
    assert "crashed" in report.rows[1].error


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"paths": []}, "must name a file"),
        ({"paths": "absent.tflite"}, "no such file. Received: path=absent.tflite"),
        ({"threads": 0}, "Received: threads=0"),
        ({"runs": -1}, "Received: runs=-1"),
    ],
)
def test_wrong_arguments(arguments, sentence, paths):
    with pytest.raises(ValueError, match=sentence):
        benchmark(**{"paths": paths, **arguments})
