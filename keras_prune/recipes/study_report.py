"""What a study of activations measured: one setting a row."""

import dataclasses

from keras_prune.recipes.round_report import number_cell
from keras_prune.tables import render_table


@dataclasses.dataclass(frozen=True)
class StudyRow:
    """One measurement of a `StudyReport`.

    Args:
        kind: Str. What rows of one curve have in common.
        setting: Float or `None`. Where on the curve it stands.
        evaluation: Dict from str to float.
        density: Float. The activation density that was measured.
    """

    kind: str
    setting: float | None
    evaluation: dict
    density: float


@dataclasses.dataclass(frozen=True)
class StudyReport:
    """Evaluations and activation densities by a setting. `print` shows a table.

    Args:
        title: Str.
        setting: Str. What the setting is called.
        rows: Tuple of `StudyRow`.
    """

    title: str
    setting: str
    rows: tuple

    def __str__(self):
        measures = list(dict.fromkeys(name for row in self.rows for name in row.evaluation))
        rows = [
            (
                row.kind,
                "" if row.setting is None else f"{row.setting:.1%}",
                *(number_cell(row.evaluation.get(name)) for name in measures),
                f"{row.density:.2%}",
            )
            for row in self.rows
        ]
        columns = ["", f">{self.setting}", *(f">{name}" for name in measures), ">activations"]
        return render_table(self.title, columns, rows)
