"""Iterative: rounds of pruning and training."""

from keras_prune.schedules.schedule import SCHEDULES, Schedule, check_step, check_target


@SCHEDULES.register("iterative")
class Iterative(Schedule):
    """Rounds of pruning, each followed by training of what is left.

    Round r of R leaves a density of (1 - s_f) ** (r / R): every round prunes the same
    fraction of what the last one left, as in
    [Han et al., 2015](https://arxiv.org/abs/1506.02626) and the lottery ticket experiments.
    The rounds stand at equal distances, the first at `begin_step`, the last at `end_step`.

    A `learning_rate_factor` multiplies the optimizer's learning rate at every round, in
    `kp.PruneCallback` and in `kp.Pruner` where it is attached with a Keras optimizer. A round
    that finds nothing left to prune changes nothing, so a resumed training, whose optimizer
    brings its learning rate along, does not count a round twice.

    Example:

    ```python
    kp.PruneCallback(0.9, schedule=kp.Iterative(rounds=4, learning_rate_factor=0.5))
    ```

    Args:
        rounds: Int >= 1. Defaults to `5`.
        final_sparsity: Float in [0, 1). Sparsity from the last round on. Defaults to the
            pruner's `sparsity`.
        begin_step: Int (steps) or float (fraction of training). Defaults to `0.2`.
        end_step: Int (steps) or float (fraction of training). Defaults to `0.7`.
        learning_rate_factor: Float in (0, 1], or `None` to leave the learning rate alone;
            Han et al. take 0.1 once. Defaults to `None`.
    """

    def __init__(
        self,
        rounds=5,
        final_sparsity=None,
        begin_step=0.2,
        end_step=0.7,
        learning_rate_factor=None,
    ):
        if not isinstance(rounds, int) or isinstance(rounds, bool) or rounds < 1:
            raise ValueError(f"Argument `rounds` must be an int >= 1. Received: rounds={rounds}")
        factor = learning_rate_factor
        if factor is not None and not (isinstance(factor, (int, float)) and 0.0 < factor <= 1.0):
            raise ValueError(
                "Argument `learning_rate_factor` must be a number in (0, 1] or None. "
                f"Received: learning_rate_factor={factor}"
            )
        if end_step == -1:
            raise ValueError(f"The last round needs its step. Received: end_step={end_step}")
        self.rounds = rounds
        self.final_sparsity = check_target("final_sparsity", final_sparsity)
        self.begin_step = check_step("begin_step", begin_step)
        self.end_step = check_step("end_step", end_step)
        self.learning_rate_factor = factor

    @property
    def target(self):
        return self.final_sparsity

    def sparsity(self, step, total_steps, target):
        begun = sum(start <= step for start in self._starts(total_steps))
        return target if begun == self.rounds else 1.0 - (1.0 - target) ** (begun / self.rounds)

    def last_update(self, step, total_steps=None):
        return max((start for start in self._starts(total_steps) if start <= step), default=None)

    def resolve(self, total_steps=None):
        begin, end, _ = super().resolve(total_steps)
        if self.rounds == 1:
            return begin, begin, 1
        if end - begin < self.rounds - 1:
            raise ValueError(
                f"{self.rounds} rounds of pruning do not fit between steps {begin} and {end}. "
                f"Received: rounds={self.rounds}"
            )
        return begin, end, (end - begin) // (self.rounds - 1)

    def _starts(self, total_steps):
        """The steps at which the rounds begin."""
        begin, end, _ = self.resolve(total_steps)
        gaps = max(1, self.rounds - 1)
        return [begin + (end - begin) * index // gaps for index in range(self.rounds)]
