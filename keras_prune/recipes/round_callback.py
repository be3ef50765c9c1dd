"""The callback that a training in rounds hands to the `fit()` of each round."""

import dataclasses
import time

import keras

from keras_prune import backend
from keras_prune.masks import MaskStore
from keras_prune.recipes import training_state


@dataclasses.dataclass
class Place:
    """A place in the training of a round: the beginning of an epoch of one of its fits.

    Args:
        fit: Int. Calls of `fit()` before. Defaults to `0`.
        epoch: Int. Epochs of that fit before. Defaults to `0`.
        steps: Int. Optimizer steps before. Defaults to `0`.
        random: What `training_state.random_state` said there; `None` leaves the generators alone.
        seconds: Float. What the round had taken by then. Defaults to `0.0`.
    """

    fit: int = 0
    epoch: int = 0
    steps: int = 0
    random: dict | None = None
    seconds: float = 0.0


class RoundCallback(keras.callbacks.Callback):
    """Holds the masks of a round in `fit()`, remembers the place, and goes on from one.

    Args:
        weights: List of `PrunableWeight`.
        masks: List of bool arrays, or `None` for a training without masks.
        place: `Place` to go on from, or `None` for the beginning.
        state: What `training_state.take` returned at `place`, or `None` where the model has
            that state already.
        backup: Callable(place, begin) or `None`. Called at the beginning of every epoch but the
            first, also with the random state that the training began with.
        mark_step: Int or `None`. The step at which `mark` is called.
        mark: Callable(place) or `None`.
        begin: What `training_state.random_state` said as the training began, where `place` is
            later; `None` where it begins now.
    """

    # `on_train_batch_end` is left alone on purpose: on JAX a callback that overrides it makes
    # `fit` wait for every batch.

    def __init__(
        self,
        weights,
        masks=None,
        place=None,
        state=None,
        backup=None,
        mark_step=None,
        mark=None,
        begin=None,
    ):
        super().__init__()
        self.weights, self.masks = weights, masks
        self.place, self.state, self.backup = place, state, backup
        self.mark_step, self.mark = mark_step, mark
        self.fits = 0
        self.steps = 0
        self.store = None
        self.first_random = begin
        self._begun = False
        self._before = 0.0 if place is None else place.seconds
        self._started = time.perf_counter()

    @property
    def seconds(self):
        """Float. What the round has taken up to now."""
        return self._before + time.perf_counter() - self._started

    def on_train_begin(self, logs=None):
        optimizer, self._fit = self.model.optimizer, self.fits
        self.fits += 1
        start = self.place or Place()
        if self._fit == start.fit:
            if self.state is not None:
                training_state.put(self.model, self.state)
            self.steps = start.steps
        if self.masks is not None:
            self._attach(optimizer)
        # Where `fit` begins, as `keras.callbacks.BackupAndRestore` tells it. It stays with the
        # model, so it must be taken back before the next fit.
        done = self.params["epochs"] if self._fit < start.fit else None
        self.model._initial_epoch = start.epoch if self._fit == start.fit else done

    def on_epoch_begin(self, epoch, logs=None):
        first, self._begun = not self._begun, True
        if first and self.place is not None and self.place.random is not None:
            training_state.set_random_state(self.place.random)
        self._here = Place(self._fit, epoch, self.steps, training_state.random_state())
        if self.first_random is None:
            self.first_random = self._here.random
        if not first and self.backup is not None:
            self.backup(dataclasses.replace(self._here, seconds=self.seconds), self.first_random)

    def on_train_batch_begin(self, batch, logs=None):
        done = self._here.steps + batch
        if self.mark is not None and done >= self.mark_step:
            self._mark(done)
        # Counted ahead: nothing calls us between this batch and the end of the epoch.
        self.steps = done + getattr(self._model, "steps_per_execution", 1)
        if self.params.get("steps"):
            self.steps = min(self.steps, self._here.steps + self.params["steps"])

    def on_test_begin(self, logs=None):
        self._project_averages()

    def on_epoch_end(self, epoch, logs=None):
        self._project_averages()

    def on_train_end(self, logs=None):
        if self.store is not None:
            # `fit` has just put moving averages into the weights, where there are some.
            self.store.project()
        self.release()

    def release(self):
        """Let go of the model, also after a `fit()` that broke off."""
        if self.store is not None:
            self.store.detach()
            self.store = None
            self.model.train_function = None
        if self.fits:
            self.model._initial_epoch = None

    def _attach(self, optimizer):
        self.store = MaskStore(self.weights, optimizer)
        for index, keep in enumerate(self.masks):
            self.store.assign(index, keep)
        # A function compiled before knows nothing of the masks.
        self.model.make_train_function(force=True)

    def _mark(self, done):
        if done > self.mark_step:
            raise ValueError(
                "`rewind_step` falls between two steps that run as one: with "
                "`steps_per_execution` it must be a multiple of it. "
                f"Received: rewind_step={self.mark_step}, step={done}"
            )
        backend.sync_state(self.model)
        mark, self.mark = self.mark, None
        mark(self._here)

    def _project_averages(self):
        if self.store is not None and self.store.has_averages:
            self.store.project()
