"""PlateauPruning: whenever training gets no better, prune what the loss tolerates."""

import numpy as np

from keras_prune import backend
from keras_prune.granularity import get as _granularity
from keras_prune.pruner import Pruner
from keras_prune.regularizers.penalty import PENALTIES, Penalty, check_strength
from keras_prune.regularizers.tolerance import check_search, held_out_loss, largest_tolerated


@PENALTIES.register()
class PlateauPruning(Penalty):
    """Prunes the smallest weights each time that the loss on held-out data stops falling.

    After `patience` epochs without a better loss, and when training ends, the largest threshold
    is sought with which the loss stays below best + tolerance * |best|, see
    `kp.prune_to_tolerance`, and the weights below it are pruned and stay so. Training goes on
    with the rest, and again. `best` is the lowest loss of the whole training, so the tolerance
    does not add up.

    The usual partner of `kp.SensitivityDriven`, which makes weights small that can go, and the
    rule of the program of [Tartaglione et al., 2022](https://arxiv.org/abs/2011.09905).
    In a loop of one's own call `end_epoch({})` after each epoch and `finish()` in the end.

    Example:

    ```python
    penalties = [
        kp.SensitivityDriven(1e-4, "loss"),
        kp.PlateauPruning((x_held_out, y_held_out), patience=3),
    ]
    model.fit(x, y, epochs=50, callbacks=[kp.RegularizeCallback(penalties)])
    ```

    Args:
        validation_data: Tuple (x, y) or (x, y, sample_weight), `tf.data.Dataset` or
            `keras.utils.PyDataset`, as for `fit()`. Evaluated once each epoch.
        tolerance: Float >= 0. By what fraction of the best loss it may get worse. Defaults to
            `0.05`.
        patience: Int >= 1. Epochs without a better loss. Defaults to `5`.
        min_delta: Float >= 0. A loss is better if it is lower by more than this. Defaults to
            `1e-4`, as in `keras.callbacks.ReduceLROnPlateau`.
        granularity: Str or `Granularity`. Defaults to `"unstructured"`.
        evaluations: Int >= 1. How often the model is evaluated at most in one search. Defaults
            to `12`.

    Attributes:
        reports: List of `ToleranceReport`, one for each time.
    """

    def __init__(
        self,
        validation_data,
        tolerance=0.05,
        patience=5,
        min_delta=1e-4,
        granularity="unstructured",
        evaluations=12,
    ):
        check_search(validation_data, tolerance, evaluations)
        if not isinstance(patience, int) or isinstance(patience, bool) or patience < 1:
            raise ValueError(
                f"Argument `patience` must be an int >= 1. Received: patience={patience}"
            )
        self.validation_data = validation_data
        self.tolerance = float(tolerance)
        self.patience = patience
        self.min_delta = check_strength("min_delta", min_delta)
        self.granularity = _granularity(granularity)
        self.evaluations = evaluations
        self.pruner = Pruner(0.0, "magnitude", self.granularity, "global", "one_shot")
        self.reports = []

    def __repr__(self):
        return f"PlateauPruning(tolerance={self.tolerance}, patience={self.patience})"

    def _enter(self, filters, total_steps):
        if not self.model.compiled:
            raise ValueError(
                "The loss on held-out data needs a compiled model. "
                f"Received: model={self.model.name}"
            )
        self.pruner.filters = filters
        self.pruner.attach(self.model, initial_step=None, optimizer=self.optimizer)
        self.weights = self.pruner.store.weights
        self.best, self.waited, self.reports = float("inf"), 0, []

    def _leave(self):
        self.pruner.detach()

    def _begin(self, step):
        backend.sync_state(self.model)
        self.pruner.store.recover()

    def end_epoch(self, logs):
        del logs
        backend.sync_state(self.model)
        store = self.pruner.store
        if store.has_averages:
            store.project()
        loss = held_out_loss(self.model, self.validation_data)
        self.waited = 0 if loss < self.best - self.min_delta else self.waited + 1
        self.best = min(self.best, loss)
        if self.waited >= self.patience:
            self.waited = 0
            self._prune()
        return {"sparsity": store.sparsity}

    def _prune(self):
        allowed = self.best + self.tolerance * abs(self.best)
        report = largest_tolerated(
            self.model, self.pruner, self.validation_data, allowed, self.evaluations
        )
        self.reports.append(report)

    def finish(self):
        self.pruner.store.project()  # `fit` has just put averages into the weights
        if self.best < float("inf"):
            self._prune()

    def state(self):
        return {"best": np.float64(self.best), "waited": np.int64(self.waited)}

    def restore(self, state):
        self.best, self.waited = float(state["best"]), int(state["waited"])
