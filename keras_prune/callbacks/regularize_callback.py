"""The callback that draws weights to zero inside `fit()`."""

from keras_prune.callbacks.stepwise_callback import StepwiseCallback
from keras_prune.regularizers import get as _penalty
from keras_prune.regularizers.penalty import detach_stale


class RegularizeCallback(StepwiseCallback):
    """Adds penalties to the kernels of a model while `fit()` trains it.

    The model keeps its stock layers, whatever it was built with, and what is saved knows
    nothing of the penalties. They act in the compiled step, beside the user's own regularizers
    and constraints, and are gone when training ends. A `kp.PruneCallback` may stand before or
    after this one: its zeros hold.

    What penalties remember besides the weights is saved with the optimizer's state and restored by
    `keras.callbacks.BackupAndRestore`.

    Example:

    ```python
    callback = kp.RegularizeCallback(kp.ProximalGroupLasso("filter", 1e-3))
    model.fit(x, y, epochs=10, callbacks=[callback])
    print(kp.sparsity(model))
    ```

    Args:
        penalty: A penalty (`kp.ProximalL1`, `kp.ProximalGroupLasso`, `kp.ADMM`,
            `kp.SensitivityDriven`, `kp.PlateauPruning`, `kp.SlimmingPenalty`), a
            `keras.regularizers.Regularizer` (`kp.GroupLasso`, `keras.regularizers.L1`), or a
            list of them. Operators of a list follow one another in each step.
        filters: Regex string, list of them, or callable(layer) -> bool. Only layers that
            match, as in `keras.Model.quantize`. Defaults to all layers.
    """

    def __init__(self, penalty, filters=None):
        super().__init__()
        penalties = penalty if isinstance(penalty, (list, tuple)) else [penalty]
        if not penalties:
            raise ValueError(f"There is no penalty to add. Received: penalty={penalty}")
        self.penalties = [_penalty(single) for single in penalties]
        self.filters = filters

    @property
    def _keeps_state(self):
        return any(penalty.keeps_state for penalty in self.penalties)

    def _attach(self, model):
        detach_stale(model, self.params)
        for penalty in self.penalties:
            penalty.attach(model, self._total, initial_step=None, filters=self.filters)
            penalty.fit = self.params  # one and the same dict for all callbacks of a `fit`

    def _start(self, step):
        for penalty in self.penalties:
            penalty.start(step)

    def _update(self, step):
        for penalty in self.penalties:
            penalty.update(step)

    def _end_epoch(self, logs):
        for penalty in self.penalties:
            logs.update(penalty.end_epoch(logs))

    def _end(self):
        for penalty in self.penalties:
            penalty.finish()
        for penalty in reversed(self.penalties):
            penalty.detach()
