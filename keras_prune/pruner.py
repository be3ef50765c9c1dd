"""The pruner: criterion, granularity, allocation and schedule together."""

import warnings

import keras
import numpy as np

from keras_prune import backend, learning_rate
from keras_prune.analysis.collapse import collapse_after_pruning
from keras_prune.coupled_filters import CoupledFilters
from keras_prune.float_bits import count_nonzero
from keras_prune.gradient_sums import GradientSums
from keras_prune.layer_views import choose, view_shape
from keras_prune.masks import MaskStore
from keras_prune.method import Method
from keras_prune.optimizer_variables import forget_state, keep_state
from keras_prune.packed_masks import PackedMasks
from keras_prune.pruning_report import PrunedWeight, PruningReport
from keras_prune.registry import PACKAGE
from keras_prune.regrowth import MaskUpdate


@keras.saving.register_keras_serializable(PACKAGE)
class Pruner(Method):
    """Prunes a model: at once, or step by step in a training loop of one's own.

    In `fit()` use `kp.PruneCallback`, for one shot `kp.prune`; both are thin shells over
    this class.

    While a pruner is attached, pruned weights are exactly zero after every step of the
    model's Keras optimizer, whatever the loop. Where the model has no Keras optimizer (a
    loop with one of torch's own), `step()` restores the zeros. Pruned weights do not come
    back unless there is a `regrowth`, and weights that are zero when the pruner is attached
    count as pruned. After `detach()` the zeros are free to grow.

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
            `"filter"`, `"shape"`, `"row"`, `"column"`, `"layer"`; `"auto"` for what `target` runs
            fastest. Defaults to `"unstructured"`.
        allocation: Str or object. How much of each layer: `"uniform"`, `"global"`, `"erk"`,
            `"threshold"` or `kp.PerLayer(...)`. Defaults to `"uniform"`.
        schedule: Str or object. When: `"polynomial"`, `"constant"`, `"one_shot"`,
            `"iterative"` or an object. One that names its own final sparsity overrides
            `sparsity`. Defaults to `kp.PolynomialDecay()`.
        filters: Regex string, list of them, or callable(layer) -> bool. Only layers that
            match are pruned, as in `keras.Model.quantize`. Defaults to all layers.
        data: Tuple of arrays (x, y), or iterable of batches (x, y): a list,
            `tf.data.Dataset`, `keras.utils.PyDataset`. Read at each update by criteria that
            look at data, and by RigL; refused by all others. Defaults to `None`.
        seed: Int or `None`. Fixes what is drawn at random; `"magnitude"` draws nothing.
            Defaults to `None`.
        regrowth: Str or object. How pruned weights may come back: `"ste"`, `"soft"`, `"rigl"`,
            `"set"`, `"dns"` or an object. `"dns"` sets the sparsity itself and takes no other
            value but the default. Defaults to `None`: they do not.
        target: Str or `None`. The device whose kernels `granularity="auto"` chooses for:
            `"x86-avx512"`, `"x86-avx2"`, `"aarch64"`, `"cortex-m4"`, `"hexagon"` ..., see
            `kp.Auto`. Defaults to `None`.
        quantize: `None` or `"int8"`. Whether `granularity="auto"` chooses for a float32 or an int8
            file. Defaults to `None`.
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
        super().__init__(
            sparsity,
            criterion,
            granularity,
            allocation,
            schedule,
            filters,
            data,
            seed,
            regrowth,
            target,
            quantize,
        )
        self.model = None
        self.store = None
        self.probe = None
        self._sums = None

    def prune(self, model):
        """Prune a model at once, to the full sparsity.

        Args:
            model: Built `keras.Model`. Its weights change in place.

        Returns:
            A `PruningReport`.
        """
        if self.sets_sparsity:
            raise ValueError(
                f"{self.regrowth!r} works while a model trains: use it in `PruneCallback` or in "
                f"`Pruner.attach`. Received: model={model.name}"
            )
        backend.sync_state(model)
        self.model, self.weights = model, self.find(model)
        self.probe = self.criterion.probe(model, self.data)
        self.store = self._make_store()
        self.store.recover()
        self._prune_to(self.sparsity)
        report = self.report()
        if report.collapsed:
            warnings.warn(report.collapse_warning(), stacklevel=3)
        return report

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
        weights = self.find(model)
        probe = self.criterion.probe(model, self.data)
        optimizer = optimizer or getattr(model, "optimizer", None)
        if self.schedule.learning_rate_factor is not None and optimizer is not None:
            learning_rate.check(optimizer)
        if self.criterion.accumulates and optimizer is None:
            raise ValueError(
                f"{self.criterion!r} needs a Keras optimizer, whose gradients it adds up. "
                f"Received: model={model.name}, optimizer=None"
            )
        self.detach()
        self.model, self.weights, self.total_steps = model, weights, total_steps
        self.probe = probe
        self._amounts = [0.0] * len(self._active())
        self._memory, self._updated, self._restored = {}, None, False
        if optimizer is not None and not optimizer.built:
            optimizer.build(model.trainable_variables)
        self.store = self._make_store(optimizer)
        if self.criterion.accumulates:
            self._sums = GradientSums(self._active(), optimizer, self.criterion.term)
            self.probe = self._sums
        if self.regrowth is not None:
            self._growth_probe = self.regrowth.probe(model, self.data)
        if optimizer is not None and self.keeps_state:
            keep_state(optimizer, self)
        if initial_step is not None:
            self.start(initial_step)
        return self

    def _make_store(self, optimizer=None):
        """Find the filters that are coupled, and attach the masks."""
        weights = self._active()
        coupled = self.granularity.coupled
        self._coupled = CoupledFilters.find(self.model, weights) if coupled else None
        if self.regrowth is not None:  # what may come back goes on emitting what it learned
            return MaskStore(weights, optimizer, self.regrowth.keeps_values)
        return MaskStore(weights, optimizer, offsets=self._coupled.offsets if self._coupled else ())

    def start(self, step):
        """Begin at a step: the zeros of the weights are the masks, then `update`.

        Where `restore` has brought masks and more, it goes on with these.
        """
        backend.sync_state(self.model)
        self._step = step
        self._iterations = self._keras_steps()
        if not self._restored:
            if step > 0 and self.keeps_state:
                warnings.warn(
                    "This training goes on without what its masks remember besides the zeros of "
                    "the weights: `keras.callbacks.BackupAndRestore` or `Pruner.restore` bring it "
                    f"back. Received: step={step}",
                    stacklevel=2,
                )
            self._updated = None
            # Shapes that take whole kernels leave some empty where a training goes on.
            self.store.recover(emptied=self.granularity.expendable and step > 0)
            self._recognize(step)
        self.update(step)

    def _recognize(self, step):
        """Take an update that an earlier training made for done, where a second would not do.

        Where the weights decide how many of them go, they decide anew at every update.
        """
        due = self.schedule.last_update(step, self.total_steps)
        if self.allocation.ceiling and due is not None and due < step and self.store.sparsity:
            pairs = zip(self.store.keep.kept, self.store.weights, strict=True)
            self._amounts = [1.0 - kept / weight.size for kept, weight in pairs]
            self._updated = due

    def step(self):
        """Count one optimizer step of a training loop of one's own, and prune if it is time."""
        self._step += 1
        before, self._iterations = self._iterations, self._keras_steps()
        if self._iterations == before:  # whoever made the step knows nothing of masks
            self.store.learn()
        self.update(self._step)

    def _keras_steps(self):
        """Int. Steps that the optimizer that carries the masks has made; 0 without one."""
        optimizer = self.store.optimizer
        return 0 if optimizer is None else int(keras.ops.convert_to_numpy(optimizer.iterations))

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
        self._update_masks(due, self.schedule.sparsity(due, self.total_steps, self.sparsity))
        factor, optimizer = self.schedule.learning_rate_factor, self.store.optimizer
        if factor is not None and optimizer is not None and self.store.sparsity > before:
            learning_rate.scale(optimizer, factor)
        self._updated = due

    def _update_masks(self, due, sparsity):
        if self.regrowth is None:
            self._prune_to(sparsity)
            return
        begin, end, _ = self.schedule.resolve(self.total_steps)
        self.regrowth.update(
            MaskUpdate(
                step=due,
                progress=(due - begin) / (end - begin) if end is not None and end > begin else 0.0,
                store=self.store,
                granularity=self.granularity,
                prune=lambda revive: self._prune_to(sparsity, revive),
                probe=self._growth_probe,
                memory=self._memory,
            )
        )

    @property
    def keeps_state(self):
        """Bool. Whether more than the zeros of the weights must be saved to go on."""
        return self.regrowth is not None or self.criterion.accumulates

    def state(self):
        """Everything that a training needs to go on, besides weights and optimizer.

        With a Keras optimizer it is saved and restored with the optimizer, in `.weights.h5`
        and `.keras` files, wherever there is more than the zeros of the weights. Loops that
        save otherwise save this.

        Returns:
            A dict of numpy arrays.
        """
        backend.sync_state(self.model)
        return self._arrays()

    def _arrays(self):
        state = self.store.state()
        state.update({f"memory/{key}": value for key, value in self._memory.items()})
        state.update(self._sums.state() if self._sums is not None else {})
        state["updated"] = np.int64(-1 if self._updated is None else self._updated)
        return state

    def restore(self, state):
        """Go on from what `state` returned: call it between `attach` and `start`.

        Args:
            state: Dict of arrays.

        Raises:
            ValueError: If it is not of this pruner and model.
        """
        expected = {key: np.shape(value) for key, value in self._arrays().items()}
        for key, shape in expected.items():
            if key not in state or np.shape(state[key]) != shape:
                raise ValueError(
                    "The state to restore is that of another pruner or model. Received: "
                    f"{key} of shape {np.shape(state[key]) if key in state else None}, "
                    f"expected {shape}"
                )
        self.store.restore(state)
        if self._sums is not None:
            self._sums.restore(state)
        prefix = "memory/"
        self._memory = {k.removeprefix(prefix): state[k] for k in state if k.startswith(prefix)}
        updated = int(state["updated"])
        self._updated = None if updated < 0 else updated
        self._restored = True

    def detach(self):
        """Let go of the model: no masks, no constraints; the zeros stay until trained."""
        if self.store is None:
            return
        if self.store.optimizer is not None:
            forget_state(self.store.optimizer, self)
        if self._sums is not None:
            self._sums.detach()
            self._sums = None
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
        if self.allocation.sparsity is not None or self.allocation.ceiling or self.sets_sparsity:
            sizes = [weight.size for weight in active]
            total = float(np.average(asked, weights=sizes))
        shares = dict(zip(map(id, active), asked, strict=True))
        rows = (self._describe(weight, shares.get(id(weight))) for weight in self.weights)
        collapsed = collapse_after_pruning(self.model, self.store.weights, self.store.keep)
        return PruningReport(tuple(rows), total, collapsed)

    def _asked(self, active):
        """Sparsity asked of each weight that is pruned, `None` where only of all together."""
        if self.sets_sparsity:
            pairs = zip(self.store.keep.kept, active, strict=True)
            return [1.0 - kept / weight.size for kept, weight in pairs]
        if self.allocation.ceiling:
            return self._amounts
        return self.allocation.asked(active, self.sparsity)

    def _active(self):
        return [weight for weight in self.weights if weight.skip is None]

    def _prune_to(self, sparsity, revive=False):
        """Score, choose and prune; what is pruned already stays so, unless it may revive."""
        weights, store = self.store.weights, self.store
        alive = PackedMasks(weight.shape for weight in weights) if revive else store.keep
        scores = self._scores(weights, alive)
        if self._coupled is not None:
            scores = self._coupled.share(weights, scores, alive, self.granularity)
        self._amounts, masks = choose(
            weights, scores, alive, self.granularity, self.allocation, sparsity
        )
        # One kernel in memory at a time; scores that are computed when they are read see the
        # zeros of the kernels before.
        for index, keep in enumerate(masks):
            store.assign(index, keep)
        if store.offsets is not None:
            for index, keep in enumerate(self._coupled.keep_offsets(weights, store.keep)):
                store.offsets.assign(index, keep)

    def _scores(self, weights, alive):
        more = {"alive": alive} if self.criterion.needs_alive else {}
        if self.criterion.needs_units:
            more["units"] = [
                weight.from_view(self._shape(weight).units(view_shape(weight, self.granularity)))
                for weight in weights
            ]
        return self.criterion.scores(weights, self.probe, **more)

    def _shape(self, weight):
        return self.granularity.of(weight)

    def _describe(self, weight, asked):
        pruned = weight.skip is None
        return PrunedWeight(
            path=weight.path,
            shape=weight.shape,
            granularity=repr(self._shape(weight)) if pruned else None,
            asked=asked,
            achieved=1.0 - count_nonzero(weight.variable) / weight.size,
            size=weight.size,
            slack=self._shape(weight).slack(view_shape(weight, self.granularity)) if pruned else 0,
            skip=weight.skip,
            note=weight.note,
        )
