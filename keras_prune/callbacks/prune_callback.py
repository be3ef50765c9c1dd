"""The callback that prunes inside `fit()`."""

import warnings

import keras
from absl import logging

from keras_prune.allocation import ALLOCATIONS
from keras_prune.callbacks.stepwise_callback import StepwiseCallback
from keras_prune.granularity import get as _granularity
from keras_prune.method import DEFAULT_SPARSITY
from keras_prune.pruner import Pruner
from keras_prune.registry import PACKAGE
from keras_prune.regrowth import REGROWTHS


@keras.saving.register_keras_serializable(PACKAGE)
class PruneCallback(StepwiseCallback):
    """Prunes a model while `fit()` trains it.

    Weights are set to zero little by little and stay exactly zero: after every optimizer
    step, in every checkpoint and evaluation, wherever the callback stands in the list. The
    model keeps its stock layers, and what is saved holds no trace of pruning but the zeros.

    By default the sparsity rises from 0 over the first 70 % of training (see
    `kp.PolynomialDecay`) and the rest of training recovers accuracy. Weights that are zero
    when training begins count as pruned; a kernel that is zero throughout counts as freshly
    initialized.

    A callback that restores older weights when training ends, as `EarlyStopping` does with
    `restore_best_weights=True`, must stand before this one, which prunes what it restores.
    Better still, let it start after the schedule's end (`start_from_epoch`).

    When training ends, `report` holds what was achieved and a warning says where it is less
    than asked, for instance after early stopping. The masks are gone then: a later `fit()`
    without the callback lets the zeros grow again.

    An interrupted training goes on with the same masks, through
    `keras.callbacks.BackupAndRestore` or through a saved model and `initial_epoch`: the step
    follows from the epoch number, the masks follow from the zeros.

    The epoch's logs, and so `History` and loggers later in the list, get `sparsity`: the
    fraction of the prunable weights that are pruned.

    Example:

    ```python
    callback = kp.PruneCallback(sparsity=0.8)
    model.fit(x, y, epochs=10, callbacks=[callback])
    print(callback.report)
    ```

    Args:
        sparsity: Float in [0, 1). The fraction of weights to set to zero. `NM` and
            `PerLayer` fix it themselves and take no other value but the default. Defaults to
            `0.8`.
        criterion: Str or `kp.criteria.Criterion`. What matters. Defaults to `"magnitude"`.
        granularity: Str or object. The shape that lives or dies: `"unstructured"`, `"1x4"`
            or `kp.Block(1, 4)`, `"2:4"` or `kp.NM(2, 4)`, `"vector"`, `"kernel"`, `"channel"`,
            `"filter"`, `"shape"`, `"row"`, `"column"`, `"layer"`; `"auto"` for what `target` runs
            fastest. Defaults to `"unstructured"`.
        allocation: Str or object. How much of each layer: `"uniform"`, `"global"`, `"erk"`,
            `"threshold"` or `kp.PerLayer(...)`. Defaults to `"uniform"`.
        schedule: Str or object. When: `"polynomial"`, `"constant"`, `"one_shot"`,
            `"iterative"` or an object such as `kp.PolynomialDecay(end_step=0.5)`. One that
            names its own final sparsity overrides `sparsity`. Defaults to
            `kp.PolynomialDecay()`.
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
            `"host"`, `"x86-avx512"`, `"aarch64"`, `"cortex-m4"`, `"hexagon"` ..., see `kp.Auto`.
            Defaults to `None`.
        quantize: `None` or `"int8"`. Whether `granularity="auto"` chooses for a float32 or an int8
            file. Defaults to `None`.
    """

    def __init__(
        self,
        sparsity=DEFAULT_SPARSITY,
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
        super().__init__()
        granularity = _granularity(granularity, target, quantize)
        allocation = ALLOCATIONS.get(allocation)
        regrowth = None if regrowth is None else REGROWTHS.get(regrowth)
        fixed = {granularity.sparsity, allocation.sparsity} != {None}
        fixed = fixed or (regrowth is not None and regrowth.sets_sparsity)
        if fixed and sparsity == DEFAULT_SPARSITY:
            sparsity = None
        self.pruner = Pruner(
            sparsity, criterion, granularity, allocation, schedule, filters, data, seed, regrowth
        )
        self.report = None

    def get_config(self):
        """The arguments that make this callback again, see `kp.Pruner.get_config`."""
        return self.pruner.get_config()

    @classmethod
    def from_config(cls, config, data=None):
        """Makes the callback that `get_config` described.

        Args:
            config: Dict.
            data: See the class. Defaults to `None`.
        """
        return cls(**config, data=data)

    @property
    def _keeps_state(self):
        return self.pruner.keeps_state

    def on_train_begin(self, logs=None):
        self.report = None
        super().on_train_begin(logs)

    def on_test_begin(self, logs=None):
        super().on_test_begin(logs)
        self._project_averages()

    def _enter(self):
        self.pruner.schedule.resolve(self._total)  # refused now, not with the first batch
        super()._enter()

    def _attach(self, model):
        self.pruner.attach(model, self._total, initial_step=None)

    def _start(self, step):
        self.pruner.start(step)

    def _update(self, step):
        self.pruner.update(step)

    def _end_epoch(self, logs):
        self._project_averages()
        logs["sparsity"] = self.pruner.store.sparsity

    def _end(self):
        # `fit` has just put moving averages into the weights, where there are some.
        self.pruner.store.project()
        self.report = self.pruner.report()
        self.pruner.detach()
        logging.info("PruneCallback: %s", self.report.summary())
        if self.report.collapsed:
            warnings.warn(self.report.collapse_warning(), stacklevel=3)
        if not self.report.reached:
            warnings.warn(self._complaint(), stacklevel=3)

    def _project_averages(self):
        if self._stage == "running" and self.pruner.store.has_averages:
            self.pruner.store.project()

    def _complaint(self):
        _, end, _ = self.pruner.schedule.resolve(self._total)
        reason = ""
        if end is not None and self._done < end:
            reason = f" Training ended at step {self._done}, the schedule ends at step {end}."
        worst = [f"{w.path} {w.achieved:.2%}" for w in self.report.pruned if not w.reached]
        return (
            f"`PruneCallback` did not reach the sparsity it was asked for.{reason} "
            f"{self.report.summary()} Received: sparsity={self.pruner.sparsity}, below it: "
            f"{', '.join(worst) or 'the total'}"
        )
