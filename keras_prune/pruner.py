"""The pruner: criterion, granularity, allocation and schedule together."""

import numpy as np

from keras_prune import backend, learning_rate, schedules
from keras_prune.allocation import ALLOCATIONS, Global, Uniform
from keras_prune.criteria import CRITERIA
from keras_prune.float_bits import count_nonzero
from keras_prune.granularity import get as _granularity
from keras_prune.layer_views import LayerViews
from keras_prune.masks import MaskStore
from keras_prune.model_outputs import output_layers
from keras_prune.pruning_report import PrunedWeight, PruningReport
from keras_prune.registry import check_sparsity
from keras_prune.weights import find_weights

DEFAULT_SPARSITY = 0.8


class Pruner:
    """Prunes a model: at once, or step by step in a training loop of one's own.

    In `fit()` use `kp.PruneCallback`, for one shot `kp.prune`; both are thin shells over
    this class.

    While a pruner is attached, pruned weights are exactly zero after every step of the
    model's Keras optimizer, whatever the loop. Where the model has no Keras optimizer (a
    loop with one of torch's own), `step()` restores the zeros. Pruned weights do not come
    back, and weights that are zero when the pruner is attached count as pruned. After
    `detach()` the zeros are free to grow.

    In a JAX loop with `stateless_apply`, read `optimizer.variables` after `attach`, and
    assign the state to the variables before `step()`, which reads and writes weights.

    Example:

    ```python
    pruner = kp.Pruner(sparsity=0.9)
    with pruner.attach(model, total_steps=1000):
        for x, y in batches:
            train_step(model, x, y)
            pruner.step()
    print(pruner.report())
    ```

    Args:
        sparsity: Float in [0, 1). The fraction of weights to set to zero. Defaults to what
            the granularity (`NM`) or the allocation (`PerLayer`) fixes, else `0.8`.
        criterion: Str or `kp.criteria.Criterion`. What matters. Defaults to `"magnitude"`.
        granularity: Str or object. The shape that lives or dies: `"unstructured"`, `"1x4"`
            or `kp.Block(1, 4)`, `"2:4"` or `kp.NM(2, 4)`, `"vector"`, `"kernel"`, `"channel"`,
            `"filter"`, `"shape"`, `"row"`, `"column"`, `"layer"`. Defaults to
            `"unstructured"`.
        allocation: Str or object. How much of each layer: `"uniform"`, `"global"`, `"erk"`,
            `"threshold"` or `kp.PerLayer(...)`. Defaults to `"uniform"`.
        schedule: Str or object. When: `"polynomial"`, `"constant"`, `"one_shot"`,
            `"iterative"` or an object. One that names its own final sparsity overrides
            `sparsity`. Defaults to `kp.PolynomialDecay()`.
        filters: Regex string, list of them, or callable(layer) -> bool. Only layers that
            match are pruned, as in `keras.Model.quantize`. Defaults to all layers.
        data: Tuple of arrays (x, y), or iterable of batches (x, y): a list,
            `tf.data.Dataset`, `keras.utils.PyDataset`. Read at each update by criteria that
            look at data, refused by those that do not. Defaults to `None`.
        seed: Int or `None`. Fixes what a criterion draws at random; `"magnitude"` draws
            nothing. Defaults to `None`.
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
    ):
        self.criterion = CRITERIA.get(criterion)
        self.granularity = _granularity(granularity)
        self.allocation = ALLOCATIONS.get(allocation)
        self.schedule = schedules.SCHEDULES.get(schedule or "polynomial")
        self.filters = filters
        self.data = data
        if seed is not None:
            self.criterion = self.criterion.with_seed(seed)
        self.sparsity = self._resolve_sparsity(sparsity)
        self.model = None
        self.store = None
        self.probe = None
        self._check()

    def _resolve_sparsity(self, sparsity):
        asked = sparsity if self.schedule.target is None else self.schedule.target
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

    def _check(self):
        self.schedule.check_target(self.sparsity)
        self.criterion.check_data(self.data)
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

    def prune(self, model):
        """Prune a model at once, to the full sparsity.

        Args:
            model: Built `keras.Model`. Its weights change in place.

        Returns:
            A `PruningReport`.
        """
        backend.sync_state(model)
        self.weights = self._find(model)
        self.probe = self.criterion.probe(model, self.data)
        self.store = MaskStore(self._active())
        self.store.recover()
        self._prune_to(self.sparsity)
        return self.report()

    def attach(self, model, total_steps=None, initial_step=0, optimizer=None):
        """Take charge of a model's zeros until `detach`.

        Args:
            model: Built `keras.Model`.
            total_steps: Int or `None`. Steps of the whole training, from step 0 on. Needed
                by schedules in fractions of training. Defaults to `None`.
            initial_step: Int or `None`. Steps done already, when training goes on. `None`
                leaves the begin to a call of `start`. Defaults to `0`.
            optimizer: `keras.optimizers.Optimizer` or `None`. Defaults to the one that the
                model is compiled with, if it is.

        Returns:
            The pruner, also as a context manager that detaches.
        """
        self.schedule.resolve(total_steps)
        weights = self._find(model)
        self.probe = self.criterion.probe(model, self.data)
        optimizer = optimizer or getattr(model, "optimizer", None)
        if self.schedule.learning_rate_factor is not None and optimizer is not None:
            learning_rate.check(optimizer)
        self.detach()
        self.model, self.weights, self.total_steps = model, weights, total_steps
        self._amounts = [0.0] * len(self._active())
        if optimizer is not None and not optimizer.built:
            optimizer.build(model.trainable_variables)
        self.store = MaskStore(self._active(), optimizer)
        if initial_step is not None:
            self.start(initial_step)
        return self

    def start(self, step):
        """Begin at a step: the zeros of the weights are the masks, then `update`."""
        backend.sync_state(self.model)
        self._step = step
        self._updated = None
        self.store.recover()
        self.update(step)

    def step(self):
        """Count one optimizer step of a training loop of one's own, and prune if it is time."""
        self._step += 1
        self.update(self._step)
        if self.store.optimizer is None:
            self.store.project()

    def update(self, step):
        """Prune to the sparsity that the schedule sets at a step, if an update is due.

        Args:
            step: Int. Optimizer steps done.
        """
        due = self.schedule.last_update(step, self.total_steps)
        if due == self._updated:
            return
        backend.sync_state(self.model)
        before = self.store.sparsity
        self._prune_to(self.schedule.sparsity(due, self.total_steps, self.sparsity))
        factor, optimizer = self.schedule.learning_rate_factor, self.store.optimizer
        if factor is not None and optimizer is not None and self.store.sparsity > before:
            learning_rate.scale(optimizer, factor)
        self._updated = due

    def detach(self):
        """Let go of the model: no masks, no constraints; the zeros stay until trained."""
        if self.store is not None:
            self.store.detach()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.detach()

    def report(self):
        """What was asked and what holds now.

        Returns:
            A `PruningReport`.
        """
        active = self._active()
        asked = self._asked(active)
        total = self.sparsity
        if self.allocation.sparsity is not None or self.allocation.ceiling:
            sizes = [weight.size for weight in active]
            total = float(np.average(asked, weights=sizes))
        shares = dict(zip(map(id, active), asked, strict=True))
        rows = (self._describe(weight, shares.get(id(weight))) for weight in self.weights)
        return PruningReport(tuple(rows), total)

    def _asked(self, active):
        """Sparsity asked of each weight that is pruned, `None` where only of all together."""
        if self.allocation.ceiling:
            return self._amounts
        return self.allocation.asked(active, self.sparsity)

    def _find(self, model):
        weights = find_weights(model, self.filters)
        for weight in weights:
            if weight.skip is None:
                weight.skip = self.granularity.skip(self._view_shape(weight))
        if self.granularity.takes_outputs:
            _spare_outputs(model, [weight for weight in weights if weight.skip is None])
        if all(weight.skip for weight in weights):
            reasons = {weight.path: weight.skip for weight in weights}
            raise ValueError(f"The model has no weight that can be pruned. Received: {reasons}")
        self.allocation.check(weights, self.sparsity)
        return weights

    def _view_shape(self, weight):
        return weight.full_view_shape if self.granularity.full_view else weight.view_shape

    def _active(self):
        return [weight for weight in self.weights if weight.skip is None]

    def _prune_to(self, sparsity):
        """Score, choose and prune; what is pruned already stays so."""
        weights, store = self.store.weights, self.store
        scores = self.criterion.scores(weights, self.probe)
        views = LayerViews(weights, scores, store.keep, self.granularity.full_view)
        self._amounts = self.allocation.amounts(views, self.granularity, sparsity, weights)
        for index, amount in enumerate(self._amounts):  # one kernel in memory at a time
            keep = self.granularity.select(*views[index], amount)
            store.assign(index, weights[index].from_view(keep))

    def _describe(self, weight, asked):
        pruned = weight.skip is None
        return PrunedWeight(
            path=weight.path,
            shape=weight.shape,
            granularity=repr(self.granularity) if pruned else None,
            asked=asked,
            achieved=1.0 - count_nonzero(weight.variable) / weight.size,
            size=weight.size,
            slack=self.granularity.slack(self._view_shape(weight)) if pruned else 0,
            skip=weight.skip,
        )


