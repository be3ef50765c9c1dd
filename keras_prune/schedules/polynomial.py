"""PolynomialDecay: sparsity that rises to its end."""

from keras_prune.registry import check_sparsity
from keras_prune.schedules.schedule import SCHEDULES, Schedule, check_target


@SCHEDULES.register("polynomial")
class PolynomialDecay(Schedule):
    """Sparsity that rises fast at first and slowly in the end.

    s = s_f + (s_i - s_f) * (1 - (t - begin) / (end - begin)) ** power, from
    [Zhu & Gupta, 2017](https://arxiv.org/abs/1710.01878), equation 1. The arguments are
    TFMOT's, plus fractions of training. The defaults prune over the first 70 % of training
    and leave the rest to recover.

    Example:

    ```python
    kp.PruneCallback(0.9, schedule=kp.PolynomialDecay(begin_step=0.1, end_step=0.8))
    ```

    Args:
        initial_sparsity: Float in [0, 1). Sparsity at `begin_step`. Defaults to `0.0`.
        final_sparsity: Float in [0, 1). Sparsity from `end_step` on. Defaults to the
            pruner's `sparsity`.
        begin_step: Int (steps) or float (fraction of training). Defaults to `0`.
        end_step: Int (steps) or float (fraction of training). Defaults to `0.7`.
        power: Number > 0. Defaults to `3`.
        frequency: Int or float. Steps between updates. Defaults to a fiftieth of the time
            from begin to end, at least one step.
    """

    def __init__(
        self,
        initial_sparsity=0.0,
        final_sparsity=None,
        begin_step=0,
        end_step=0.7,
        power=3,
        frequency=None,
    ):
        super().__init__(begin_step, end_step, frequency)
        self.initial_sparsity = check_sparsity("initial_sparsity", initial_sparsity)
        self.final_sparsity = check_target("final_sparsity", final_sparsity)
        self.power = power
        if not isinstance(power, (int, float)) or power <= 0:
            raise ValueError(f"Argument `power` must be positive. Received: power={power}")
        if end_step == -1:
            raise ValueError(f"A polynomial needs its end. Received: end_step={end_step}")

    @property
    def target(self):
        return self.final_sparsity

    def check_target(self, target):
        if self.initial_sparsity > target:
            raise ValueError(
                "Pruned weights do not come back: the sparsity cannot fall. Received: "
                f"initial_sparsity={self.initial_sparsity}, final_sparsity={target}"
            )

    def sparsity(self, step, total_steps, target):
        begin, end, _ = self.resolve(total_steps)
        if step >= end:
            return target
        left = 1.0 - max(0, step - begin) / (end - begin)
        return target + (self.initial_sparsity - target) * left**self.power
