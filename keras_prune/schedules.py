"""When: which sparsity holds at which step of training.

A step is one batch of `fit()`, or one call of `Pruner.step()`. Floats in [0, 1] are
fractions of the whole training, ints are steps: `0.5` is half of the training, `500` is
step 500, `1` is step 1 and `1.0` is the end.
"""

from keras_prune.registry import Configurable, Registry, check_sparsity

SCHEDULES = Registry("schedule")


class Schedule(Configurable):
    """Base class: a sparsity for every step, updated every now and then.

    A schedule is a pure function of the step. It counts nothing, so a training that was
    interrupted goes on as if it had not been.

    Attributes:
        learning_rate_factor: Float or `None`. What the learning rate is multiplied by at
            every update that prunes something.
        frequency: Int, float or `None`. Steps between updates.
    """

    learning_rate_factor = None
    frequency = None

    def __init__(self, begin_step, end_step, frequency):
        self.begin_step = _check_step("begin_step", begin_step)
        self.end_step = _check_step("end_step", end_step)
        self.frequency = None if frequency is None else _check_step("frequency", frequency)

    @property
    def target(self):
        """Float or `None`. The sparsity in the end, where the schedule itself names one."""
        raise NotImplementedError(f"`{type(self).__name__}` must implement `target`.")

    def check_target(self, target):
        """Refuse a sparsity in the end that this schedule cannot lead to."""

    def sparsity(self, step, total_steps, target):
        """The sparsity that an update at `step` sets.

        Args:
            step: Int. Optimizer steps done.
            total_steps: Int or `None`. Steps of the whole training, where known.
            target: Float. The sparsity in the end, for a schedule that names none.

        Returns:
            A float in [0, 1).
        """
        raise NotImplementedError(f"`{type(self).__name__}` must implement `sparsity`.")

    def last_update(self, step, total_steps=None):
        """The latest step, not after `step`, at which masks are updated; `None` before the first.

        Updates stand at begin, begin + frequency, ... and always at the end.
        """
        begin, end, every = self.resolve(total_steps)
        if step < begin:
            return None
        if end is not None and step >= end:
            return end
        return begin + (step - begin) // every * every

    def resolve(self, total_steps=None):
        """Turn fractions into steps.

        Args:
            total_steps: Int or `None`. Steps of the whole training, where known.

        Returns:
            Tuple of ints (begin, end, frequency). `end` is `None` for "never".

        Raises:
            ValueError: If a fraction meets a training of unknown length, or the end comes
                before the begin.
        """
        begin = self._steps("begin_step", total_steps)
        end = None if self.end_step == -1 else self._steps("end_step", total_steps)
        if end is not None and end < begin:
            raise ValueError(
                "A schedule cannot end before it begins. Received: "
                f"begin_step={self.begin_step}, end_step={self.end_step}"
            )
        if self.frequency is not None:
            every = self._steps("frequency", total_steps)
        else:
            every = 1 if end is None else (end - begin) // 50
        return begin, end, max(1, every)

    def _steps(self, name, total_steps):
        value = getattr(self, name)
        if isinstance(value, int):
            return value
        if total_steps is None:
            raise ValueError(
                f"`{name}` is a fraction of training, and the number of steps is unknown. Give "
                "it in steps, or tell the length of training (`steps_per_epoch` of `fit`, "
                f"`total_steps` of `Pruner.attach`). Received: {name}={value}"
            )
        return int(value * total_steps + 0.5)


SCHEDULES.base = Schedule


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
        self.target_sparsity = _check_target("target_sparsity", target_sparsity)

    @property
    def target(self):
        return self.target_sparsity

    def sparsity(self, step, total_steps, target):
        return target


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
        self.final_sparsity = _check_target("final_sparsity", final_sparsity)
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
        self.step = _check_step("step", step)
        self.target_sparsity = _check_target("target_sparsity", target_sparsity)

    @property
    def target(self):
        return self.target_sparsity

    def sparsity(self, step, total_steps, target):
        return target

    def resolve(self, total_steps=None):
        step = self._steps("step", total_steps)
        return step, step, 1


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
        self.final_sparsity = _check_target("final_sparsity", final_sparsity)
        self.begin_step = _check_step("begin_step", begin_step)
        self.end_step = _check_step("end_step", end_step)
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


def _check_target(name, value):
    return None if value is None else check_sparsity(name, value)


def _check_step(name, value):
    lowest = -1 if name == "end_step" else 0
    if isinstance(value, int) and not isinstance(value, bool) and value >= lowest:
        return value
    if isinstance(value, float) and 0.0 <= value <= 1.0:
        return value
    raise ValueError(
        f"Argument `{name}` must be an int >= {lowest} (steps) or a float in [0, 1] (fraction of "
        f"training). Received: {name}={value}"
    )
