"""Figures that matplotlib draws, without a display."""


def new_figure(width=6.4, height=4.8):
    """An empty `matplotlib.figure.Figure`, sizes in inches."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "Pictures are drawn by matplotlib, which is not installed: "
            '`pip install "keras-prune[report]"`. Received: no module matplotlib'
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def saved(figure, path):
    """The figure, written to a file where there is a path."""
    if path is not None:
        figure.savefig(path)
    return figure
