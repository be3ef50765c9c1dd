"""The activation masks of joint pruning: which rates, and how a model gets them."""

import math

from keras_prune.layers.winner_take_all import WinnerTakeAll
from keras_prune.recipes.tolerance import Tolerance
from keras_prune.recipes.winner_rates import checked_rates, find_rates, layers_to_mask
from keras_prune.surgery.activation_masks import (
    activation_rates,
    attach_activation_masks,
)
from keras_prune.surgery.compiled_copy import compile_arguments, compile_like


class JointMasks:
    """Finds winner rates, attaches masks and raises rates.

    Args:
        winner_rates: Dict, float, list of floats or `None`, see `kp.joint_prune`.
        tolerance: Float >= 0.
        monitor: Str or `None`.
        mode: Str.
        evaluate: What evaluates a model.
        filters: Which layers the search masks.
        sample: See `kp.layers.WinnerTakeAll`.

    Raises:
        ValueError: If an argument is wrong.
    """

    def __init__(self, winner_rates, tolerance, monitor, mode, evaluate, filters, sample):
        searched = winner_rates is None or isinstance(winner_rates, (list, tuple))
        self.steps = checked_rates(winner_rates if searched else None)
        self.given = None if searched else winner_rates
        self.limit = Tolerance(tolerance, monitor, mode, evaluate) if searched else None
        if searched and tolerance is None:
            raise ValueError("Argument `tolerance` must be a number >= 0. Received: tolerance=None")
        self.evaluate, self.filters, self.sample = evaluate, filters, sample

    def check(self, model):
        """Refuse what the later stages would, before the first."""
        WinnerTakeAll(1.0, self.sample)
        if self.limit is None:
            attach_activation_masks(model, self.given, self.sample)
        else:
            layers_to_mask(model, self.filters)
        compile_arguments(model)

    def rates(self, model, store):
        """The rates of a model with pruned weights.

        Args:
            model: Compiled `keras.Model`.
            store: `JointStore`, which remembers what the search has found.

        Returns:
            Tuple of a `kp.WinnerRatesReport`, or `None` where rates were given, and a dict from
            names of layers to floats.
        """
        if self.limit is None:
            return None, activation_rates(model, self.given)
        found = find_rates(
            model,
            self.evaluate,
            self.limit,
            self.steps,
            self.filters,
            self.sample,
            store.seed,
            store.values["curves"],
            store.save,
        )
        return found, found.rates

    def attach(self, model, rates, seed, optimizer):
        """A copy of a model with masks, compiled likewise, or with another optimizer."""
        masked = attach_activation_masks(model, rates, self.sample, seed)
        compile_like(masked, model, optimizer)
        return masked

    def raised(self, rates):
        """The rates with those of the leading half of the masked layers one step higher."""
        masked = [name for name, rate in rates.items() if rate < 1.0]
        leading = masked[: math.ceil(len(masked) / 2)]
        steps = [1.0, *self.steps]
        return {
            name: min(step for step in steps if step > rate) if name in leading else rate
            for name, rate in rates.items()
        }
