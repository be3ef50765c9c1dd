"""The benchmarks run, and their tables say what was measured."""

import keras
import numpy as np
import pytest

from benchmarks import (
    delegate_layers,
    delegate_networks,
    granularity_pareto,
    machine,
    mnist,
    mnist_tables,
    results,
    run_all,
)
from benchmarks.mnist import tables, training
from benchmarks.mnist.rows import Row
from keras_prune.runtime.native import library_path

needs_delegate = pytest.mark.skipif(
    not library_path().exists(), reason="the delegate has not been built"
)
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


@needs_delegate
def test_this_machine_has_a_peak():
    for dtype in machine.TYPES:
        peak = machine.peak_operations(dtype)
        assert peak == 0 or 1e9 < peak < 1e14  # GPUs have more


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty place for results, and no documents."""
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    monkeypatch.setattr(results, "REPOSITORY", tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("")
    return tmp_path


def test_cases_of_the_delegate_have_names_goals_and_shapes():
    cases = delegate_layers.cases()
    names = [delegate_layers.name_of(case) for case in cases]
    assert len(set(names)) == len(names)
    aims = 0
    for case in cases:
        for dtype, shapes in case["shapes"].items():
            for shape in shapes:
                aim = delegate_layers.goal(case["layer"], dtype, shape, case["sparsity"])
                aims += aim is not None and case["live"] == 1.0
    # Two layers of each kind of convolution.
    assert aims == 3 * sum(
        2 if kind in ("1x1", "3x3") else 1 for kind, _, _ in delegate_layers.GOALS
    )
    assert delegate_layers.operations("Dense 1024 to 1024") == 2 * 1024 * 1024


@needs_delegate
def test_a_case_of_the_delegate_is_measured_once_and_stands_in_the_table(
    folder, monkeypatch, capsys
):
    one = {"layer": "Dense 256 to 256", "sparsity": 0.95, "live": 1.0}
    one["shapes"] = {"float32": ("16x1",), "int8": ()}
    monkeypatch.setattr(delegate_layers, "cases", lambda: [one])
    only = ["--cases", "Dense 256 to 256, 95%", "--rounds", "1"]
    delegate_layers.main(only)
    assert capsys.readouterr().out.startswith("Dense 256 to 256, 95% zeros, 100% live {")
    (run,) = results.load("delegate_layers")["results"]
    dense = {"dense float32", "dense int8", "float32 dense", "int8 dense"}
    assert set(run["seconds"]) == {*dense, "LiteRT sparse float32", "float32 16x1"}
    assert all(0.0 < seconds < 1.0 for seconds in run["seconds"].values())
    peaks = results.load("machine_peak")["results"]
    assert peaks.keys() == {"float32", "int8"}
    (row,) = delegate_layers.table([run], peaks).splitlines()[2:]
    assert "| 16x1 | 95.0% | 100% |" in row and row.endswith("| * |")
    monkeypatch.setattr(delegate_layers, "measure", None)
    delegate_layers.main(only)  # what has been measured is not measured again


def test_ratios_goals_and_shares_of_the_peak_are_what_they_say():
    run = {
        "layer": "Dense 1024 to 1024",
        "sparsity": 0.9,
        "live": 1.0,
        "shapes": {"float32": ["16x1"], "int8": []},
        "target": "x86-avx512",
        "seconds": {
            "dense float32": 40e-6,
            "dense int8": 10e-6,
            "float32 16x1": 2.5e-6,
            "LiteRT sparse float32": 30e-6,
        },
    }
    peaks = {"float32": 2 * 1024 * 1024 / 20e-6, "int8": 0.0}
    row = delegate_layers.table([run], peaks).splitlines()[-1]
    assert row == (
        "| Dense 1024 to 1024 | float32 | 16x1 | 90.0% | 100% | 40.0 | 50% | 10.0 |  | 30.0 | "
        "2.5 | 80% | 16.00x | 13x | 65% | yes |  |"
    )


@needs_delegate
def test_whole_networks_are_measured(monkeypatch):
    small = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(16, 3),
            keras.layers.Conv2D(16, 3),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
    monkeypatch.setitem(delegate_networks.NETWORKS, "MobileNetV2", lambda size: small)
    (run,) = delegate_networks.measure("MobileNetV2", (0.9,), rounds=1, size=8)
    assert run["sparse"]["float32"]["bytes"] < run["dense"]["float32"]["bytes"]
    table = delegate_networks.table([run])
    assert table.count("| MobileNetV2 |") == 2 and "| 90% |" in table


def test_the_networks_have_the_sizes_of_their_namesakes():
    resnet = delegate_networks.resnet_18(64)
    assert resnet.count_params() == pytest.approx(11.7e6, rel=0.005)
    assert granularity_pareto.mobilenet().count_params() < 200_000
    assert granularity_pareto.ds_cnn().count_params() == pytest.approx(24_000, rel=0.1)


@needs_delegate
def test_shapes_are_compared_by_accuracy_and_time(folder, monkeypatch, capsys):
    random = np.random.default_rng(0)
    y = random.integers(0, 10, 128)
    x = random.normal(size=(128, 28, 28, 1)).astype("float32") + y[:, None, None, None]
    monkeypatch.setattr(granularity_pareto, "load", lambda network: ((x, y), (x, y)))
    monkeypatch.setattr(granularity_pareto, "FOLDER", folder / "build")
    monkeypatch.setattr(granularity_pareto, "PICTURES", folder / "docs" / "pictures")
    monkeypatch.setattr(granularity_pareto, "SPARSITIES", (0.9,))
    settings = {"images": 128, "epochs": (1, 1), "rates": (1e-3, 1e-3), "batch": 32}
    shapes = ("n:32",)
    runs = granularity_pareto.train("LeNet-5", 0, settings, shapes, folder / "build")
    assert [run["shape"] for run in runs] == ["n:32"]
    assert granularity_pareto.train("LeNet-5", 0, settings, shapes, folder / "build") == []
    assert "|  |  |" in granularity_pareto.table(results.stored("granularity_pareto"))
    granularity_pareto.time_all(["LeNet-5"], rounds=1)
    granularity_pareto.write()
    for run in results.stored("granularity_pareto"):
        assert set(run["seconds"]) == {
            f"{kind} {dtype}" for kind in ("dense", "sparse") for dtype in ("float32", "int8")
        }
        assert run["sparsity"] > 0.88
    assert (folder / "docs" / "pictures" / "granularity_pareto_lenet_5.png").stat().st_size > 10_000


def test_parts_of_all_benchmarks_can_be_run(monkeypatch):
    ran = []
    for name in run_all.BENCHMARKS:
        module = __import__(f"benchmarks.{name}", fromlist=["main"])
        monkeypatch.setattr(module, "main", lambda argv, name=name: ran.append(name))
    run_all.main(["--delegate"])
    assert ran == list(run_all.DELEGATE) and set(run_all.DELEGATE) < set(run_all.BENCHMARKS)
    assert set(run_all.MICROCONTROLLER) < set(run_all.BENCHMARKS)
