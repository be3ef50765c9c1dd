import sys

import pytest

from keras_prune.recipes.density_report import DensityReport, DensityRound
from keras_prune.report.density_plots import plot_densities, plot_layer_densities, plot_widths


def report():
    def item(number, width, densities):
        totals, widths = tuple(densities), {"a": width, "b": 2 * width}
        layers = {"a": totals, "b": tuple(1 - value for value in totals)}
        return DensityRound(number, widths, len(totals), layers, totals, {}, width**2, width, 0.0)

    return DensityReport((item(0, 8, [0.5, 0.4, 0.3]), item(1, 4, [0.6, 0.7])), 1, None)


def test_densities_of_networks_follow_one_another(tmp_path):
    pytest.importorskip("matplotlib")
    axes = plot_densities(report(), tmp_path / "all.png").axes[0]
    lines = [(list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines]
    assert lines == [([1, 2, 3], [0.5, 0.4, 0.3]), ([4, 5], [0.6, 0.7])]
    assert (tmp_path / "all.png").read_bytes().startswith(b"\x89PNG")


def test_densities_of_layers():
    pytest.importorskip("matplotlib")
    axes = plot_layer_densities(report(), 0).axes[0]
    assert [line.get_label() for line in axes.lines] == ["a", "b"]
    assert list(axes.lines[1].get_ydata()) == [0.5, 0.6, 0.7]
    assert len(plot_layer_densities(report()).axes[0].lines[0].get_xdata()) == 2
    with pytest.raises(ValueError, match=r"one of 2 networks.*Received: number=2"):
        plot_layer_densities(report(), 2)


def test_widths():
    pytest.importorskip("matplotlib")
    axes = plot_widths(report()).axes[0]
    assert [bar.get_height() for bar in axes.patches] == [8, 16, 4, 8]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b"]


@pytest.mark.parametrize("plot", [plot_densities, plot_layer_densities, plot_widths])
def test_without_matplotlib_there_is_one_sentence(plot, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"keras-prune\[report\].*Received: "):
        plot(report())


@pytest.mark.parametrize("wrong", [None, DensityReport((), 0, None)])
def test_another_object_gets_a_sentence(wrong):
    with pytest.raises((ValueError, ImportError), match="Received: "):
        plot_layer_densities(wrong)
