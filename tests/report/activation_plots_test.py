import sys

import numpy as np
import pytest

from keras_prune.analysis.activation_histograms import ActivationHistogram
from keras_prune.analysis.measured_density import ActivationReport
from keras_prune.analysis.unit_counts import UnitCounts
from keras_prune.recipes.study_report import StudyReport, StudyRow
from keras_prune.report.activation_plots import (
    plot_activation_density,
    plot_activation_histograms,
    plot_study,
)


def reports():
    counts = UnitCounts(4, np.array([4, 2])), UnitCounts(4, np.array([1]))
    both = ActivationReport({"a": counts[0], "b": counts[1]}, 0.5)
    return {"dense": both, "pruned": ActivationReport({"b": counts[0]}, 0.75)}


def histograms():
    one = ActivationHistogram(np.array([0.0, 0.5, 1.0]), np.array([3, 1]), 4)
    return {"before": {"a": one, "b": one}, "after": {"a": one}}


def study(evaluation=True):
    rows = [StudyRow("no mask", None, {"loss": 1.0, "accuracy": 0.9}, 0.6)]
    for kind, accuracy in (("dynamic", 0.8), ("static", 0.5)):
        rows.append(StudyRow(kind, 0.2, {"loss": 2.0, "accuracy": accuracy}, 0.2))
    if not evaluation:
        rows = [StudyRow(row.kind, row.setting, {}, row.density) for row in rows]
    return StudyReport("Masks", "winner rate", tuple(rows))


def test_bars_of_each_model(tmp_path):
    pytest.importorskip("matplotlib")
    axes = plot_activation_density(reports(), tmp_path / "bars.png").axes[0]
    assert [bar.get_height() for bar in axes.patches] == [0.75, 0.25, 0.75]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b"]
    assert (tmp_path / "bars.png").read_bytes().startswith(b"\x89PNG")


def test_one_panel_a_layer():
    pytest.importorskip("matplotlib")
    first, second = plot_activation_histograms(histograms()).axes
    assert (first.get_title(), second.get_title()) == ("a", "b")
    texts = [text.get_text() for text in first.get_legend().get_texts()]
    assert texts == ["before: 50.0% not zero", "after: 50.0% not zero"]
    assert len(second.patches) == 1


def test_curves_of_a_study():
    pytest.importorskip("matplotlib")
    left, right = plot_study(study()).axes
    assert (left.get_ylabel(), right.get_ylabel()) == ("accuracy", "activation density")
    assert [line.get_label() for line in left.lines] == ["no mask", "dynamic", "static"]
    assert [list(line.get_ydata()) for line in left.lines[1:]] == [[0.8], [0.5]]
    assert plot_study(study(), measure="loss").axes[0].get_ylabel() == "loss"
    assert len(plot_study(study(evaluation=False)).axes) == 1
    with pytest.raises(ValueError, match=r"one of \['loss', 'accuracy'\]. Received: measure='f'"):
        plot_study(study(), measure="f")


@pytest.mark.parametrize("plot", [plot_activation_density, plot_activation_histograms, plot_study])
@pytest.mark.parametrize("wrong", [None, {}, {"a": 1}, {"a": {"b": 1}}])
def test_another_object_gets_a_sentence(plot, wrong):
    with pytest.raises(ValueError, match=r"Received: "):
        plot(wrong)


@pytest.mark.parametrize(
    "plot, value",
    [
        (plot_activation_density, reports()),
        (plot_activation_histograms, histograms()),
        (plot_study, study()),
    ],
)
def test_without_matplotlib_there_is_one_sentence(plot, value, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"keras-prune\[report\].*Received: "):
        plot(value)
