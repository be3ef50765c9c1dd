"""The callback that watches the densities of one network of `train_with_activation_density`."""

from keras_prune.recipes import training_state
from keras_prune.recipes.round_callback import Place, RoundCallback


class DensityRoundCallback(RoundCallback):
    """Notes the activation densities of every epoch, and ends the training when they settle.

    Attributes:
        densities: Dict from layer names to lists of floats, one an epoch.
        totals: List of floats: the density of all activations.
        stopped: `Place` after the epoch that was the last, or `None`.

    Args:
        counted: `ActivationDensity`, before this one in the list of callbacks.
        names: List of str. The layers that are watched.
        saturated: Callable(list of lists) -> bool, or `None` to let the training run to its end.
        history: Dict with the keys "densities" and "totals" of the epochs before `place`.
        place: `Place` to go on from, or `None`.
        state: What `training_state.take` returned there, or `None`.
        begin: See `RoundCallback`.
    """

    def __init__(self, counted, names, saturated, history, place, state, begin):
        super().__init__((), None, place, state, begin=begin)
        self.counted, self.saturated = counted, saturated
        self.densities = {name: list(history["densities"].get(name, ())) for name in names}
        self.totals = list(history["totals"])
        self.stopped = None

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        if self.stopped is not None:  # the fits that follow in `train` have nothing to do
            self.model._initial_epoch = self.params["epochs"]

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        for name, values in self.densities.items():
            values.append(self.counted.counts[name].density)
        self.totals.append(self.counted.density)
        if self.saturated is not None and self.saturated([*self.densities.values()]):
            random = training_state.random_state()
            self.stopped = Place(self._fit, epoch + 1, self.steps, random, self.seconds)
            self.model.stop_training = True

    @property
    def history(self):
        """JSON-able dict of what was noted up to now."""
        return {"densities": self.densities, "totals": self.totals}
