"""Networks that are trained, shrunk and built anew, and lose nothing when they are killed."""

import keras
import numpy as np

from keras_prune.analysis.activation_places import find_places
from keras_prune.model_cost import cost
from keras_prune.recipes import training_state
from keras_prune.recipes.active_units import most_active, take_over
from keras_prune.recipes.density_report import DensityReport, DensityRound
from keras_prune.recipes.density_stage import train_stage
from keras_prune.recipes.layer_sizes import check_sizes, sizes_of
from keras_prune.recipes.round_callback import Place
from keras_prune.recipes.round_checks import check_model, check_same
from keras_prune.recipes.round_store import RoundStore
from keras_prune.tracing import example_input


class DensityRounds:
    """The networks of `train_with_activation_density`, one a round.

    Attributes:
        rows: List of JSON-able dicts, one for each network that was trained.
        state: Dict of arrays, what `training_state.take` said of the last network that is within
            the tolerance.
        kept: Int or `None`. The network that was trained to the end, once there is one.

    Args:
        model_fn: Callable(widths) -> compiled `keras.Model`.
        train: Callable(model, callbacks, round).
        evaluate: Callable(model), data for `model.evaluate`, or `None`.
        widths: Dict from layer names to ints, or `None` for the model's own.
        settings: Dict: what must be the same when a directory is taken up again.
        limit: `Tolerance`.
        density: Dict of arguments of `ActivationDensity`.
        fresh: Bool. Whether every network begins with fresh weights, or with those of the most
            active units of the last.
        seed: Int or `None`.
        directory: Path-like or `None`.
        resume: Str. `"epoch"` or `"round"`.
    """

    def __init__(
        self,
        model_fn,
        train,
        evaluate,
        widths,
        settings,
        limit,
        density,
        fresh,
        seed,
        directory,
        resume,
    ):
        self.model_fn, self.train, self.evaluate = model_fn, train, evaluate
        self.limit, self.density = limit, density
        self.fresh, self.resume = fresh, resume
        self.store = RoundStore(directory)
        record = self.store.load("initial")
        if record is not None:
            self.seed = record[1]["seed"] if seed is None else seed
        else:
            self.seed = int(np.random.randint(2**31)) if seed is None else seed
        self.model = self._made(0, widths or {})
        self.first = sizes_of(self.model, self._places(), widths)
        asked = {**settings, "widths": self.first, "seed": self.seed}
        if record is not None:
            check_same(asked, record[1]["settings"])
        else:
            texts = {key: repr(value) for key, value in asked.items()}
            self.store.save("initial", {}, {"settings": texts, "seed": self.seed})
        self._recall()

    def _recall(self):
        self.rows, self.state, self.units, self.kept, self.random = [], {}, {}, None, None
        record = self.store.load("progress")
        if record is not None:
            arrays, values = record
            self.rows, self.kept, self.random = values["rows"], values["kept"], values["random"]
            self.state = _part(arrays, "trained/")
            self.units = _part(arrays, "units/")

    def _commit(self):
        arrays = {f"trained/{key}": value for key, value in self.state.items()}
        arrays |= {f"units/{name}": value for name, value in self.units.items()}
        values = {"rows": self.rows, "kept": self.kept, "random": self.random}
        self.store.save("progress", arrays, values)
        self.store.delete("backup")

    def _made(self, number, widths):
        """A network as `model_fn` makes it, always the same for a round."""
        draw = np.random.SeedSequence([self.seed, number]).generate_state(1)[0]
        keras.utils.set_random_seed(int(draw))
        model = self.model_fn(dict(widths))
        if not isinstance(model, keras.Model):
            raise ValueError(f"`model_fn` must return a Keras model. Received: {model!r}")
        check_model(model)
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        return model

    def _places(self):
        return find_places(self.model, example_input(self.model), self.density["filters"])

    def _build(self, number, widths):
        """Make the network of a round the current one."""
        if number or widths != sizes_of(self.model, self._places(), widths):
            self.model = self._made(number, widths)
        check_sizes(self.model, widths)

    def train_next(self, widths, saturated):
        """Train a network with these sizes until its densities settle, and note it.

        Args:
            widths: Dict from layer names to ints.
            saturated: Callable(list of lists) -> bool, or `None` to train to the end.
        """
        number = len(self.rows)
        kept = None
        if number and not self.fresh:
            old = self._made(number - 1, self.rows[-1]["widths"])
            training_state.put(old, self.state)
            kept = old, most_active(self.units, widths)
        self._build(number, widths)
        if kept is not None:
            take_over(self.model, *kept)
        spent = cost(self.model)
        row, counted = train_stage(self, f"{number}", number, list(widths), saturated)
        row |= {"widths": widths, "params": spent.params, "macs": spent.macs}
        self.rows.append(row)
        if self.limit.holds(self.rows[0], row):
            self.state = training_state.take(self.model)
            self.units = {name: counted.counts[name].nonzero for name in widths}
        self._commit()

    def finish(self, number):
        """Train a network on to the end of its training, if that is not done.

        Args:
            number: Int. The network, the last whose state was kept.
        """
        row = self.rows[number]
        if self.kept is None and row["stopped"] is None:
            self.kept = number
            self._commit()
        self._build_again(number, row["widths"])
        if self.kept is not None:
            return
        place = Place(**row["stopped"])
        rest, _ = train_stage(self, "last", number, list(row["widths"]), None, place, row)
        self.rows[number] = {**row, **rest}
        self.state, self.kept = training_state.take(self.model), number
        self._commit()

    def _build_again(self, number, widths):
        self.model = self._made(number, widths)
        training_state.put(self.model, self.state)

    def report(self):
        """Make the `DensityReport`."""
        rounds = []
        for number, row in enumerate(self.rows):
            item = {key: row[key] for key in ("widths", "evaluation", "params", "macs", "seconds")}
            densities = {name: tuple(values) for name, values in row["densities"].items()}
            item |= {"densities": densities, "totals": tuple(row["totals"])}
            rounds.append(DensityRound(number=number, epochs=len(row["totals"]), **item))
        return DensityReport(tuple(rounds), self.kept, self.model)


def _part(arrays, start):
    return {key[len(start) :]: arrays[key] for key in arrays if key.startswith(start)}
