"""SensitivityDriven: weights that hardly change the outputs fade away."""

import keras
import numpy as np

from keras_prune import backend, gradient_hooks, optimizer_variables
from keras_prune.criteria.data_criterion import check_choice, check_positive
from keras_prune.regularizers.drawn_batches import DrawnBatches
from keras_prune.regularizers.output_sensitivity import OutputSensitivity
from keras_prune.regularizers.penalty import PENALTIES, Penalty, check_strength
from keras_prune.regularizers.updates import updater, updates_now, where_updated
from keras_prune.targets import find_kernels

_KINDS = ("unspecific", "specific", "loss")


@PENALTIES.register()
class SensitivityDriven(Penalty):
    """Shrinks each weight in every step by as much as the outputs are insensitive to it.

        w <- optimizer's step - strength * w * max(0, 1 - S(w))

    with w from before the step. The strength is not multiplied by the learning rate. S is the
    sensitivity:

    - `"unspecific"`: mean over the classes k of |dy_k / dw|;
    - `"specific"`: |dy_k / dw| of the example's own class;
    - `"loss"`: |dL / dw|, the gradient of the running step, at no further cost.

    The first two are from [Tartaglione et al., 2018](https://arxiv.org/abs/1810.11764),
    equations 7 to 9, the third, LOBSTER, from [Tartaglione et al., 2022](
    https://arxiv.org/abs/2011.09905). y are the logits, see `OutputSensitivity`: the input of
    the softmax where the model ends with one. The two are measured on a batch of `data` every
    `frequency` steps and hold until the next; 1 is the papers' rule with a batch of its own.
    Derivatives are averaged over the batch before the absolute value is taken; `per_example`
    takes it before, as the paper writes it.

    Weights become small, not zero: `kp.PlateauPruning` beside it prunes them.
    Biases are left alone.

    Example:

    ```python
    penalty = kp.SensitivityDriven(1e-4, "specific", data=(x, y), frequency=10)
    model.fit(x, y, epochs=20, callbacks=[kp.RegularizeCallback(penalty)])
    ```

    Args:
        strength: Float in [0, 1]. The lambda of the papers. Defaults to `1e-4`.
        kind: Str. `"unspecific"`, `"specific"` or `"loss"`. Defaults to `"unspecific"`.
        data: Tuple of arrays (x, y), which batches are drawn from at random, or iterable of
            batches (x, y), which come in turn. Needed by the first two kinds, refused by
            `"loss"`. Defaults to `None`.
        frequency: Int >= 1. Steps from one measurement to the next. Defaults to `10`.
        batch_size: Int >= 1. Examples a batch where `data` is a tuple of arrays. Defaults to
            `32`.
        per_example: Bool. Whether absolute values are taken for every example. Defaults to
            `False`.
        seed: Int >= 0. Fixes which batches are drawn. Defaults to `0`.
    """

    def __init__(
        self,
        strength=1e-4,
        kind="unspecific",
        data=None,
        frequency=10,
        batch_size=32,
        per_example=False,
        seed=0,
    ):
        self.strength = check_strength("strength", strength)
        if strength > 1.0:
            raise ValueError(f"`strength` above 1 turns signs. Received: strength={strength}")
        self.kind = check_choice("kind", kind, _KINDS)
        self.data = data
        self.frequency = check_positive("frequency", frequency)
        self.batch_size = check_positive("batch_size", batch_size)
        self.per_example = bool(per_example)
        self.seed = seed
        self._check_data()

    def _check_data(self):
        if self.kind == "loss":
            if self.data is not None:
                raise ValueError(
                    'kind="loss" takes the gradients of the training itself; leave `data` out. '
                    f"Received: data={type(self.data).__name__}"
                )
        elif self.data is None:
            raise ValueError(
                f'kind="{self.kind}" measures on data: pass `data`, or kind="loss". '
                "Received: data=None"
            )
        else:
            self._batches = DrawnBatches(self.data, self.batch_size, self.seed)

    def __repr__(self):
        return f"SensitivityDriven(strength={self.strength}, kind={self.kind!r})"

    def _enter(self, filters, total_steps):
        self.weights = find_kernels(self.model, filters)
        self._measured, self._sensitivity = None, None
        if self.kind != "loss":
            specific = self.kind == "specific"
            self._sensitivity = OutputSensitivity(
                self.model, self.weights, specific, self.per_example
            )
        variables = [weight.variable for weight in self.weights]
        # Measured sensitivities, or the sum of the gradients that are being accumulated.
        self._held = optimizer_variables.add(self.optimizer, variables, "zeros")
        self._hooks = [self._shrink(*pair) for pair in zip(variables, self._held, strict=True)]
        for variable, hook in zip(variables, self._hooks, strict=True):
            gradient_hooks.add(self.optimizer, variable, hook)

    def _shrink(self, variable, held):
        """The hook of one weight. It runs before the optimizer's update, which so adds up."""
        single = updater(self.optimizer, variable)

        def hook(gradient):
            if self.kind == "loss":
                sensitivity = _mean_gradient(single, held, gradient)
            else:
                sensitivity = keras.ops.convert_to_tensor(held)
            value = keras.ops.convert_to_tensor(variable)
            shrunk = shrink(value, keras.ops.cast(sensitivity, value.dtype), self.strength)
            variable.assign(where_updated(single, shrunk, value))
            return gradient

        return hook

    def _leave(self):
        for weight, hook in zip(self.weights, self._hooks, strict=True):
            gradient_hooks.remove(self.optimizer, weight.variable, hook)
        optimizer_variables.remove(self.optimizer, self._held)

    def _advance(self, step):
        due = step // self.frequency
        if self._sensitivity is None or due == self._measured:
            return
        backend.sync_state(self.model)
        found = self._sensitivity.measure(self._batches.batch(due))
        for held, array in zip(self._held, found, strict=True):
            held.assign(array)
        self._measured = due

    def state(self):
        backend.sync_state(self.model)
        found = {f"held_{i}": backend.to_numpy(held) for i, held in enumerate(self._held)}
        measured = -1 if self._measured is None else self._measured
        return {**found, "measured": np.int64(measured)}

    def restore(self, state):
        for index, held in enumerate(self._held):
            held.assign(state[f"held_{index}"])
        measured = int(state["measured"])
        self._measured = None if measured < 0 else measured


def shrink(value, sensitivity, strength):
    """w * (1 - strength * max(0, 1 - S)): the weight after the shrinkage of one step."""
    return value * (1.0 - strength * keras.ops.maximum(1.0 - sensitivity, 0.0))


def _mean_gradient(single, held, gradient):
    """|mean gradient| of the steps that are accumulated, this one included."""
    if updates_now(single) is True:
        return keras.ops.abs(gradient)
    total = keras.ops.convert_to_tensor(held) + keras.ops.cast(gradient, held.dtype)
    held.assign(where_updated(single, keras.ops.zeros_like(total), total))
    return keras.ops.abs(total / single.gradient_accumulation_steps)
