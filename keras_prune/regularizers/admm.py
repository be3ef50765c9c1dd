"""ADMM: training and projection take turns until they agree on a sparse network."""

import warnings

import keras
import numpy as np

from keras_prune import backend, gradient_hooks, optimizer_variables
from keras_prune.criteria.data_criterion import check_positive
from keras_prune.granularity import get as _granularity
from keras_prune.layer_views import choose
from keras_prune.pruner import Pruner
from keras_prune.regularizers.energy import Energy
from keras_prune.regularizers.penalty import PENALTIES, Penalty, check_strength
from keras_prune.schedules import ConstantSparsity, OneShot


@PENALTIES.register()
class ADMM(Penalty):
    """Trains towards the nearest network of a sparsity, and prunes when training is there.

    The loss is minimized under the condition that the weights W lie in the set S of networks
    of the given sparsity, by the alternating direction method of multipliers:

        W <- argmin loss + rho / 2 * ||W - Z + U||^2      a round of training
        Z <- the nearest network in S to W + U
        U <- U + W - Z

    from Z = the nearest network in S to W and U = 0. In the end W is pruned to the nearest
    network in S, and the rest of training recovers with the zeros fixed. From
    [Zhang et al., 2018](https://arxiv.org/abs/1804.03294), equations 5 to 9. The authors'
    MNIST program takes Adam at 1e-3, 30 rounds of 5000 steps, rho = 1e-4 and as many steps of
    recovery as a training from scratch has.

    The gradient rho * (W - Z + U) is added in the optimizer, before it clips; it does not show
    in the loss that `fit` reports. `primal_residual`, ||W - Z|| / ||W||, does show in the logs
    and falls as the two come to agree. Where it does not, a larger rho helps.

    The nearest network keeps the units with the largest sum of squares of W + U, as many as
    `allocation` says. Weights that are zero when training begins stay so. When it ends, `report`
    holds what was achieved.

    Example:

    ```python
    admm = kp.ADMM(0.9, rho=1e-3)
    model.fit(x, y, epochs=20, callbacks=[kp.RegularizeCallback(admm)])
    print(admm.report)
    ```

    Args:
        sparsity: Float in [0, 1), see `kp.Pruner`. Defaults to what the granularity or the
            allocation fixes, else `0.8`.
        granularity: Str or `Granularity`. Defaults to `"unstructured"`.
        allocation: Str or `Allocation`. Defaults to `"uniform"`.
        rho: Float > 0. How strongly W is drawn to Z - U. Defaults to `1e-4`.
        rounds: Int >= 1. Updates of Z and U between begin and end, as many as steps at most.
            Where a round has too few steps for W to come near Z, U runs away. Defaults to 30,
            or as many as leave 100 steps to each.
        begin_step: Int (steps) or float (fraction of training). Defaults to `0`.
        end_step: Int (steps) or float (fraction of training). When W is pruned. Defaults to
            `0.7`.

    Attributes:
        report: `PruningReport` or `None`.
    """

    report = None

    def __init__(
        self,
        sparsity=None,
        granularity="unstructured",
        allocation="uniform",
        rho=1e-4,
        rounds=None,
        begin_step=0,
        end_step=0.7,
    ):
        if rounds is not None:
            check_positive("rounds", rounds)
        if check_strength("rho", rho) == 0.0:
            raise ValueError(f"Argument `rho` must be positive. Received: rho={rho}")
        self._schedule = ConstantSparsity(None, begin_step, end_step)
        granularity = _granularity(granularity)
        self._energy = Energy(getattr(granularity, "norm", 1))
        self.pruner = Pruner(
            sparsity, self._energy, granularity, allocation, schedule=OneShot(end_step)
        )
        self.sparsity, self.rho, self.rounds = self.pruner.sparsity, rho, rounds
        self.granularity, self.allocation = self.pruner.granularity, self.pruner.allocation
        self.begin_step, self.end_step = begin_step, end_step

    def _enter(self, filters, total_steps):
        begin, end, _ = self._schedule.resolve(total_steps)
        rounds = self.rounds or min(30, max(1, (end - begin) // 100))
        self._rounds = ConstantSparsity(None, begin, end, max(1, (end - begin) // rounds))
        self.pruner.filters, self.report = filters, None
        self.pruner.attach(self.model, total_steps, initial_step=None, optimizer=self.optimizer)
        self.weights = self.pruner.store.weights
        variables = [weight.variable for weight in self.weights]
        self._anchors = optimizer_variables.add(self.optimizer, variables, "zeros")
        # A tensor of the step, so that the pull can begin and end without compiling again.
        with backend.optimizer_scope(optimizer_variables.host(self.optimizer)):
            scalar = keras.Variable(0.0, dtype="float32", trainable=False, name="admm_rho")
        (self._rho,) = optimizer_variables.add(self.optimizer, [scalar], "zeros")
        self._hooks = [self._pull(*pair) for pair in zip(variables, self._anchors, strict=True)]
        for variable, hook in zip(variables, self._hooks, strict=True):
            gradient_hooks.add(self.optimizer, variable, hook)
        self.round, self._z, self._u, self._updated = 0, None, None, None

    def _pull(self, variable, anchor):
        def hook(gradient):
            rho = keras.ops.cast(self._rho, gradient.dtype)
            off = keras.ops.convert_to_tensor(variable) - keras.ops.convert_to_tensor(anchor)
            return gradient + rho * keras.ops.cast(off, gradient.dtype)

        return hook

    def _leave(self):
        for weight, hook in zip(self.weights, self._hooks, strict=True):
            gradient_hooks.remove(self.optimizer, weight.variable, hook)
        optimizer_variables.remove(self.optimizer, [*self._anchors, self._rho])
        self.pruner.detach()

    def _begin(self, step):
        self.pruner.start(step)
        if self._z is not None:  # restored
            self._set_anchors()
        self._advance(step)

    def _advance(self, step):
        due = self._rounds.last_update(step)
        if due != self._updated:
            opening, self._updated = self._updated is None, due
            backend.sync_state(self.model)
            self._open() if opening else self._next_round()
        self.pruner.update(step)
        if self._over(due):
            self._rho.assign(0.0)

    def _over(self, due):
        return due is not None and due >= self._rounds.end_step

    def _open(self):
        self._z = self._project(self._values())
        self._u = [np.zeros_like(z) for z in self._z]
        self._set_anchors()

    def _next_round(self):
        """Z and U after a round of training, equations 8 and 9."""
        values = self._values()
        self._z = self._project([w + u for w, u in zip(values, self._u, strict=True)])
        sums = zip(values, self._z, self._u, strict=True)
        self._u = [u + w - z for w, z, u in sums]
        self.round += 1
        self._set_anchors()

    def _set_anchors(self):
        self._rho.assign(self.rho)
        for anchor, z, u in zip(self._anchors, self._z, self._u, strict=True):
            anchor.assign(z - u)

    def _values(self):
        return [weight.numpy() for weight in self.weights]

    def _project(self, values):
        """The nearest arrays that have the sparsity."""
        scores, alive = list(map(self._energy.of, values)), self.pruner.store.keep
        _, masks = choose(
            self.weights, scores, alive, self.granularity, self.allocation, self.sparsity
        )
        return [np.where(keep, v, np.float32(0)) for keep, v in zip(masks, values, strict=True)]

    @property
    def primal_residual(self):
        """Float. ||W - Z|| / ||W|| over all kernels; 0 once W is pruned, NaN before the begin."""
        if self._over(self._updated):
            return 0.0
        if self._z is None:
            return float("nan")
        backend.sync_state(self.model)
        values = self._values()
        off = sum(np.sum((w - z) ** 2) for w, z in zip(values, self._z, strict=True))
        return float(np.sqrt(off / max(sum(np.sum(w**2) for w in values), 1e-30)))

    def end_epoch(self, logs):
        if self.pruner.store.has_averages:
            self.pruner.store.project()
        return {"primal_residual": self.primal_residual}

    def finish(self):
        self.pruner.store.project()  # `fit` has just put averages into the weights
        self.report = self.pruner.report()
        if not self.report.reached:
            warnings.warn(
                f"`ADMM` did not reach the sparsity it was asked for: training ended before its "
                f"`end_step`. {self.report.summary()} Received: sparsity={self.sparsity}, "
                f"end_step={self.end_step}",
                stacklevel=2,
            )

    def state(self):
        if self._z is None:
            return {}
        found = {"round": np.int64(self.round), "updated": np.int64(self._updated)}
        for index, (z, u) in enumerate(zip(self._z, self._u, strict=True)):
            found[f"z_{index}"], found[f"u_{index}"] = z, u
        return found

    def restore(self, state):
        if not state:
            return
        count = len(self.weights)
        self._z = [np.asarray(state[f"z_{index}"], "float32") for index in range(count)]
        self._u = [np.asarray(state[f"u_{index}"], "float32") for index in range(count)]
        self.round, self._updated = int(state["round"]), int(state["updated"])
