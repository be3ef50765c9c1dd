"""How much worse a model may become."""


class Tolerance:
    """Compares the evaluation of a round with that of round 0.

    Args:
        tolerance: Float >= 0, or `None` to accept everything.
        monitor: Str or `None`. The name in the evaluation. `None`: the first that is not
            `"loss"`, if there is one.
        mode: Str. `"max"`, `"min"` or `"auto"`: `"min"` for names with "loss" or "error" in them.
        evaluate: What evaluates; `None` is refused where there is a tolerance.
    """

    def __init__(self, tolerance, monitor, mode, evaluate):
        number = isinstance(tolerance, (int, float)) and not isinstance(tolerance, bool)
        if tolerance is not None and not (number and tolerance >= 0.0):
            raise ValueError(
                "Argument `tolerance` must be a number >= 0 or None. "
                f"Received: tolerance={tolerance!r}"
            )
        if mode not in ("auto", "max", "min"):
            raise ValueError(
                f'Argument `mode` must be "auto", "max" or "min". Received: mode={mode!r}'
            )
        if tolerance is not None and evaluate is None:
            raise ValueError(
                "`tolerance` needs `evaluate`. "
                f"Received: tolerance={tolerance}, evaluate={evaluate}"
            )
        self.tolerance, self.monitor, self.mode = tolerance, monitor, mode

    def holds(self, first, row):
        """True if a round is within the tolerance; a NaN never is.

        Args:
            first: Dict with the key "evaluation". Round 0.
            row: The same of the round in question.
        """
        if self.tolerance is None:
            return True
        before, after = first["evaluation"], row["evaluation"]
        name = self.monitor or next((name for name in before if name != "loss"), "loss")
        if name not in before or name not in after:
            raise ValueError(
                f"`monitor` must name a part of the evaluation, one of {list(after)}. "
                f"Received: monitor={name!r}"
            )
        worse = after[name] - before[name]
        lower = any(word in name for word in ("loss", "error"))
        if self.mode == "max" or (self.mode == "auto" and not lower):
            worse = -worse
        return bool(worse <= self.tolerance + 1e-9)
