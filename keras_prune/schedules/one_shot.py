"""OneShot: the full sparsity at one step."""

from keras_prune.schedules.schedule import SCHEDULES, Schedule, check_step, check_target


@SCHEDULES.register("one_shot")
class OneShot(Schedule):
    """The full sparsity at one step, nothing before.

    Train dense, prune once, retrain what is left. Masks are chosen at that step alone.

    Example:

    ```python
    kp.PruneCallback(0.8, schedule=kp.OneShot(0.5))     # half-way through training
    ```

    Args:
        step: Int (steps) or float (fraction of training). Defaults to `0`.
        target_sparsity: Float in [0, 1). Defaults to the pruner's `sparsity`.
    """

    def __init__(self, step=0, target_sparsity=None):
        self.step = check_step("step", step)
        self.target_sparsity = check_target("target_sparsity", target_sparsity)

    @property
    def target(self):
        return self.target_sparsity

    def sparsity(self, step, total_steps, target):
        return target

    def resolve(self, total_steps=None):
        step = self._steps("step", total_steps)
        return step, step, 1
