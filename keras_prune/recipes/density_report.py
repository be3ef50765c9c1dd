"""What shrinking by activation density found."""

import dataclasses

import keras

from keras_prune.analysis import formulas
from keras_prune.recipes.round_report import number_cell
from keras_prune.tables import render_table


@dataclasses.dataclass(frozen=True)
class DensityRound:
    """One network of a `DensityReport`.

    Args:
        number: Int. 0 is the first network.
        widths: Dict from layer names to ints, units or filters.
        epochs: Int. How long it was trained.
        densities: Dict from layer names to tuples of floats: the layer's activation density in
            every epoch.
        totals: Tuple of floats. The density of all activations in every epoch.
        evaluation: Dict from str to float. What `evaluate` said when its training ended.
        params: Int. Weights in all kernels.
        macs: Int. Multiply-accumulates for one example.
        seconds: Float. In all the processes that worked on it.
    """

    number: int
    widths: dict
    epochs: int
    densities: dict
    totals: tuple
    evaluation: dict
    params: int
    macs: int
    seconds: float = dataclasses.field(compare=False)

    @property
    def density(self):
        """Float. The density of all activations in the last epoch."""
        return self.totals[-1]


@dataclasses.dataclass(frozen=True)
class DensityReport:
    """Every network with its sizes, densities and cost. `print` shows a table.

    Two reports are equal if they agree on everything but the seconds and the model.

    Args:
        rounds: Tuple of `DensityRound`, the first network first.
        kept: Int. The network that was trained to the end.
        model: `keras.Model`, that network.
    """

    rounds: tuple
    kept: int
    model: keras.Model = dataclasses.field(compare=False, repr=False)

    @property
    def widths(self):
        """Dict from layer names to ints. The sizes of the network that was kept."""
        return self.rounds[self.kept].widths

    @property
    def operation_reductions(self):
        """Tuple of floats. How many times fewer multiply-accumulates each network does."""
        macs = [item.macs for item in self.rounds]
        return tuple(formulas.compression(macs[0], count) for count in macs)

    @property
    def parameter_reductions(self):
        """Tuple of floats. How many times fewer weights each network has."""
        params = [item.params for item in self.rounds]
        return tuple(formulas.compression(params[0], count) for count in params)

    @property
    def training_complexity(self):
        """Float. The sum of epochs over operation reduction, in epochs of the first network."""
        epochs = [item.epochs for item in self.rounds]
        return formulas.training_complexity(epochs, self.operation_reductions)

    def __str__(self):
        measures = list(dict.fromkeys(name for item in self.rounds for name in item.evaluation))
        columns = [">round", "widths", ">epochs", ">density", *(f">{name}" for name in measures)]
        columns += [">params", ">MACs", ">params /", ">MACs /", ">seconds", ""]
        rows = [
            (
                item.number,
                " ".join(map(str, item.widths.values())),
                item.epochs,
                f"{item.density:.2%}",
                *(number_cell(item.evaluation.get(name)) for name in measures),
                f"{item.params:,}",
                f"{item.macs:,}",
                f"{params:.2f}x",
                f"{macs:.2f}x",
                f"{item.seconds:.1f}",
                "kept" if item.number == self.kept else "",
            )
            for item, params, macs in zip(
                self.rounds, self.parameter_reductions, self.operation_reductions, strict=True
            )
        ]
        table = render_table("Shrinking by activation density", columns, rows, width=140)
        return f"{table}\nTraining complexity: {self.training_complexity:.1f} epochs of round 0."
