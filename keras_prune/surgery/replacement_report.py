"""Which layers gave way to cheaper ones, what that saves and what it costs."""

import dataclasses

from keras_prune.tables import render_table


@dataclasses.dataclass(frozen=True)
class ReplacedLayer:
    """One line of a `ReplacementReport`.

    Args:
        name: Str. The layer's name.
        params: Int. Weights in its kernel.
        macs: Int or `None`. Multiply-accumulates for one example; `None` where the model leaves
            the size of its inputs open.
        by: Str or `None`. What took its place.
        params_after: Int or `None`. Weights in the kernels of that.
        macs_after: Int or `None`.
        error: Float or `None`. ||W - W'|| / ||W||, where W' is the kernel that does what the new
            layers do.
        skip: Str or `None`. Why the layer was left as it was.
    """

    name: str
    params: int
    macs: int | None
    by: str | None = None
    params_after: int | None = None
    macs_after: int | None = None
    error: float | None = None
    skip: str | None = None


@dataclasses.dataclass(frozen=True)
class ReplacementReport:
    """Which layers gave way to cheaper ones. `print` shows a table.

    Args:
        title: Str. The line above the table.
        layers: Tuple of `ReplacedLayer`, one for every layer that owns a kernel.
    """

    title: str
    layers: tuple

    @property
    def replaced(self):
        """Tuple of `ReplacedLayer` that gave way."""
        return tuple(layer for layer in self.layers if layer.skip is None)

    @property
    def skipped(self):
        """Tuple of `ReplacedLayer` that were left alone, each with its reason."""
        return tuple(layer for layer in self.layers if layer.skip is not None)

    def __str__(self):
        rows = [
            (
                line.name,
                line.by,
                f"{line.params:,}",
                f"{line.params_after:,}",
                "?" if line.macs is None else f"{line.macs:,}",
                "?" if line.macs_after is None else f"{line.macs_after:,}",
                f"{line.error:.4f}",
            )
            for line in self.replaced
        ]
        columns = ["layer", "now", ">params", ">then", ">MACs", ">then", ">error"]
        table = render_table(self.title, columns, rows)
        return "\n".join([table, *(f"{line.name}: {line.skip}." for line in self.skipped)])
