"""The part of a callback that knows how many steps are done, and acts between them."""

import keras

from keras_prune.optimizer_variables import expect_state


class StepwiseCallback(keras.callbacks.Callback):
    """Base class: attaches something to a model's training and tells it the steps done.

    Steps follow from the epoch's number, so a training that was interrupted goes on where it
    was. Subclasses write `_attach`, `_start`, `_update`, `_end_epoch` and `_end`, and say with
    `_keeps_state` whether they save more than the weights.
    """

    # `on_train_batch_end` is left alone on purpose: on JAX a callback that overrides it makes
    # `fit` wait for every batch.

    _stage = "idle"
    _keeps_state = False

    def set_model(self, model):
        super().set_model(model)
        # A callback that restores a backup may stand before this one.
        if self._keeps_state and getattr(model, "optimizer", None) is not None:
            expect_state(model.optimizer)

    def on_train_begin(self, logs=None):
        if getattr(self.model, "optimizer", None) is None:
            raise ValueError(
                f"`{type(self).__name__}` needs a compiled model with an optimizer. "
                f"Received: model={self.model.name}"
            )
        self._steps = (self.params or {}).get("steps")
        self._total = self._steps * self.params["epochs"] if self._steps else None
        self._done = 0
        self._stage = "waiting"
        self._enter()

    def on_epoch_begin(self, epoch, logs=None):
        if self._steps:
            self._done = epoch * self._steps
        elif epoch and self._stage != "running":
            raise ValueError(
                f"`{type(self).__name__}` cannot go on in the middle of a training whose number "
                "of steps is unknown: pass `steps_per_epoch` to `fit`. "
                f"Received: initial_epoch={epoch}"
            )
        self._epoch_start = self._done
        self._advance()

    def on_train_batch_begin(self, batch, logs=None):
        self._done = self._epoch_start + batch
        self._advance()
        # Counted ahead: nothing calls us between this batch and the end of the epoch.
        self._done += getattr(self._model, "steps_per_execution", 1)
        if self._steps:
            self._done = min(self._done, self._epoch_start + self._steps)

    def on_test_begin(self, logs=None):
        if self._stage != "idle":
            self._advance()

    def on_epoch_end(self, epoch, logs=None):
        self._advance()
        if self._stage == "running":
            self._end_epoch({} if logs is None else logs)

    def on_train_end(self, logs=None):
        if self._stage == "running":
            self._end()
            self.model.train_function = None
        self._stage = "idle"

    def _advance(self):
        if self._stage == "waiting":
            self._enter()
        if self._stage == "attached":
            self._start(self._done)
            self._stage = "running"
        elif self._stage == "running":
            self._update(self._done)

    def _enter(self):
        model = self.model
        if not model.built:  # TensorFlow builds such a model with the first batch
            return
        self._attach(model)
        # A function compiled before knows nothing of what was attached.
        model.make_train_function(force=True)
        self._stage = "attached"
