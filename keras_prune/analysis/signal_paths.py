"""Which weights lie on a path from an input of a model to an output."""

import keras
import numpy as np
from keras import ops

from keras_prune import backend
from keras_prune.analysis.call_graph import record_graph, steps_of
from keras_prune.analysis.signal_maps import signal_map, variables_of

NOT_CALLED = "its layer is not called"
NO_INPUT = "no signal reaches its layer"
NO_OUTPUT = "what its layer makes reaches no output of the model"
NO_MEETING = "the inputs and the outputs that are alive do not meet in it"


class SignalPaths:
    """Traces signals forward from the inputs and backward from the outputs.

    A value is alive going forward if an input of the model reaches it, and alive going
    backward if it reaches an output. Both are exact to the single value, borders of
    convolutions included, and hold for almost all values of the weights that are left. What
    cannot be traced counts as connecting everything to everything, and is named.

    Args:
        model: Built `keras.Model`.
        inputs: What to call the model with, one example.
        masks: Dict from `id(variable)` to a bool array. Where a weight is left.
    """

    def __init__(self, model, inputs, masks):
        steps = [step for step in steps_of(model) if not _is_input(step)]
        self.graph = record_graph(model, steps, inputs)
        self.masks = masks
        self.untraced = {}
        self.reasons = dict.fromkeys(masks, NOT_CALLED)
        self.active = {key: np.zeros_like(mask) for key, mask in masks.items()}
        self._maps = [self._traced(signal_map(call), call) for call in self.graph.calls]
        self._whole = all(map(_has_graph, _models(model)))
        self._forward = {id(tensor): _ones(tensor) for tensor in self.graph.inputs}
        for call, run in zip(self.graph.calls, self._maps, strict=True):
            self._go_forward(call, run)
        self._backward = self._starts()
        for call, run in zip(self.graph.calls[::-1], self._maps[::-1], strict=True):
            self._go_backward(call, run)

    def _traced(self, run, call):
        if isinstance(run, str):
            self._name(call, run)
            return None
        return run

    def _name(self, call, reason):
        name = getattr(call.operation, "path", call.operation.name)
        self.untraced.setdefault(name, reason)

    def _go_forward(self, call, run):
        alive = [self._arriving(tensor, call) for tensor in call.inputs]
        if run is None:
            through = not alive or any(array.any() for array in alive)
            made = [_ones(tensor) * through for tensor in call.outputs]
        else:
            made = [run([_tensor(array) for array in alive], self._kernels(call))]
            made = [_indicator(tensor) for tensor in made]
        self._forward.update(zip(map(id, call.outputs), made, strict=True))

    def _arriving(self, tensor, call):
        if id(tensor) not in self._forward:
            if not self._whole:
                self._name(call, "it takes a tensor that no layer has made")
            self._forward[id(tensor)] = _ones(tensor)
        return self._forward[id(tensor)]

    def _starts(self):
        """What is alive before the way back begins: outputs, and what leaves the graph."""
        starts = {id(tensor): _ones(tensor) for tensor in self.graph.outputs}
        consumers = self.graph.consumers()
        for call in self.graph.calls:
            if not any(id(t) in consumers or id(t) in starts for t in call.outputs):
                self._name(call, "its outputs go where no layer is")
                starts.update((id(tensor), _ones(tensor)) for tensor in call.outputs)
        return starts

    def _go_backward(self, call, run):
        made = [self._backward.get(id(t), np.zeros(tuple(t.shape))) for t in call.outputs]
        reached = any(array.any() for array in made)
        if run is None:
            below = [_ones(tensor) * reached for tensor in call.inputs]
        else:
            below = self._pull(call, run, made[0])
        for tensor, array in zip(call.inputs, below, strict=True):
            before = self._backward.get(id(tensor), 0)
            self._backward[id(tensor)] = np.maximum(before, array)
        self._pass_others(call, run, reached)

    def _pull(self, call, run, made):
        """What of the inputs is alive; marks the kernels' weights that are."""
        alive = [self._forward[id(tensor)] for tensor in call.inputs]
        kernels, count = variables_of(call.operation), len(alive)

        def function(values):
            return run(list(values[:count]), list(values[count:]))

        values = [*map(_tensor, alive), *self._kernels(call)]
        found = list(map(_indicator, backend.pullback(function, values, _tensor(made))))
        arrived = any(array.any() for array in alive)
        for variable, array in zip(kernels, found[count:], strict=True):
            self.active[id(variable)] |= (array > 0) & self.masks[id(variable)]
            self.reasons[id(variable)] = _reason(arrived, made.any())
        return found[:count]

    def _pass_others(self, call, run, reached):
        """Take the kernels that no map knows for connections of all to all."""
        known = {id(variable) for variable in variables_of(call.operation) if run is not None}
        arrived = not call.inputs or any(self._forward[id(t)].any() for t in call.inputs)
        for variable in getattr(call.operation, "variables", ()):
            key = id(variable)
            if key in self.masks and key not in known:
                self.reasons[key] = _reason(arrived, reached)
                if arrived and reached:
                    self.active[key] |= self.masks[key]

    def _kernels(self, call):
        return [_tensor(self.masks[id(v)]) for v in variables_of(call.operation)]


def _reason(arrived, reached):
    if not arrived:
        return NO_INPUT
    return NO_MEETING if reached else NO_OUTPUT


def _models(model):
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.Model)]


def _has_graph(model):
    return isinstance(model, keras.Sequential) or hasattr(model, "operations")


def _is_input(step):
    return isinstance(step, keras.layers.InputLayer)


def _ones(tensor):
    return np.ones(tuple(tensor.shape), "float32")


def _indicator(tensor):
    return (backend.to_numpy(tensor) > 0).astype("float32")


def _tensor(array):
    return ops.convert_to_tensor(np.asarray(array, "float32"))