def _spare_outputs(model, weights):
    """Skip the kernels that make a model's outputs, unless there are no others."""
    layers = output_layers(model)
    making = [weight for weight in weights if id(weight.layer) in layers]
    if len(making) < len(weights):
        for weight in making:
            weight.skip = "makes the model's outputs, which must all stay"


def prune(
    model,
    sparsity,
    criterion="magnitude",
    granularity="unstructured",
    allocation="uniform",
    filters=None,
    data=None,
    seed=None,
):
    """Set the least important weights of a model to zero, in one shot and in place.

    The zeros are plain values: a later `fit()` lets them grow again, unless it has a
    `kp.PruneCallback`, which takes the zeros it finds for pruned weights.

    Example:

    ```python
    report = kp.prune(model, 0.8)
    print(report)
    ```

    Args:
        model: Built `keras.Model`.
        sparsity: Float in [0, 1), or `None` for what the granularity (`NM`) or the allocation
            (`PerLayer`) fixes.
        criterion: Str or object, see `kp.Pruner`. Defaults to `"magnitude"`.
        granularity: Str or object, see `kp.Pruner`. Defaults to `"unstructured"`.
        allocation: Str or object, see `kp.Pruner`. Defaults to `"uniform"`.
        filters: Regex string, list of them, or callable(layer) -> bool. Defaults to all
            layers.
        data: Tuple of arrays (x, y) or iterable of batches (x, y), for criteria that look at
            data; refused by those that do not. Defaults to `None`.
        seed: Int or `None`. Fixes what a criterion draws at random.

    Returns:
        A `kp.PruningReport`: per weight what was asked, what was achieved or why it was
        skipped.

    Raises:
        ValueError: If an argument is wrong, the model is not built, or nothing in it can
            be pruned.
    """
    pruner = Pruner(
        sparsity,
        criterion=criterion,
        granularity=granularity,
        allocation=allocation,
        filters=filters,
        data=data,
        seed=seed,
    )
    return pruner.prune(model)
