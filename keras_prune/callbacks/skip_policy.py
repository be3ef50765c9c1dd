"""The callback that trains skip gates to decide, by a policy gradient."""

import collections

import keras
from keras import ops

from keras_prune.layers.skip_gate import SkipGate
from keras_prune.watching import unwatch, watch


class SkipPolicy(keras.callbacks.Callback):
    """Trains the decisions of `kp.layers.SkipGate` layers, together with everything else.

    The second stage of [Wang et al., 2018](https://arxiv.org/abs/1711.09485), hybrid reinforcement
    learning: while `fit` trains, gates draw their decisions a_i ~ p_i, and the loss grows by

        weight sum_i -R_i log p_i(a_i),
        R_i = sum_{j >= i} gamma^(j - i) r_j - gamma^(n - i) L,  r_j = (1 - a_j) alpha / n

    for each sample, with L its own loss and n the number of gates: a block that is skipped is
    rewarded, a wrong answer is not. R passes no gradient; the network learns from the loss as
    before. Weights of samples count in the loss, not in R. Without the callback gates train
    straight-through: the first stage.

    Example:

    ```python
    model.fit(x, y, epochs=20)                                   # supervised
    model.optimizer.learning_rate = 1e-4
    model.fit(x, y, epochs=5, callbacks=[kp.SkipPolicy()])       # hybrid
    ```

    Args:
        alpha: Float >= 0. The reward for skipping all blocks. Defaults to `0.1`.
        weight: Float >= 0. Defaults to `0.01`.
        gamma: Float in (0, 1]. Defaults to `1.0`.
        reduction: Str, `"sum"` or `"mean"`: over the samples of a batch. The paper's program adds
            the policy's part up where the loss is a mean. Defaults to `"sum"`.

    Raises:
        ValueError: If an argument is wrong, the model has no `SkipGate`, or more than one loss.
    """

    def __init__(self, alpha=0.1, weight=0.01, gamma=1.0, reduction="sum"):
        super().__init__()
        self.alpha, self.weight = _check("alpha", alpha), _check("weight", weight)
        self.gamma = _check("gamma", gamma)
        if not 0.0 < self.gamma <= 1.0:
            raise ValueError(f"Argument `gamma` must be in (0, 1]. Received: gamma={gamma!r}")
        if reduction not in ("sum", "mean"):
            raise ValueError(
                f'Argument `reduction` must be "sum" or "mean". Received: reduction={reduction!r}'
            )
        self.reduction = reduction
        self.gates = ()
        self.decisions = collections.deque()  # Keras would copy a list that a layer gets

    def on_train_begin(self, logs=None):
        self.on_train_end()  # what a training that broke off has left
        self.gates = [x for x in self.model._flatten_layers() if isinstance(x, SkipGate)]
        if not self.gates:
            raise ValueError(
                f"`SkipPolicy` needs a model with `SkipGate` layers. Received: {self.model.name}"
            )
        loss = self.model.loss
        if loss is None or isinstance(loss, (list, tuple, dict)):
            raise ValueError(
                "`SkipPolicy` rewards by the loss of a sample and needs a model that is compiled "
                f"with one loss. Received: loss={loss!r}"
            )
        self.loss = keras.losses.get(loss)
        for gate in self.gates:
            gate.decisions = self.decisions
        watch(self.model, "compute_loss", self._compute_loss, self)
        self.model.make_train_function(force=True)

    def on_train_end(self, logs=None):
        if self.gates:
            for gate in self.gates:
                gate.decisions = None
            unwatch(self.model, "compute_loss", self)
            self.gates = ()
            self.model.train_function = None
        self.decisions.clear()

    def _compute_loss(self, inner, args, kwargs):
        loss = inner(*args, **kwargs)
        decisions = list(self.decisions)
        self.decisions.clear()
        if not decisions:  # evaluation
            return loss
        names = ("x", "y", "y_pred", "sample_weight", "training")
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        y, predicted = given["y"], given["y_pred"]
        call = self.loss.call if isinstance(self.loss, keras.losses.Loss) else self.loss
        losses = ops.cast(call(y, predicted), "float32")
        losses = ops.mean(ops.reshape(losses, (ops.shape(losses)[0], -1)), axis=-1)
        policy = policy_loss(*zip(*decisions, strict=True), losses, self.alpha, self.gamma)
        policy = ops.sum(policy) if self.reduction == "sum" else ops.mean(policy)
        return loss + ops.cast(self.weight * policy, loss.dtype)


def returns(actions, losses, alpha, gamma):
    """What each decision of a sample earns.

        R_i = sum_{j >= i} gamma^(j - i) r_j - gamma^(n - i) L,  r_j = (1 - a_j) alpha / n

    Args:
        actions: List of n tensors (batch,), 1 where the block was passed through.
        losses: Tensor (batch,).
        alpha: Float.
        gamma: Float.

    Returns:
        List of n tensors (batch,).
    """
    found, following = [], -losses
    for action in reversed(actions):
        following = (1.0 - action) * alpha / len(actions) + gamma * following
        found.append(following)
    return found[::-1]


def policy_loss(actions, log_probabilities, losses, alpha, gamma):
    """The sum over decisions of -R_i log p_i(a_i).

    Args:
        actions: See `returns`.
        log_probabilities: List of n tensors (batch,).
        losses: See `returns`.
        alpha: Float.
        gamma: Float.

    Returns:
        Tensor (batch,).
    """
    earned = returns(
        [ops.stop_gradient(a) for a in actions], ops.stop_gradient(losses), alpha, gamma
    )
    return sum(-r * log for r, log in zip(earned, log_probabilities, strict=True))


def _check(name, value):
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0.0 <= value < float("inf"):
        raise ValueError(f"Argument `{name}` must be a number >= 0. Received: {name}={value!r}")
    return float(value)
