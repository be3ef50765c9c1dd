"""The benchmarks run, and their tables say what was measured."""

import keras
import numpy as np
import pytest

from benchmarks import mnist, mnist_tables, results
from benchmarks.mnist import tables, training
from benchmarks.mnist.rows import Row

FAMILIES = {row.measure: row for row in mnist.ROWS}
PUBLISHED = Row("key", "published", "method", "LeNet-5", None, {}, paper=(10.0, "0.8"))


@pytest.fixture
def data():
    """Noise around one picture for each of ten classes."""
    random = np.random.default_rng(0)
    y = random.integers(0, 10, 2048)
    pictures = random.uniform(size=(10, 28, 28, 1))
    x = (pictures[y] + random.normal(0.0, 0.1, (2048, 28, 28, 1))).astype("float32")
    return training.Data("noise", (x, y), (x[:200], y[:200]))


@pytest.mark.parametrize("row", FAMILIES.values(), ids=lambda row: row.measure.__name__)
def test_every_family_of_mnist_rows_can_be_measured(row, data, tmp_path):
    run = mnist_tables.measure(row, 0, data, epochs=1, cache=tmp_path)
    assert run["settings"]["batch"] in (64, 128)
    points = [run["measured"]] if "error" in run["measured"] else run["measured"].values()
    assert all(0.0 <= point["error"] <= 100.0 for point in points)
    if "sparsity" in row.settings and "compression" in run["measured"]:
        density = 1.0 / run["measured"]["compression"]
        assert density == pytest.approx(1.0 - row.settings["sparsity"], abs=1e-4)
    document = {"results": [run], "date": "", "machine": "", "versions": {}, "settings": {}}
    assert "LeNet" in tables.markdown(document, mnist.ROWS)


def test_every_mnist_row_has_a_key_of_its_own():
    assert len({row.key for row in mnist.ROWS}) == len(mnist.ROWS)


def test_dense_networks_are_trained_once(data, tmp_path):
    task = training.Task("LeNet-300-100", 0, data, epochs=1, cache=tmp_path)
    first = task.dense()
    (file,) = tmp_path.iterdir()
    written = file.stat().st_mtime_ns
    again = task.dense(dropout=0.1)
    assert file.stat().st_mtime_ns == written
    for ours, theirs in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_seeds_fix_initial_weights(data):
    def kernel(seed):
        layer = training.Task("LeNet-300-100", seed, data).model().get_layer("fc1")
        return keras.ops.convert_to_numpy(layer.kernel)

    np.testing.assert_array_equal(kernel(0), kernel(0))
    assert not np.array_equal(kernel(0), kernel(1))


def test_interrupted_tables_go_on_and_changed_rows_are_measured_anew(tmp_path, monkeypatch, data):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(results, "REPOSITORY", tmp_path)
    (tmp_path / "README.md").write_text("")
    monkeypatch.setattr(training, "load_data", lambda name: data)
    calls = []

    def measured(task, amount):
        calls.append((task.seed, amount))
        return {"error": 1.0, "compression": 20.0, "densities": {}, "filters": []}

    def row(amount):
        return Row("key", "published", "m", "LeNet-5", measured, {"amount": amount}, (9.0, "1.0"))

    monkeypatch.setattr(mnist, "ROWS", (row(1),))
    mnist_tables.measure_all([row(1)], seeds=[0])
    mnist_tables.measure_all([row(1)], seeds=[0, 1])
    assert calls == [(0, 1), (1, 1)]
    mnist_tables.measure_all([row(2)], seeds=[0])
    assert calls[2:] == [(0, 2)]
    assert len(results.load("mnist_tables")["results"]) == 2


@pytest.mark.parametrize(
    ("errors", "compressions", "expected"),
    [
        ([0.7, 0.9], [10.0, 10.5], True),
        ([0.8, 0.89], [10.0, 10.5], True),  # 0.845 is the paper's 0.8
        ([0.8, 0.92], [10.0, 10.5], False),
        ([0.1, 0.1], [9.9, 10.5], False),
    ],
)
def test_a_row_is_reached_by_the_mean_error_and_every_size(errors, compressions, expected):
    runs = [
        {"error": error, "compression": compression}
        for error, compression in zip(errors, compressions, strict=True)
    ]
    assert tables.reached(PUBLISHED, runs) is expected


def test_architectures_are_compared_layer_by_layer():
    row = Row("key", "published", "m", "LeNet-5", None, {}, (None, "1.0"), (3, 12, 192, 500))
    assert tables.architecture({"filters": [3, 12, 500, 10]}) == (3, 12, 192, 500)
    assert tables.reached(row, [{"error": 1.04, "filters": [3, 12, 500, 10]}])
    assert not tables.reached(row, [{"error": 0.5, "filters": [4, 11, 500, 10]}])
