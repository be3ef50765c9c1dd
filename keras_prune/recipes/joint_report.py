"""What joint pruning of weights and activations found."""

import dataclasses

import keras

from keras_prune.cost_report import CostReport
from keras_prune.recipes.round_report import RoundsReport, number_cell
from keras_prune.recipes.winner_report import WinnerRatesReport
from keras_prune.tables import render_table


@dataclasses.dataclass(frozen=True)
class JointStage:
    """One state of the network in a `JointPruningReport`.

    Args:
        name: Str. `"dense"`: as it was given; `"weights"`: weights pruned; `"masked"`: activation
            masks attached; `"joint"`: fine-tuned with both.
        evaluation: Dict from str to float. What `evaluate` said; empty without `evaluate`.
        cost: `kp.CostReport`, with densities where there was data to count them on.
    """

    name: str
    evaluation: dict
    cost: CostReport

    @property
    def activation_density(self):
        """Float or `None`. The fraction of all activations that are not zero."""
        return self.cost.activation_density if self.cost.examples else None

    @property
    def compression(self):
        """Float. How many times fewer weights are left, biases not counted."""
        return self.cost.compression()

    def mac_density(self, mode="product"):
        """Float or `None`. See `kp.CostReport.mac_density`."""
        return self.cost.mac_density(mode) if self.cost.examples else None


@dataclasses.dataclass(frozen=True)
class JointPruningReport:
    """Accuracy, activations, weights and multiply-accumulates, stage by stage and by layer.

    `print` shows the stages, the winner rates and the layers of the last stage.

    Two reports are equal if they agree on everything but the seconds and the model.

    Args:
        stages: Tuple of `JointStage`: "dense", "weights", "masked", "joint".
        rates: Dict from names of layers to floats. The winner rates of the masks.
        rounds: `kp.RoundsReport` of the weights.
        winners: `kp.WinnerRatesReport` of the search, or `None` where rates were given.
        fine_tunings: Tuple of `kp.RoundsReport`, the last with the masks that the model has.
        model: `keras.Model` with `kp.layers.WinnerTakeAll` layers, compiled.
    """

    stages: tuple
    rates: dict
    rounds: RoundsReport
    winners: WinnerRatesReport | None
    fine_tunings: tuple
    model: keras.Model = dataclasses.field(compare=False, repr=False)

    def stage(self, name):
        """The `JointStage` of a name.

        Raises:
            ValueError: If there is none.
        """
        found = {stage.name: stage for stage in self.stages}
        if name not in found:
            raise ValueError(f"The stages are {list(found)}. Received: name={name!r}")
        return found[name]

    def __str__(self):
        measures = list(dict.fromkeys(name for stage in self.stages for name in stage.evaluation))
        rows = [
            (
                stage.name,
                *(number_cell(stage.evaluation.get(name)) for name in measures),
                f"{stage.compression:.2f}x",
                _percent(stage.activation_density),
                _percent(stage.mac_density("product")),
                _percent(stage.mac_density("exact")),
            )
            for stage in self.stages
        ]
        columns = ["stage", *(f">{name}" for name in measures)]
        columns += [">weights /", ">activations", ">product MACs", ">exact MACs"]
        rates = [(name, f"{rate:.1%}") for name, rate in self.rates.items()]
        tables = [
            render_table("Joint pruning", columns, rows, width=120),
            render_table("Winner rates", ["behind", ">share"], rates),
            str(self.stages[-1].cost),
        ]
        return "\n".join(tables)


def _percent(value):
    return "?" if value is None else f"{value:.2%}"
