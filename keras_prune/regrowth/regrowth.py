"""What regrowth is: how pruned weights may come back, and how a rule is found by its name."""

import dataclasses
from collections.abc import Callable

from keras_prune.granularity import Granularity
from keras_prune.masks import MaskStore
from keras_prune.probes import Probe
from keras_prune.registry import Configurable, Registry

REGROWTHS = Registry("regrowth")


@dataclasses.dataclass
class MaskUpdate:
    """One update of the masks, as a rule of regrowth sees it.

    Attributes:
        step: Int. The step at which the update is due.
        progress: Float in [0, 1]. How far the schedule is from its begin to its end; 0 where it
            has no end.
        store: `MaskStore`. The masks as they are.
        granularity: `Granularity`. The shape that lives or dies.
        prune: Callable(revive) that prunes to the schedule's sparsity; `revive=True` lets all
            weights compete, else those that are left.
        probe: `Probe` or `None`. Gradients, for rules that look at data.
        memory: Dict of arrays that the rule may keep from one update to the next; it is saved.
    """

    step: int
    progress: float
    store: MaskStore
    granularity: Granularity
    prune: Callable
    probe: Probe | None
    memory: dict


class Regrowth(Configurable):
    """Base class: a rule by which pruned weights come back.

    Subclasses write `update`.

    Attributes:
        keeps_values: Bool. Whether pruned weights are trained on, hidden, and come back with
            what they have learnt; else they begin at zero.
        needs_data: Bool. Whether the rule looks at data.
        sets_sparsity: Bool. Whether the rule decides on the sparsity, which nobody can ask for
            then.
        takes_windows: Bool. Whether units may compete in windows alone, as those of `NM` do.
        schedule: Str, `Schedule` or `None`. When masks are updated, where the user does not
            say; `None` for the pruner's own default.
    """

    keeps_values = False
    needs_data = False
    sets_sparsity = False
    takes_windows = True
    schedule = None

    def update(self, update):
        """Set the masks anew.

        Args:
            update: `MaskUpdate`.
        """
        raise NotImplementedError(f"`{type(self).__name__}` must implement `update`.")

    def check(self, criterion, granularity, allocation):
        """Refuse parts of a pruner that the rule does not go with."""

    def probe(self, model, data):
        """What `update` asks about a model and data; `None` where it asks nothing."""
        del model, data
        return None

    def with_seed(self, seed):
        """The rule with its random draws fixed by `seed`; itself where it draws nothing."""
        del seed
        return self


REGROWTHS.base = Regrowth
