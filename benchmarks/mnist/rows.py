"""What a row of the tables is."""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Row:
    """One figure to reproduce: how, and what the paper has.

    Args:
        key: Str. Names the row in files and on the command line.
        table: Str. The table that shows it.
        method: Str. What the table calls it.
        network: Str. A key of `NETWORKS`.
        measure: Callable(task, **settings) that trains and returns what
            `Task.measured` returns, or a dict with such a dict for each of its points.
        settings: Dict. JSON-able; a run that was made with others is made anew.
        paper: Tuple (compression, error in percent as the paper prints it), or `None`.
        architecture: Tuple of ints or `None`. The units that the paper is left with.
        notes: Str. What was tried to choose the settings, on validation images.
    """

    key: str
    table: str
    method: str
    network: str
    measure: Callable
    settings: dict
    paper: tuple | None = None
    architecture: tuple | None = None
    notes: str = ""
