"""ConstantSparsity: the full sparsity from one step on."""

from keras_prune.schedules.schedule import SCHEDULES, Schedule, check_target


@SCHEDULES.register("constant")
class ConstantSparsity(Schedule):
    """The full sparsity from one step on.

    Pruned weights stay pruned, so later updates find nothing to change unless weights were
    assigned meanwhile. The arguments are TFMOT's.

    Example:

    ```python
    kp.PruneCallback(schedule=kp.ConstantSparsity(0.9, begin_step=0.25))
    ```

    Args:
        target_sparsity: Float in [0, 1). Defaults to the pruner's `sparsity`.
        begin_step: Int (steps) or float (fraction of training). Defaults to `0`.
        end_step: Int, float, or `-1` for never. Defaults to `-1`.
        frequency: Int or float. Steps between updates. Defaults to `100`.
    """

    def __init__(self, target_sparsity=None, begin_step=0, end_step=-1, frequency=100):
        super().__init__(begin_step, end_step, frequency)
        self.target_sparsity = check_target("target_sparsity", target_sparsity)

    @property
    def target(self):
        return self.target_sparsity

    def sparsity(self, step, total_steps, target):
        return target
