"""What the search for winner rates found."""

import dataclasses

from keras_prune.recipes.round_report import number_cell
from keras_prune.tables import render_table


@dataclasses.dataclass(frozen=True)
class WinnerRatesReport:
    """The lowest winner rate of each layer that was tolerated. `print` shows a table.

    Args:
        baseline: Dict from str to float. The evaluation without masks.
        tolerance: Float. How much worse it might become.
        rates: Dict from names of layers to floats: what `kp.attach_activation_masks` takes. 1
            where no rate that was tried is tolerated.
        curves: Dict from names of layers to tuples of pairs (rate, evaluation), in the order in
            which they were tried; the last may be the first that is not tolerated.
    """

    baseline: dict
    tolerance: float
    rates: dict
    curves: dict

    def __str__(self):
        measures = list(self.baseline)
        rows = [("none", "", *(number_cell(self.baseline[name]) for name in measures))]
        for layer, rate in self.rates.items():
            found = dict(self.curves[layer]).get(rate, self.baseline)
            cells = (number_cell(found.get(name)) for name in measures)
            rows.append((layer, f"{rate:.0%}", *cells))
        columns = ["masked alone", ">winner rate", *(f">{name}" for name in measures)]
        return render_table(f"Winner rates, tolerance {self.tolerance}", columns, rows)
