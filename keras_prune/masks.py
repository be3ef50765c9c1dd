"""The mask store: how a mask is kept true, on every backend.

A mask is an optimizer variable, and a constraint on the weight multiplies it in. Keras
applies constraints inside the compiled training step, right after the optimizer's update,
so a pruned weight is zero after every step. The mask must belong to the optimizer: JAX
takes any other variable for a constant when it traces the step.

Masks are not saved. While they are attached, the optimizer hides them whenever it is
written or read, so every checkpoint is a stock one. The zeros of the weights are the memory.

Where pruned weights may come back, a second variable holds what they would be. The forward
pass multiplies with zeros in their place, yet stock layers differentiate by every entry of
their kernels: the optimizer moves a pruned weight away from zero by the step that its hidden
value would take, and the constraint puts that step where it belongs (the straight-through
estimator). Steps that an optimizer scales by the size of a weight, as weight decay does, pass
hidden values by.
"""

import keras
import numpy as np

from keras_prune import backend, optimizer_variables
from keras_prune.float_bits import choose, nonzero, values
from keras_prune.packed_masks import PackedMasks


class MaskConstraint:
    """Sets the masked entries of a weight to zero, after the user's own constraint.

    Args:
        mask: `keras.Variable` of the weight's shape and dtype; 0 = pruned.
        inner: Callable or `None`. The constraint that the weight had before.
        store: The `MaskStore` that put it there.
        hidden: `keras.Variable` or `None`. Takes what pruned weights learn.
    """

    def __init__(self, mask, inner, store, hidden=None):
        self.mask = mask
        self.inner = inner
        self.store = store
        self.hidden = hidden

    def __call__(self, value):
        if self.inner is not None:
            value = self.inner(value)
        keep = keras.ops.cast(self.mask, "bool")
        if self.hidden is not None:
            # Where the weight is pruned, `value` is what the step made of its zero.
            learned = keras.ops.add(self.hidden, value)
            self.hidden.assign(_masked(learned, keras.ops.logical_not(keep)))
        return _masked(value, keep)


