"""What was asked and what was achieved, weight by weight."""

import dataclasses

from keras_prune.tables import render_table


@dataclasses.dataclass(frozen=True)
class PrunedWeight:
    """One line of a `PruningReport`.

    Args:
        path: Str. The variable's path in the model.
        shape: Tuple of ints.
        granularity: Str, or `None` where the weight was skipped.
        asked: Float or `None`. The sparsity asked of this weight; `None` where it was skipped
            and where the allocation asks it of all weights together.
        achieved: Float. The fraction of the weights that are zero.
        size: Int. Number of weights.
        slack: Int. Weights by which whole units may miss what was asked. Defaults to `1`.
        skip: Str or `None`. Why the weight was skipped.
        note: Str or `None`. What else is to be known. Defaults to `None`.
    """

    path: str
    shape: tuple
    granularity: str | None
    asked: float | None
    achieved: float
    size: int
    slack: int = 1
    skip: str | None = None
    note: str | None = None

    @property
    def zeros(self):
        """Int. Number of weights that are zero."""
        return round(self.achieved * self.size)

    @property
    def reached(self):
        """True if the sparsity is what was asked, to the nearest unit, or above."""
        return self.asked is None or (self.asked - self.achieved) * self.size <= self.slack + 1e-6


@dataclasses.dataclass(frozen=True)
class PruningReport:
    """What pruning did: every kernel with its sparsity, or the reason it was skipped.

    Example:

    ```python
    report = kp.prune(model, 0.8)
    print(report)
    assert report.reached
    ```

    Args:
        weights: Tuple of `PrunedWeight`, in the order of the model's variables.
        asked: Float. The sparsity asked for, over all weights that were not skipped.
        collapsed: Tuple of pairs (path, reason). Pruned kernels that no signal passes any more,
            see `kp.layer_collapse`; of more than ten million weights, where that is not looked
            for, those with hardly a weight left. Defaults to `()`.
    """

    weights: tuple
    asked: float
    collapsed: tuple = ()

    @property
    def pruned(self):
        """Tuple of `PrunedWeight` that were pruned."""
        return tuple(weight for weight in self.weights if weight.skip is None)

    @property
    def skipped(self):
        """Tuple of `PrunedWeight` that were left alone, each with its reason."""
        return tuple(weight for weight in self.weights if weight.skip is not None)

    @property
    def achieved(self):
        """Float. The sparsity over all weights that were not skipped."""
        size = sum(weight.size for weight in self.pruned)
        return sum(weight.zeros for weight in self.pruned) / size if size else 0.0

    @property
    def reached(self):
        """True if every weight, and all together, have the sparsity asked for."""
        size = sum(weight.size for weight in self.pruned)
        slack = sum(weight.slack for weight in self.pruned) + 1e-6
        total = (self.asked - self.achieved) * size <= slack
        return total and all(weight.reached for weight in self.pruned)

    def to_dict(self):
        """Return everything as a dict that JSON can hold."""
        total = {"achieved": self.achieved, "reached": self.reached}
        return {**dataclasses.asdict(self), **total}

    def summary(self):
        """One sentence: what was asked, what was achieved, what was skipped or collapsed."""
        size = sum(weight.size for weight in self.pruned)
        skipped = f"; {len(self.skipped)} skipped" if self.skipped else ""
        skipped += f"; hardly a signal passes {len(self.collapsed)}" if self.collapsed else ""
        return (
            f"Asked for a sparsity of {self.asked:.2%}, achieved {self.achieved:.2%} of "
            f"{size:,} weights in {len(self.pruned)} kernels{skipped}."
        )

    def collapse_warning(self):
        """Str or `None`: which kernels hardly a signal passes, and what to do about it."""
        if not self.collapsed:
            return None
        return (
            "Pruning has cut the model's signal paths (layer collapse), or all but cut them, so "
            "that it puts out less than it is made for, and training may not bring it back: prune "
            'less, with allocation="uniform" or "erk", or leave layers out with `filters`. '
            f"Received: {self._collapse_lines()}"
        )

    def _collapse_lines(self, separator="; "):
        return separator.join(f"{path}: {reason}" for path, reason in self.collapsed)

    def __str__(self):
        rows = [
            (
                weight.path,
                " x ".join(map(str, weight.shape)),
                "-" if weight.skip else weight.granularity,
                "-" if weight.asked is None else f"{weight.asked:.2%}",
                f"{weight.achieved:.2%}",
                f"skipped: {weight.skip}" if weight.skip else weight.note or "",
            )
            for weight in self.weights
        ]
        total = ("total", "", "", f"{self.asked:.2%}", f"{self.achieved:.2%}", "")
        columns = ["weight", ">shape", "granularity", ">asked", ">achieved", ""]
        table = render_table("Pruning report", columns, rows, footer=total)
        if not self.collapsed:
            return table
        return f"{table}\n\nHardly a signal passes:\n{self._collapse_lines(chr(10))}"
