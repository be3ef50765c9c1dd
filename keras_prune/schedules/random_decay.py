"""RandomDecay: updates by chance, fewer and fewer."""

import functools

import numpy as np

from keras_prune.schedules.schedule import SCHEDULES, Schedule, check_step, check_target


@SCHEDULES.register("random_decay")
class RandomDecay(Schedule):
    """The full sparsity, and mask updates by chance that become rarer.

    Step i after the begin updates the masks with probability (1 + gamma * i) ** -power, and
    none does after the end: the masks are frozen from there on. That is how dynamic network
    surgery chooses when to look ([Guo et al., 2016](https://arxiv.org/abs/1608.04493), section
    3.2 and the authors' code). The draws follow from the seed alone, so an interrupted training
    goes on with the same ones.

    Example:

    ```python
    kp.PruneCallback(regrowth="dns", schedule=kp.RandomDecay(gamma=1e-4, end_step=8000))
    ```

    Args:
        gamma: Float >= 0. How fast the probability falls, per step. Defaults to `0.001`.
        power: Float >= 0. Defaults to `1`.
        begin_step: Int (steps) or float (fraction of training). Defaults to `0`.
        end_step: Int (steps) or float (fraction of training). Defaults to `0.7`; the authors
            stop after 8,000 to 14,000 steps.
        target_sparsity: Float in [0, 1). Defaults to the pruner's `sparsity`.
        seed: Int >= 0. Defaults to `0`.
    """

    def __init__(
        self, gamma=1e-3, power=1, begin_step=0, end_step=0.7, target_sparsity=None, seed=0
    ):
        for name, value in (("gamma", gamma), ("power", power)):
            if not isinstance(value, (int, float)) or isinstance(value, bool) or value < 0:
                raise ValueError(f"Argument `{name}` must be a number >= 0. Received: {value}")
        if end_step == -1:
            raise ValueError(f"Random updates need their end. Received: end_step={end_step}")
        if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
            raise ValueError(f"Argument `seed` must be an int >= 0. Received: seed={seed}")
        self.gamma = gamma
        self.power = power
        self.begin_step = check_step("begin_step", begin_step)
        self.end_step = check_step("end_step", end_step)
        self.target_sparsity = check_target("target_sparsity", target_sparsity)
        self.seed = seed

    @property
    def target(self):
        return self.target_sparsity

    def sparsity(self, step, total_steps, target):
        return target

    def last_update(self, step, total_steps=None):
        begin, end, _ = self.resolve(total_steps)
        if step < begin:
            return None
        if end == begin:
            return begin
        last = _last_updates(self.gamma, self.power, self.seed, end - begin)
        return begin + int(last[min(step, end - 1) - begin])


@functools.lru_cache(maxsize=8)
def _last_updates(gamma, power, seed, steps):
    """For every step after the begin the last one that updates the masks; the first does."""
    chances = (1.0 + gamma * np.arange(steps)) ** -float(power)
    draws = np.random.default_rng(seed).random(steps) < chances
    return np.maximum.accumulate(np.where(draws, np.arange(steps), 0))
