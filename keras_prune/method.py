"""What a pruner prunes by: the parts, whether they go together, and which weights they fit."""

import keras

from keras_prune import schedules
from keras_prune.allocation import ALLOCATIONS, Global, Uniform
from keras_prune.batches import check_data
from keras_prune.criteria import CRITERIA
from keras_prune.granularity import get as _granularity
from keras_prune.registry import check_sparsity
from keras_prune.regrowth import REGROWTHS
from keras_prune.targets import find_targets

DEFAULT_SPARSITY = 0.8


class Method:
    """Criterion, granularity, allocation, schedule and regrowth together.

    The arguments are those of `kp.Pruner`, which turns them into a sparse model.
    """

    def __init__(
        self,
        sparsity=None,
        criterion="magnitude",
        granularity="unstructured",
        allocation="uniform",
        schedule=None,
        filters=None,
        data=None,
        seed=None,
        regrowth=None,
        target=None,
        quantize=None,
    ):
        self.criterion = CRITERIA.get(criterion)
        self.granularity = _granularity(granularity, target, quantize)
        self.allocation = ALLOCATIONS.get(allocation)
        self.regrowth = None if regrowth is None else REGROWTHS.get(regrowth)
        schedule = schedule or getattr(self.regrowth, "schedule", None) or "polynomial"
        self.schedule = schedules.SCHEDULES.get(schedule)
        self.filters = filters
        self.data = data
        if seed is not None:
            self.criterion = self.criterion.with_seed(seed)
            self.regrowth = self.regrowth and self.regrowth.with_seed(seed)
        self.sparsity = self._resolve_sparsity(sparsity)
        # A method that goes only a part of the way takes the shapes of the one at its end.
        self.goal = self
        self._check()

    def _resolve_sparsity(self, sparsity):
        asked = sparsity if self.schedule.target is None else self.schedule.target
        if self.sets_sparsity:
            if asked is None:
                return 0.0
            raise ValueError(
                f"{self.regrowth!r} decides on the sparsity itself: leave it out. "
                f"Received: sparsity={asked}"
            )
        source = self.granularity if self.allocation.sparsity is None else self.allocation
        fixed = source.sparsity
        if asked is None:
            return DEFAULT_SPARSITY if fixed is None else fixed
        asked = check_sparsity("sparsity", asked)
        if fixed is None:
            return asked
        if abs(asked - fixed) > 0.005:
            raise ValueError(
                f"{source!r} makes a sparsity of {fixed:.4g} and no other. "
                f"Received: sparsity={asked}"
            )
        return fixed

    @property
    def sets_sparsity(self):
        """Bool. Whether the sparsity is what comes of regrowth, and not asked for."""
        return self.regrowth is not None and self.regrowth.sets_sparsity

    def _check(self):
        self.schedule.check_target(self.sparsity)
        self._check_data()
        if self.regrowth is not None:
            self.regrowth.check(self.criterion, self.granularity, self.allocation)
        if self.criterion.scores_outputs and self.granularity.takes_inputs:
            raise ValueError(
                f"{self.criterion!r} scores the outputs of a layer, and {self.granularity!r} "
                'chooses among its inputs, which would all score the same: use "filter". '
                f"Received: granularity={self.granularity!r}"
            )
        if self.granularity.sparsity is not None and not isinstance(self.allocation, Uniform):
            raise ValueError(
                f"{self.granularity!r} gives every layer the same sparsity, so there is nothing "
                'to allocate: use allocation="uniform". Received: '
                f"allocation={self.allocation!r}"
            )
        if self.granularity.expendable and not isinstance(self.allocation, Global):
            raise ValueError(
                f"{self.granularity!r} prunes whole layers, which must compete with one another: "
                f'use allocation="global". Received: allocation={self.allocation!r}'
            )

    def _check_data(self):
        if self.regrowth is None or not self.regrowth.needs_data:
            self.criterion.check_data(self.data)
            return
        if self.data is None:
            raise ValueError(
                f"{self.regrowth!r} looks at data: pass `data`, a tuple of arrays (x, y) or an "
                "iterable of batches (x, y). Received: data=None"
            )
        check_data(self.data)

    def get_config(self):
        """The arguments that make this object again, as values that JSON can hold.

        A seed is that of the criterion and the regrowth. Data stay out: give `from_config` those
        of the new object.

        Raises:
            ValueError: If `filters` is a callable.
        """
        if callable(self.filters):
            raise ValueError(
                "A configuration holds names of layers, and no functions: pass `filters` as regex "
                f"strings. Received: filters={self.filters}"
            )
        names = ("criterion", "granularity", "allocation", "schedule", "regrowth")
        parts = {name: getattr(self, name) for name in names}
        save = keras.saving.serialize_keras_object
        parts = {name: None if part is None else save(part) for name, part in parts.items()}
        sparsity = None if self.sets_sparsity else self.sparsity
        return {"sparsity": sparsity, **parts, "filters": self.filters}

    @classmethod
    def from_config(cls, config, data=None):
        """Makes the object that `get_config` described.

        Args:
            config: Dict.
            data: See the class. Defaults to `None`.
        """
        return cls(**config, data=data)

    def find(self, model):
        """List a model's kernels with the reasons to leave some alone; refuse one without any."""

        def skip(weights):
            return self.criterion.skip(model, weights, self.data)

        weights = find_targets(model, self.filters, self.granularity, skip)
        self.allocation.check(weights, self.sparsity)
        active = [weight for weight in weights if weight.skip is None]
        goal, asked = self.goal, [None] * len(active)
        if self.regrowth is None or self.regrowth.takes_windows:
            asked = goal.allocation.asked(active, goal.sparsity)
        self.granularity.settle(active, asked, goal.sparsity)
        return weights
