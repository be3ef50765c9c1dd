"""Pictures of activation densities: over epochs, and layer by layer."""

from keras_prune.report.figures import new_figure, saved


def plot_densities(report, path=None):
    """Draw how the density of all activations went, epoch by epoch, for every network.

    The epochs of all networks follow one another; a line ends where the next network begins.
    matplotlib draws it, which the extra `report` installs.

    Example:

    ```python
    plot_densities(report, "densities.png")
    ```

    Args:
        report: `kp.DensityReport`.
        path: Path-like. Where the picture is written. Defaults to `None`: it is returned only.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = new_figure()
    axes = figure.subplots()
    start = 1
    for item in _check(report).rounds:
        epochs = range(start, start + item.epochs)
        axes.plot(epochs, item.totals, marker=".", label=f"network {item.number}")
        start += item.epochs
    axes.set_xlabel("epoch, of all networks")
    return _finish(figure, axes, path)


def plot_layer_densities(report, number=None, path=None):
    """Draw how the density of each layer of one network went, epoch by epoch.

    Args:
        report: `kp.DensityReport`.
        number: Int. The network. Defaults to the one that was kept.
        path: Path-like. Where the picture is written. Defaults to `None`: it is returned only.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If there is no such network.
    """
    rounds = _check(report).rounds
    number = report.kept if number is None else number
    if not isinstance(number, int) or not 0 <= number < len(rounds):
        raise ValueError(
            f"Argument `number` must name one of {len(rounds)} networks, the first is 0. "
            f"Received: number={number!r}"
        )
    figure = new_figure()
    axes = figure.subplots()
    item = rounds[number]
    for name, values in item.densities.items():
        axes.plot(range(1, item.epochs + 1), values, marker=".", label=name)
    axes.set_xlabel(f"epoch of network {number}")
    return _finish(figure, axes, path)


def plot_widths(report, path=None):
    """Draw the sizes of the layers, one group of bars a layer and one bar a network.

    Args:
        report: `kp.DensityReport`.
        path: Path-like. Where the picture is written. Defaults to `None`: it is returned only.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = new_figure()
    axes = figure.subplots()
    rounds = _check(report).rounds
    names, width = list(rounds[0].widths), 0.8 / len(rounds)
    for item in rounds:
        places = [place + item.number * width for place in range(len(names))]
        axes.bar(places, item.widths.values(), width, label=f"network {item.number}")
    axes.set_xticks([place + 0.4 - width / 2 for place in range(len(names))], names, rotation=90)
    axes.set_ylabel("units or filters")
    axes.legend()
    return saved(figure, path)


def _check(report):
    if not getattr(report, "rounds", None) or not hasattr(report.rounds[0], "densities"):
        raise ValueError(
            "Argument `report` must be what `kp.train_with_activation_density` returned. "
            f"Received: report={report!r}"
        )
    return report


def _finish(figure, axes, path):
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylabel("activation density")
    axes.set_ylim(0.0, 1.05)
    axes.legend()
    return saved(figure, path)
