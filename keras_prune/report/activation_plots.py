"""Pictures of measured activations: densities, histograms and studies."""

from keras_prune.analysis.activation_histograms import ActivationHistogram
from keras_prune.analysis.measured_density import ActivationReport
from keras_prune.recipes.study_report import StudyReport
from keras_prune.report.figures import new_figure, saved


def plot_activation_density(reports, path=None):
    """Draw the activation density of each layer, one bar for each of some models.

    matplotlib draws it, which the extra `report` installs.

    Example:

    ```python
    reports = {"dense": kp.activation_density(model, x), "pruned": kp.activation_density(pruned, x)}
    activation_plots.plot_activation_density(reports, "density.png")
    ```

    Args:
        reports: Dict from what the bars are called to `kp.ActivationReport`.
        path: Path-like. Where the picture is written. Defaults to `None`: it is returned only.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If `reports` holds something else.
    """
    _check("reports", reports, ActivationReport)
    names = list(dict.fromkeys(name for report in reports.values() for name in report.layers))
    figure = new_figure()
    axes = figure.subplots()
    width = 0.8 / len(reports)
    for index, (label, report) in enumerate(reports.items()):
        places = [
            number + index * width for number, name in enumerate(names) if name in report.layers
        ]
        heights = [report.layers[name].density for name in names if name in report.layers]
        axes.bar(places, heights, width, label=label)
    middle = 0.4 - width / 2
    axes.set_xticks([number + middle for number in range(len(names))], names, rotation=90)
    axes.set_ylabel("activation density")
    axes.set_ylim(0.0, 1.05)
    axes.legend()
    return saved(figure, path)


def plot_activation_histograms(histograms, path=None):
    """Draw the activations of each layer of some models over each other.

    Zeros are not drawn; the density of the rest is in the legend.

    Args:
        histograms: Dict from what the curves are called to what `kp.activation_histograms`
            returned.
        path: Path-like. Where the picture is written. Defaults to `None`: it is returned only.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If `histograms` holds something else.
    """
    _check("histograms", histograms, dict)
    for layers in histograms.values():
        _check("histograms", layers, ActivationHistogram)
    names = list(dict.fromkeys(name for layers in histograms.values() for name in layers))
    columns = min(len(names), 3)
    rows = -(-len(names) // columns)
    figure = new_figure(4.2 * columns, 3.2 * rows)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, name in zip(grid, names, strict=False):
        for label, layers in histograms.items():
            if name in layers:
                found = layers[name]
                legend = f"{label}: {found.density:.1%} not zero"
                axes.stairs(found.counts, found.edges, label=legend)
        axes.set_title(name)
        axes.set_yscale("symlog")
        axes.legend(fontsize="small")
    for axes in grid[len(names) :]:
        axes.remove()
    figure.supxlabel("activation")
    figure.supylabel("how many")
    return saved(figure, path)


def plot_study(study, path=None, measure=None):
    """Draw what a study measured, evaluation and activation density by its setting.

    Args:
        study: `kp.StudyReport`.
        path: Path-like. Where the picture is written. Defaults to `None`: it is returned only.
        measure: Str. The name in the evaluation that is drawn. Defaults to the first that is not
            `"loss"`, if there is one.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If `study` is something else, or has no such measure.
    """
    if not isinstance(study, StudyReport):
        raise ValueError(f"Argument `study` must be a `kp.StudyReport`. Received: study={study!r}")
    measures = list(dict.fromkeys(name for row in study.rows for name in row.evaluation))
    if measure is not None and measure not in measures:
        raise ValueError(
            f"Argument `measure` must name one of {measures}. Received: measure={measure!r}"
        )
    measure = measure or next((x for x in measures if x != "loss"), next(iter(measures), None))
    curves = {"activation density": lambda row: row.density}
    if measure is not None:
        curves = {measure: lambda row: row.evaluation.get(measure), **curves}
    figure = new_figure(5.0 * len(curves), 4.2)
    for axes, (name, value) in zip(
        figure.subplots(1, len(curves), squeeze=False)[0], curves.items(), strict=True
    ):
        for kind in dict.fromkeys(row.kind for row in study.rows):
            rows = [row for row in study.rows if row.kind == kind]
            if rows[0].setting is None:
                axes.axhline(value(rows[0]), color="gray", linestyle=":", label=kind)
            else:
                settings = [row.setting for row in rows]
                axes.plot(settings, list(map(value, rows)), marker="o", linestyle="", label=kind)
        axes.set_xlabel(study.setting)
        axes.set_ylabel(name)
        axes.legend()
    figure.suptitle(study.title)
    return saved(figure, path)


def _check(name, value, kind):
    if not isinstance(value, dict) or not value:
        raise ValueError(f"Argument `{name}` must be a dict of reports. Received: {value!r}")
    for item in value.values():
        if not isinstance(item, kind):
            raise ValueError(
                f"Argument `{name}` must hold what the function that measures has returned. "
                f"Received: {item!r}"
            )