class MaskStore:
    """Holds one mask a weight and keeps the pruned weights at zero.

    Args:
        weights: List of `PrunableWeight`.
        optimizer: Built `keras.optimizers.Optimizer` or `None`. Without one the masks hold
            only where `project` is called.
        revivable: Bool. Whether pruned weights are trained on, hidden, so that they may come
            back as more than zero. Defaults to `False`.
        offsets: List of `PrunableWeight`, biases and their like that go with the weights. They
            have a store of their own, `offsets`, and count nowhere. Defaults to none.
    """

    def __init__(self, weights, optimizer=None, revivable=False, offsets=()):
        self.offsets = MaskStore(offsets, optimizer) if offsets else None
        self.weights = weights
        self.optimizer = optimizer
        self.revivable = revivable
        self.keep = PackedMasks(weight.shape for weight in weights)
        self.variables = []
        self._attach()

    def _attach(self):
        for weight in self.weights:
            stale = weight.variable.constraint
            if isinstance(stale, MaskConstraint):  # left by a training that broke off
                stale.store.detach()
        if self.revivable:
            self._hide()
        if self.optimizer is None:
            return
        variables = [weight.variable for weight in self.weights]
        self.variables = optimizer_variables.add(self.optimizer, variables)
        for weight, mask in zip(self.weights, self.variables, strict=True):
            variable = weight.variable
            variable.constraint = MaskConstraint(mask, variable.constraint, self, weight.hidden)

    def _hide(self):
        """Give every weight a place for what it learns while it is pruned."""
        variables = [weight.variable for weight in self.weights]
        if self.optimizer is not None:
            places = optimizer_variables.add(self.optimizer, variables, "zeros")
        else:
            places = [keras.Variable("zeros", shape=v.shape, dtype=v.dtype) for v in variables]
        for weight, place in zip(self.weights, places, strict=True):
            weight.hidden = place

    def detach(self):
        """Give the weights and the optimizer back as they were; the zeros stay."""
        if self.offsets is not None:
            self.offsets.detach()
        for weight in self.weights:
            constraint = weight.variable.constraint
            if isinstance(constraint, MaskConstraint) and constraint.store is self:
                weight.variable.constraint = constraint.inner
        if self.variables:
            hidden = [weight.hidden for weight in self.weights if self.revivable]
            optimizer_variables.remove(self.optimizer, [*self.variables, *hidden])
            self.variables = []
        for weight in self.weights:
            weight.hidden = None

    def recover(self, emptied=False):
        """Take the zeros of the weights for the masks.

        Args:
            emptied: Bool. What a weight that is zero throughout means. False: it was
                initialized so and stays free. True: pruning took all of it. Defaults to `False`.
        """
        for index, weight in enumerate(self.weights):
            alive = nonzero(values(weight.variable))
            if alive.all() or not (emptied or alive.any()):
                self._set_mask(index, np.ones_like(alive))
            else:
                self.assign(index, alive)

    def assign(self, index, keep):
        """Set one mask and prune its weight.

        Args:
            index: Int. Position in `weights`.
            keep: Bool array of the weight's shape. False = pruned.
        """
        keep = np.ascontiguousarray(keep)
        self._set_mask(index, keep)
        weight = self.weights[index]
        value = values(weight.variable)
        if weight.hidden is not None:
            value = value + values(weight.hidden)
            weight.hidden.assign(choose(value, ~keep))
        weight.variable.assign(choose(value, keep))

    def _set_mask(self, index, keep):
        self.keep[index] = keep
        if self.variables:
            self.variables[index].assign(keep.astype("float32"))

    def project(self):
        """Set every pruned weight to zero again, in the weights and in their averages.

        Needed where something other than an optimizer step writes weights: moving averages
        (`use_ema=True`) remember values from before the constraint.
        """
        if self.offsets is not None:
            self.offsets.project()
        averages = optimizer_variables.averages(self.optimizer)
        for weight, keep in zip(self.weights, self.keep, strict=True):
            for variable in (weight.variable, averages.get(id(weight.variable))):
                if variable is not None:
                    _project(variable, keep)

    def learn(self):
        """Take over what a step of another optimizer than Keras's did to pruned weights."""
        for weight, keep in zip(self.weights, self.keep, strict=True):
            if weight.hidden is not None:
                learned = values(weight.hidden) + values(weight.variable)
                weight.hidden.assign(choose(learned, ~keep))
        self.project()

    def revive(self, index, grown):
        """Let pruned weights begin anew at zero, without the momenta they had before.

        Args:
            index: Int. Position in `weights`.
            grown: Bool array of the weight's shape.
        """
        self.assign(index, self.keep[index] | grown)
        if self.optimizer is not None:
            for slot in optimizer_variables.slots(self.optimizer, self.weights[index].variable):
                slot.assign(choose(values(slot), ~grown))

    def state(self):
        """Masks and hidden values, as dict of arrays.

        The hidden values are float32, which holds every other float exactly.
        """
        arrays = {}
        for index, (weight, keep) in enumerate(zip(self.weights, self.keep, strict=True)):
            arrays[f"keep/{index}"] = keep
            if weight.hidden is not None:
                arrays[f"hidden/{index}"] = backend.to_numpy(weight.hidden)
        return arrays

    def restore(self, state):
        """Take masks and hidden values from what `state` returned; the weights stay."""
        for index, weight in enumerate(self.weights):
            self._set_mask(index, state[f"keep/{index}"].astype(bool))
            if weight.hidden is not None:
                weight.hidden.assign(state[f"hidden/{index}"])

    @property
    def has_averages(self):
        """True if the optimizer keeps moving averages of the weights."""
        return bool(optimizer_variables.averages(self.optimizer))

    @property
    def sparsity(self):
        """Float. The fraction of the weights that are pruned."""
        return 1.0 - sum(self.keep.kept) / sum(weight.size for weight in self.weights)


def _project(variable, keep):
    """Set the weights that are not kept to +0.0. (On the host: JAX would compile it per shape.)"""
    variable.assign(choose(values(variable), keep))


def _masked(value, keep):
    """`value` where `keep`, else +0.0. (A product makes -0.0 of -1, and NaN of infinity.)"""
    value = keras.ops.convert_to_tensor(value)
    return keras.ops.where(keep, value, keras.ops.zeros_like(value))
