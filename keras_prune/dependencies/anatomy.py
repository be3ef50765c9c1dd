"""What hangs together in a model: the result of running rules through its graph."""

import dataclasses

import keras
import numpy as np
from keras import tree

from keras_prune import backend
from keras_prune.dependencies.units import Signal, Units
from keras_prune.layer_names import layers_by_name


@dataclasses.dataclass(eq=False)
class Part:
    """What becomes of one layer.

    Args:
        layer: `keras.layers.Layer` or other operation.
        axes: Dict from `id(variable)` to (variable, dict from axes to the ids along them).
        sizes: Dict from the names of the layer's arguments to Callable(keep) -> value, where
            `keep(ids)` is the bool array of the units that stay.
        made: Int array or `None`. The units that the layer makes.
    """

    layer: object
    axes: dict = dataclasses.field(default_factory=dict)
    sizes: dict = dataclasses.field(default_factory=dict)
    made: np.ndarray | None = None


class Anatomy:
    """Units, what reads them, and what each layer has of them.

    Attributes:
        entrances: Dict from `id(model)` to the list of the `Signal`s that go into a model, nested
            ones too.
        units: `Units`.
        readers: List of `Reader`.
        parts: Dict from `id(operation)` to `Part`.
        remarks: Dict from ids of units to sentences: why something is not constant there.
        sums: Dict from `id(operation)` of those that add tensors up to the list of their
            `Signal`s; to `None` where an operation is called several times.

    Args:
        graph: `keras.Model` whose graph it is; not the model itself where that had to be traced.
        exact: Bool. Whether constants must be right even at the borders that padding makes.
    """

    def __init__(self, graph, exact=True):
        self.graph = graph
        self.exact = exact
        self.entrances = {}
        self.units = Units()
        self.readers = []
        self.parts = {}
        self.remarks = {}
        self.sums = {}
        self._numpy = {}

    def part(self, layer):
        """The `Part` of a layer, made at its first call."""
        return self.parts.setdefault(id(layer), Part(layer))

    def parts_by_name(self):
        """Dict from the names of layers that make units to their `Part`s."""
        parts = {part.layer: part for part in self.parts.values() if part.made is not None}
        return {name: parts[layer] for name, layer in layers_by_name(parts).items()}

    def numpy(self, variable):
        """A variable's values as float32 array; each variable is read once."""
        if id(variable) not in self._numpy:
            self._numpy[id(variable)] = backend.to_numpy(variable)
        return self._numpy[id(variable)]

    def cut(self, layer, variable, axis, ids):
        """An axis of a variable follows units; two calls of a layer join theirs."""
        if variable is None:
            return
        _, axes = self.part(layer).axes.setdefault(id(variable), (variable, {}))
        if axis in axes:
            self.units.join(axes[axis], ids)
        else:
            axes[axis] = ids

    def make(self, layer, count):
        """The units that a layer makes, the same in all its calls."""
        part = self.part(layer)
        if part.made is None:
            part.made = self.units.new(count)
        return part.made

    def read(self, reader):
        """Add a reader; one of a call before is narrowed to what both have in common."""
        for other in self.readers:
            if other.key == reader.key:
                other.meet(reader)
                return
        self.readers.append(reader)

    def remark(self, ids, text):
        """Say why units are not constant."""
        for unit in ids:
            self.remarks.setdefault(int(unit), text)

    @property
    def inputs(self):
        """List of the `Signal`s of the model's inputs."""
        return self.entrances[id(self.graph)]

    def enter(self, model, signals):
        """Signals go into a model; those of two calls are joined."""
        for one, other in zip(self.entrances.setdefault(id(model), signals), signals, strict=True):
            if one.axis != other.axis or len(one.ids) != len(other.ids):
                self.stay([one, other], f"{name_of(model)} is called with other shapes elsewhere")
            else:
                self.units.join(one.ids, other.ids)

    def stay(self, signals, reason):
        """The units of signals are never cut."""
        for signal in tree.flatten(signals):
            if isinstance(signal, Signal):
                self.units.protect(signal.ids, reason)


def name_of(operation):
    """How a layer or operation is called in sentences."""
    kind = type(operation).__name__
    if isinstance(operation, keras.layers.Layer):
        return f"`{operation.name}` ({kind})"
    return f"operation {kind}"
