import gzip
import json

from keras_prune.export.export_report import ExportReport, TensorReport, short_name


def report():
    tensors = [
        TensorReport("a/b", "CONV_2D", (8, 3, 3, 4), "INT8", 0.75, 288, 100, "DDDS order 0,1,2,3"),
        TensorReport("c", "FULLY_CONNECTED", (4, 8), "FLOAT32", 0.5, 128, 128, reason="too small"),
    ]
    made = ExportReport("m.tflite", "portable", "int8", tensors, notes=["look here"])
    made.measure(bytes(1000), bytes(250))
    made.max_difference, made.samples = 0.5, 4
    return made


def test_prints_tensors_totals_and_sizes():
    text = str(report())
    rows = [" ".join(line.split()) for line in text.splitlines()]
    first = "a/b CONV_2D 8x3x3x4 int8 75.0% 288 100 DDDS order 0,1,2,3"
    assert first in rows
    second = "c FULLY_CONNECTED 4x8 float32 50.0% 128 128 dense: too small"
    assert second in rows
    assert "total 416 228" in rows
    assert "File: 1000 bytes dense, 250 now (25%)" in text
    assert "over 4 inputs: 0.5." in text
    assert text.endswith("Note: look here.")


def test_sizes_with_gzip():
    made = report()
    assert (made.dense_bytes, made.sparse_bytes) == (1000, 250)
    assert made.dense_gzip_bytes == len(gzip.compress(bytes(1000), 9, mtime=0))


def test_dict_is_json():
    data = json.loads(json.dumps(report().to_dict()))
    assert data["path"] == "m.tflite"
    assert data["tensors"][0]["shape"] == [8, 3, 3, 4]
    assert data["tensors"][1]["reason"] == "too small"
    assert [tensor.name for tensor in report().sparse_tensors] == ["a/b"]


def test_names_are_shortened_to_their_last_part():
    assert short_name("a/x;b/y") == "b/y"
    assert short_name("z" * 50) == "..." + "z" * 37
