"""Which input channels each layer kept."""

import dataclasses

from keras_prune.tables import render_table


@dataclasses.dataclass(frozen=True)
class ChosenChannels:
    """One line of a `ChannelsReport`.

    Args:
        name: Str. The layer's name.
        channels: Int. Input channels that the layer has.
        head: Str or `None`. The layer behind which the auxiliary head stands whose loss counted;
            `None` where it was the model's own.
        kept: Tuple of ints. The channels that it keeps, in the order of their choice.
        losses: Tuple of floats. The loss without any channel, and after each step.
        skip: Str or `None`. Why the layer was left as it was.
    """

    name: str
    channels: int
    head: str | None = None
    kept: tuple = ()
    losses: tuple = ()
    skip: str | None = None


@dataclasses.dataclass(frozen=True)
class ChannelsReport:
    """Which input channels each layer kept. `print` shows a table.

    Args:
        layers: Tuple of `ChosenChannels`, one for every kernel of the model.
    """

    layers: tuple

    @property
    def pruned(self):
        """Tuple of `ChosenChannels` of the layers that were pruned."""
        return tuple(layer for layer in self.layers if layer.skip is None)

    @property
    def skipped(self):
        """Tuple of `ChosenChannels` that were left alone, each with its reason."""
        return tuple(layer for layer in self.layers if layer.skip is not None)

    def __str__(self):
        rows = [
            (
                line.name,
                line.head or "(outputs)",
                f"{len(line.kept)} of {line.channels}",
                f"{line.losses[0]:.4f}",
                f"{line.losses[-1]:.4f}",
            )
            for line in self.pruned
        ]
        columns = ["layer", "head", ">channels", ">loss of none", ">loss"]
        table = render_table("Discrimination-aware channels", columns, rows)
        return "\n".join([table, *(f"{line.name}: {line.skip}." for line in self.skipped)])
