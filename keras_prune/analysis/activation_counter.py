"""Counts in the compiled training step: how often each unit of a layer is not zero."""

import math

import keras
import numpy as np
from keras import ops

from keras_prune import backend, carried_variables
from keras_prune.watching import unwatch, watch

# Where a backend has no 64 bits: a batch adds less than 2 ** 31 to a count, three digits of 11
# bits. A digit of the sum stays below 2 ** 31 for 2 ** 20 steps; well before that they are moved.
_DTYPE = backend.widest_integer()
_WIDE = _DTYPE == "int64"
_BITS = 11
_MASK = 2**_BITS - 1
_SHIFTS = np.array([[0]] if _WIDE else [[0], [_BITS], [2 * _BITS]], "int32")
STEPS_AT_MOST = 2**18
_EXACT = 2**24  # up to here sums of float32 are, and they are fast on every device


class ActivationCounter:
    """Counts positions and nonzero values of some tensors while a model trains, exactly.

    The training step, the model's call and the operations that make the tensors are watched.
    The sums are integer variables that the model carries, see `carried_variables`. The beginning
    of another training takes away what one that broke off has left.

    Args:
        model: Built, compiled `keras.Model`.
        places: `Places`.
        eps: Float. Values up to it, in absolute terms, count as zero.
    """

    def __init__(self, model, places, eps):
        self.model, self.places, self.eps = model, places, eps
        self.active, self.attached = False, True
        self._calls, self._found = {}, None
        # First the positions of all places, then the units of those that are not dense.
        self._sizes = [len(places.found), *(p.units for p in places.found if not p.dense)]
        shape, scope = (len(_SHIFTS), sum(self._sizes)), backend.optimizer_scope(model.optimizer)
        self.variable = carried_variables.add(model, shape, _DTYPE, scope)
        self.clear()
        self._by_call = {(id(p.operation), p.index): n for n, p in enumerate(places.found)}
        for target, name, watcher in self._watchers():
            watch(target, name, watcher, self)
        # A function compiled before knows nothing of what was attached.
        _forget_functions(model)
        model.make_train_function(force=True)

    def detach(self):
        """Give the model back as it was."""
        if not self.attached:
            return
        self.attached = False
        for target, name, _ in self._watchers():
            unwatch(target, name, self)
        carried_variables.remove(self.model, self.variable)
        _forget_functions(self.model)

    def clear(self):
        """Begin anew with zeros."""
        self.sums = np.zeros(sum(self._sizes), np.int64)
        self.variable.assign(ops.zeros(self.variable.shape, _DTYPE))

    def collect(self):
        """Move what the steps have counted into `sums`."""
        backend.sync_state(self.model)
        digits = np.asarray(ops.convert_to_numpy(self.variable), np.int64)
        self.sums += (digits << _SHIFTS.astype(np.int64)).sum(0)
        self.variable.assign(ops.zeros(self.variable.shape, _DTYPE))

    def counts(self):
        """List with one tuple (positions, int64 array of nonzero values by unit) a place."""
        positions, *parts = np.split(self.sums, np.cumsum(self._sizes)[:-1])
        parts, found = iter(parts), []
        for place, count in zip(self.places.found, positions.tolist(), strict=True):
            units = np.full(place.units, count) if place.dense else next(parts).copy()
            found.append((count, units))
        return found

    def rehearse(self, inputs):
        """Call the model once as training does, and leave no trace of it.

        Args:
            inputs: What to call the model with.

        Raises:
            ValueError: If it makes other calls than in inference.
        """
        with keras.StatelessScope(), backend.random_numbers_kept():
            self._watch_step(self.model, (inputs,), {"training": True})

    def _watchers(self):
        """List of tuples: an object, the name of its method, and what watches it."""
        operations = {id(place.operation): place.operation for place in self.places.found}
        found = [
            (self.model, "train_step", self._watch_step),
            (self.model, "call", self._watch_model),
            (self.model, "make_train_function", self._watch_beginning),
        ]
        for operation in operations.values():
            watcher = self._watcher(operation)
            found += [(operation, name, watcher) for name in ("call", "quantized_call")]
        return found

    def _watch_beginning(self, inner, args, kwargs):
        # `fit` begins so; whoever wants the function anew in the middle of it forces that.
        if not (args or kwargs):
            self.detach()
            return self.model.make_train_function()
        return inner(*args, **kwargs)

    def _watch_step(self, inner, args, kwargs):
        before, self.active = self.active, True
        try:
            return inner(*args, **kwargs)
        finally:
            self.active = before

    def _watch_model(self, inner, args, kwargs):
        if not self.active or self._found is not None:  # not training, or a call within a call
            return inner(*args, **kwargs)
        self._calls, self._found = {}, {}
        try:
            outputs = inner(*args, **kwargs)
            self._add()
        finally:
            self._found = None
        return outputs

    def _watcher(self, operation):
        key = id(operation)

        def observe(inner, args, kwargs):
            outputs = inner(*args, **kwargs)
            if self._found is not None:
                number = self._calls.get(key, 0)
                self._calls[key] = number + 1
                place = self._by_call.get((key, number))
                if place is not None:
                    tensor = keras.tree.flatten(outputs)[0]
                    self._found[place] = _count(tensor, self.places.found[place], self.eps)
            return outputs

        return observe

    def _add(self):
        if self._calls != self.places.calls:
            raise ValueError(
                "`ActivationDensity` cannot tell the calls of a layer apart when the model makes "
                "others in training than in inference. Received: "
                f"{sum(self._calls.values())} calls of the layers before the counted tensors in "
                f"training, {sum(self.places.calls.values())} in inference"
            )
        found = [self._found[number] for number in range(len(self._found))]
        positions = _stacked([positions for positions, _ in found])
        counts = ops.concatenate([positions, *(part for _, part in found if part is not None)])
        counts = counts[None]
        if not _WIDE:
            counts = ops.bitwise_and(ops.right_shift(counts, _SHIFTS), _MASK)
        self.variable.assign_add(counts)


def _count(tensor, place, eps):
    """The positions, an int or scalar, and how many of them are not zero: integers (units,)."""
    axis = tensor.ndim + place.axis
    positions = math.prod(size for number, size in enumerate(ops.shape(tensor)) if number != axis)
    if place.dense:
        return positions, None
    marks = backend.nonzero_marks(tensor, eps)
    others = tuple(number for number in range(tensor.ndim) if number != axis)
    if isinstance(positions, int) and positions <= _EXACT:
        return positions, ops.cast(ops.sum(marks, others), _DTYPE)
    if _product(tensor.shape[number] for number in others[1:]) > _EXACT:
        marks = ops.cast(marks, _DTYPE)
    if others[1:]:
        marks = ops.sum(marks, others[1:])
    return positions, ops.sum(ops.cast(marks, _DTYPE), 0)


def _stacked(positions):
    """Integer tensor of some ints, or scalars where sizes are unknown until the step runs."""
    if all(isinstance(count, int) for count in positions):
        return ops.convert_to_tensor(np.array(positions, _DTYPE))
    return ops.stack([ops.cast(count, _DTYPE) for count in positions])


def _product(sizes):
    """The product of some sizes; infinite where one is unknown."""
    return math.prod(math.inf if size is None else size for size in sizes)


def _forget_functions(model):
    model.train_function = None
    if keras.distribution.distribution() is not None:  # the layout of the state is compiled in
        model.test_function = model.predict_function = None
