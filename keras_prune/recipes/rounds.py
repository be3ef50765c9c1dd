"""What every training in rounds does: trains, evaluates, remembers, goes on after a kill."""

import dataclasses
import time

import keras
import numpy as np

from keras_prune.recipes import training_state
from keras_prune.recipes.evaluation import evaluation_of
from keras_prune.recipes.round_callback import Place, RoundCallback
from keras_prune.recipes.round_checks import check_arguments, check_same
from keras_prune.recipes.round_report import PruningRound, RoundsReport
from keras_prune.recipes.round_store import RoundStore


class Rounds:
    """A training in rounds that loses nothing when it is killed.

    Attributes:
        model: `keras.Model`.
        weights: List of `PrunableWeight`, those that are pruned.
        initial: Dict of arrays. The state of the model at the call.
        trained: Dict of arrays. The state of the model after its last round that counts.
        masks: List with one list of bool arrays a round; round 0 has none that is False.
        rows: List of JSON-able dicts, one for each round that is done.
        random: The state of the random number generators as the training of round 0 began, if
            it had one: every other round's training begins with it.
        seed: Int. What every round begins with.

    Args:
        model: Built, compiled `keras.Model`.
        train: Callable(model, callbacks, round).
        evaluate: Callable(model), data for `model.evaluate`, or `None`.
        pruners: List of `Pruner`, one a round from round 1 on.
        settings: JSON-able dict: what must be the same when a directory is taken up again.
        seed: Int or `None`.
        directory: Path-like or `None`.
        resume: Str. `"epoch"` or `"round"`.
    """

    def __init__(self, model, train, evaluate, pruners, settings, seed, directory, resume):
        check_arguments(model, train, seed, resume)
        self.model, self.train, self.evaluate = model, train, evaluate
        self.pruners, self.resume = pruners, resume
        optimizer = model.optimizer
        if not optimizer.built:
            optimizer.build(model.trainable_variables)
        self.weights = self._find_weights()
        self.store = RoundStore(directory)
        self._begin({**settings, "shapes": _shapes(model)}, seed)
        self._recall()

    def _find_weights(self):
        for pruner in self.pruners:  # every round refuses what it cannot prune, before the first
            pruner.attach(self.model, total_steps=1, initial_step=None).detach()
        return [weight for weight in self.pruners[0].weights if weight.skip is None]

    def _begin(self, settings, seed):
        record = self.store.load("initial")
        if record is None:
            self.seed = int(np.random.randint(2**31)) if seed is None else seed
            self.initial = training_state.take(self.model)
            texts = {key: repr(value) for key, value in settings.items()}
            self.store.save("initial", self.initial, {"settings": texts, "seed": self.seed})
        else:
            self.initial, values = record
            self.seed = values["seed"]
            asked = {**settings, "seed": self.seed if seed is None else seed}
            check_same(asked, {**values["settings"], "seed": repr(self.seed)})
            training_state.put(self.model, self.initial)
        if isinstance(settings["criterion"], str):  # one that was given as an object has its own
            for pruner in self.pruners:
                pruner.criterion = pruner.criterion.with_seed(self.seed)

    def _recall(self):
        self.masks = [[np.ones(weight.shape, bool) for weight in self.weights]]
        self.rows, self.trained, self.random = [], self.initial, None
        record = self.store.load("progress")
        if record is None:
            return
        arrays, values = record
        self.rows, self.random = values["rows"], values["random"]
        start = "trained/"
        self.trained = {k[len(start) :]: arrays[k] for k in arrays if k.startswith(start)}
        for number in range(1, values["masks"] + 1):
            packed = [arrays[f"mask/{number}/{index}"] for index in range(len(self.weights))]
            self.masks.append(list(map(_unpacked, packed, self.weights)))

    def commit(self):
        """Remember rows, masks and the trained state, all at once."""
        arrays = {f"trained/{key}": value for key, value in self.trained.items()}
        for number, masks in enumerate(self.masks[1:], 1):
            for index, keep in enumerate(masks):
                arrays[f"mask/{number}/{index}"] = np.packbits(keep)
        values = {"rows": self.rows, "masks": len(self.masks) - 1, "random": self.random}
        self.store.save("progress", arrays, values)
        self.store.delete("backup")

    def masks_of(self, number):
        """The masks of a round: the last round's weights are pruned, unless they have been."""
        if number == len(self.masks):
            training_state.put(self.model, self.trained)
            keras.utils.set_random_seed(self.seed)
            pruner = self.pruners[number - 1]
            pruner.prune(self.model)
            kept = zip(pruner.store.keep, self.masks[-1], strict=True)
            self.masks.append([keep & before for keep, before in kept])
            self.commit()
        return self.masks[number]

    def run(self, stage, number, masks=None, place=None, mark_step=None, mark=None):
        """Train one round from the state that the model has, and evaluate it.

        Args:
            stage: Str. Names this training among those of the whole call.
            number: Int. The round.
            masks: List of bool arrays or `None`.
            place: `Place` to begin at, or `None`.
            mark_step: Int or `None`. The step at which `mark` is called.
            mark: Callable(place) or `None`.

        Returns:
            Tuple (evaluation as dict, seconds).
        """
        state = begin = None
        record = self.store.load("backup")
        if record is not None and record[1]["stage"] == stage:
            state, place = record[0], Place(**record[1]["place"])
            begin = record[1]["begin"]
        elif place is not None:
            state = training_state.take(self.model)
        callback = RoundCallback(
            self.weights, masks, place, state, self._backup_of(stage), mark_step, mark, begin
        )
        callback.set_model(self.model)
        self._train(callback, number)
        return evaluation_of(self.model, self.evaluate), callback.seconds

    def _backup_of(self, stage):
        if self.store.directory is None or self.resume == "round":
            return None

        def backup(place, begin):
            values = {"stage": stage, "place": dataclasses.asdict(place), "begin": begin}
            self.store.save("backup", training_state.take(self.model), values)

        return backup

    def _train(self, callback, number):
        optimizer = self.model.optimizer
        keras.utils.set_random_seed(self.seed)
        if number and callback.place is None:
            # The first `fit` of a process draws numbers before its first epoch, others do not.
            callback.place = Place(random=self.random or training_state.random_state())
        try:
            self.train(self.model, [callback], number)
        finally:
            callback.release()
        if not callback.fits:
            raise ValueError(
                "`train` must hand its argument `callbacks` to `model.fit`: they hold the masks. "
                f"Received: no call of fit in round {number}"
            )
        if self.model.optimizer is not optimizer:
            raise ValueError(
                "`train` must not compile the model: a round begins with a state of the optimizer. "
                f"Received: another optimizer after round {number}"
            )
        if number == 0:
            self.random = callback.first_random

    def timed_evaluation(self):
        """Evaluate the model as it is; returns the evaluation and the seconds."""
        started = time.perf_counter()
        return evaluation_of(self.model, self.evaluate), time.perf_counter() - started

    def masked(self, arrays, masks):
        """A state with the pruned weights at zero.

        Args:
            arrays: What `training_state.take` returned.
            masks: List of bool arrays.

        Returns:
            A dict of arrays; the others are those of `arrays`.
        """
        variables, values = [weight.variable for weight in self.weights], []
        for variable, keep in zip(variables, masks, strict=True):
            value = training_state.value_in(self.model, arrays, variable)
            values.append(np.where(keep, value, np.zeros_like(value)))
        return training_state.replaced(self.model, arrays, variables, values)

    def report(self, title, kept):
        """Make the `RoundsReport` of the rounds that are done."""
        size = sum(weight.size for weight in self.weights)
        paths = [weight.path for weight in self.weights]
        rounds = []
        for number, row in enumerate(self.rows):
            masks = self.masks[number]
            density = sum(int(np.count_nonzero(keep)) for keep in masks) / size
            named = dict(zip(paths, masks, strict=True))
            rounds.append(PruningRound(number, density, masks=named, **row))
        return RoundsReport(title, tuple(rounds), kept)


def _shapes(model):
    return [tuple(variable.shape) for variable in training_state.variables_of(model)]


def _unpacked(bits, weight):
    return np.unpackbits(bits, count=weight.size).reshape(weight.shape).astype(bool)
