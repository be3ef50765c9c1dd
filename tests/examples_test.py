"""The examples run, and the data sets are what they say."""

import numpy as np
import pytest

from examples import datasets
from tests.export.c_model_builder import needs


def test_digits_are_split_once_and_for_all():
    data, again = datasets.load("digits"), datasets.load("digits")
    assert data.input_shape == (8, 8, 1)
    assert [len(part[0]) for part in (data.train, data.validation, data.test)] == [1078, 120, 599]
    assert data.train[0].min() == 0.0
    assert data.train[0].max() == 1.0
    np.testing.assert_array_equal(data.test[0], again.test[0])
    np.testing.assert_array_equal(data.validation[1], again.validation[1])


@pytest.mark.parametrize(
    ("name", "shape", "test_counts"),
    [
        ("mnist", (28, 28, 1), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
        ("fashion_mnist", (28, 28, 1), [1000] * 10),
        ("cifar10", (32, 32, 3), [1000] * 10),
    ],
)
def test_stored_data_sets_are_whole(data_dir, name, shape, test_counts):
    assert (data_dir / name).is_dir()
    data = datasets.load(name)
    assert data.input_shape == shape
    assert np.bincount(data.test[1]).tolist() == test_counts
    assert len(data.train[0]) == 9 * len(data.validation[0])
    assert 0.1 < data.train[0].mean() < 0.6


def test_unknown_data_set_gets_a_sentence():
    with pytest.raises(ValueError, match=r"Unknown data set.*Received: name='imagenet'"):
        datasets.load("imagenet")


def test_demo_goes_the_whole_way(tmp_path):
    from examples import demo

    result = demo.run("digits", epochs=(3, 3), folder=tmp_path)
    runtimes = [(row["model"], row["runtime"]) for row in result["rows"]]
    assert ("sparse int8", "LiteRT + delegate") in runtimes
    assert ("sparse int8", "C, this machine") in runtimes
    assert abs(result["sparsity"] - 0.9) < 0.01
    sparse = {row["runtime"]: row for row in result["rows"] if row["model"] == "sparse int8"}
    by_runtime = {runtime: row["accuracy"] for runtime, row in sparse.items()}
    assert all(row.get("same_outputs", True) for row in result["rows"])
    # The delegate and the C program compute the reference arithmetic; LiteRT's own kernels
    # may differ from it by one in a value, so by an image or two in the accuracy.
    assert by_runtime["LiteRT + delegate"] == pytest.approx(by_runtime["LiteRT"], abs=0.005)
    assert by_runtime["C, this machine"] == pytest.approx(by_runtime["LiteRT"], abs=0.005)
    text = demo.table(result["rows"], "title")
    assert all(runtime in text for runtime in by_runtime)
    assert (tmp_path / "result.json").exists()


def test_a_residual_network_is_cut_and_does_the_same(tmp_path):
    from examples import shrink_resnet

    result = shrink_resnet.run(epochs=1, width=8, folder=tmp_path)
    x = datasets.load("digits").test[0][:8]
    pruned, small = (result[name].predict(x, verbose=0) for name in ("pruned", "small"))
    np.testing.assert_allclose(small, pruned, atol=1e-5)
    (_, _, *dense), (_, _, *cut) = result["rows"]
    assert cut[0] < 0.4 * dense[0] and cut[1] < 0.4 * dense[1] and cut[2] < 0.6 * dense[2]
    assert "half the filters" in shrink_resnet.table(result["rows"])


def test_mobilenet_becomes_faster_in_one_page(tmp_path):
    from examples import faster_mobilenet

    result = faster_mobilenet.run(
        target="x86-avx512",
        epochs=(1, 1),
        size=32,
        alpha=0.35,
        samples=64,
        folder=tmp_path,
    )
    report = result["pruning"]
    assert report.reached and report.achieved > 0.79
    shapes = [line.granularity for line in report.pruned]
    assert shapes.count("Block(2, 4)") > 20 and all(line.note for line in report.pruned)
    dense, sparse = result["rows"]
    assert sparse[2] < 0.75 * dense[2]  # bytes
    assert all(row.error is None for row in result["times"].rows)
    assert any(choice.operator == "CONV_2D" for choice in result["kernels"].choices)
    text = faster_mobilenet.table(result["rows"])
    assert "dense" in text and "sparse" in text


def test_a_residual_network_shrinks_on_digits(capsys):
    from examples import train_with_activation_density

    report = train_with_activation_density.run(epochs=4, rounds=1, window=1)
    assert capsys.readouterr().out.startswith("round 0: 19,354 parameters\n")
    assert list(report.widths) == ["stem", "block1_a", "block1_b", "block2_a", "block2_b"]
    for item in report.rounds:
        assert set(item.evaluation) == {"loss", "accuracy"}
        assert all(width >= 4 for width in item.widths.values())
    assert report.rounds[report.kept].epochs == 4
    assert str(report).count("x ") >= 2 * len(report.rounds)


def test_weights_and_activations_are_pruned_jointly(capsys, tmp_path):
    from examples import joint_pruning_mnist

    report, before, after = joint_pruning_mnist.run("digits", 8, rounds=1, directory=tmp_path / "a")
    assert capsys.readouterr().out == "round 1\nround 2\n"
    assert before > 0.9 and after > 0.85
    joint = report.stage("joint")
    assert joint.compression == pytest.approx(10.0, rel=0.02)
    assert joint.mac_density("exact") < 0.1
    assert set(report.rates) == {"first", "second"}
    again = joint_pruning_mnist.run("digits", 8, rounds=1, directory=tmp_path / "a")[0]
    assert again.rates == report.rates and again.stage("joint").cost == joint.cost
    images = datasets.load("digits").validation[0]
    program = joint_pruning_mnist.write_c(report.model, images, tmp_path / "c")
    kinds = [layer.operator for layer in program.layers]
    assert kinds.count("WINNER_TAKE_ALL") == 2 and (tmp_path / "c" / "src" / "model.c").is_file()
    behind = [layer for layer in program.layers if layer.operator == "FULLY_CONNECTED"][1:]
    for layer, rate in zip(behind, report.rates.values(), strict=True):
        assert layer.live <= rate + 0.01


@needs("make", "cc", "arm-none-eabi-gcc", "qemu-system-arm")
def test_a_microcontroller_reads_digits_aloud(tmp_path):
    from examples.microcontroller.__main__ import run

    report, answers, console = run(tmp_path, epochs=(2, 2), count=6)
    assert any(layer.encoding == "stream" for layer in report.layers)
    *lines, last = console.splitlines()
    labels = datasets.load("digits").test[1][:6]
    assert lines == [f"a {y}, read as {seen}" for y, seen in zip(labels, answers, strict=True)]
    assert last == f"{(labels == answers).sum()} of 6 right"
