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
        self.begin_step = check_step("begin_step", begin_step)
        self.end_step = check_step("end_step", end_step)
        self.frequency = None if frequency is None else check_step("frequency", frequency)

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


def check_target(name, value):
    return None if value is None else check_sparsity(name, value)


def check_step(name, value):
    lowest = -1 if name == "end_step" else 0
    if isinstance(value, int) and not isinstance(value, bool) and value >= lowest:
        return value
    if isinstance(value, float) and 0.0 <= value <= 1.0:
        return value
    raise ValueError(
        f"Argument `{name}` must be an int >= {lowest} (steps) or a float in [0, 1] (fraction of "
        f"training). Received: {name}={value}"
    )
