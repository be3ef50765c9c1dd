"""What a training in rounds found."""

import dataclasses

from keras_prune.tables import render_table


@dataclasses.dataclass(frozen=True)
class PruningRound:
    """One round of a `RoundsReport`.

    Args:
        number: Int. 0 is the model without pruning.
        density: Float. The fraction of the prunable weights that are left.
        evaluation: Dict from str to float. What `evaluate` said after the round's training;
            empty without `evaluate`.
        seconds: Float. How long the round took with its controls, in all the processes that
            worked on it.
        masks: Dict from the path of a kernel to a bool array of its shape, False = pruned.
        controls: Dict from the name of a control to its evaluation. Defaults to none.
    """

    number: int
    density: float
    evaluation: dict
    seconds: float = dataclasses.field(compare=False)
    masks: dict = dataclasses.field(compare=False, repr=False)
    controls: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class RoundsReport:
    """Every round with its density and evaluation. `print` shows a table.

    Two reports are equal if they agree on everything but the seconds.

    Args:
        title: Str.
        rounds: Tuple of `PruningRound`, round 0 first.
        kept: Int. The round whose weights the model has now.
    """

    title: str
    rounds: tuple
    kept: int

    @property
    def masks(self):
        """Dict from path to bool array. The masks of the round that the model has now."""
        return self.rounds[self.kept].masks

    @property
    def density(self):
        """Float. The density of the round that the model has now."""
        return self.rounds[self.kept].density

    def __str__(self):
        measures = list(dict.fromkeys(name for item in self.rounds for name in item.evaluation))
        columns = [">round", ">density", *(f">{name}" for name in measures), ">seconds", ""]
        rows = []
        for item in self.rounds:
            density = f"{item.density:.2%}"
            kept = "kept" if item.number == self.kept else ""
            values = [number_cell(item.evaluation.get(name)) for name in measures]
            rows.append((item.number, density, *values, f"{item.seconds:.1f}", kept))
            for control, evaluation in item.controls.items():
                values = [number_cell(evaluation.get(name)) for name in measures]
                rows.append((item.number, density, *values, "", control))
        return render_table(self.title, columns, rows)


def number_cell(value):
    return "-" if value is None else f"{value:.4f}"
