"""Effective sparsity: the weights that still carry a signal."""

import dataclasses

import numpy as np

from keras_prune import backend
from keras_prune.analysis.signal_paths import SignalPaths
from keras_prune.tables import render_table
from keras_prune.tracing import example_input
from keras_prune.weights import find_weights

NO_WEIGHT = "no weight is left in it"


@dataclasses.dataclass(frozen=True)
class EffectiveWeight:
    """Weights of one kernel: zero, left, and left on a path from an input to an output.

    Args:
        path: Str. The variable's path in the model.
        shape: Tuple of ints.
        size: Int. Number of weights.
        nonzero: Int. Weights that are left.
        active: Int. Weights that are left and lie on a path from an input of the model to an
            output.
        collapse: Str or `None`. Why no signal passes the kernel, where none does.
    """

    path: str
    shape: tuple
    size: int
    nonzero: int
    active: int
    collapse: str | None = None

    @property
    def sparsity(self):
        """Float. The fraction of the weights that is zero, the direct sparsity."""
        return 1 - self.nonzero / self.size

    @property
    def effective_sparsity(self):
        """Float. The fraction of the weights that is on no path."""
        return 1 - self.active / self.size


@dataclasses.dataclass(frozen=True)
class EffectiveSparsityReport:
    """Direct and effective sparsity, kernel by kernel and in total. `print` shows a table.

    Args:
        weights: Tuple of `EffectiveWeight`, in the order of the model's variables.
        untraced: Dict from the path of a layer to the reason why it could not be traced. It
            counts as connecting all it takes to all it makes, so that the effective sparsity
            is a lower bound.
    """

    weights: tuple
    untraced: dict

    @property
    def sparsity(self):
        """Float. The fraction of all weights that is zero."""
        return 1 - self._total("nonzero") / self._total("size")

    @property
    def effective_sparsity(self):
        """Float. The fraction of all weights that is on no path."""
        return 1 - self._total("active") / self._total("size")

    @property
    def disconnected(self):
        """Int. Weights that are left and on no path."""
        return self._total("nonzero") - self._total("active")

    @property
    def collapsed(self):
        """Dict from the path of each kernel that no signal passes to the reason."""
        return {weight.path: weight.collapse for weight in self.weights if weight.collapse}

    def _total(self, name):
        return sum(getattr(weight, name) for weight in self.weights)

    def __str__(self):
        def cells(item, size, nonzero, active):
            shares = f"{item.sparsity:.2%}", f"{item.effective_sparsity:.2%}"
            return f"{size:,}", f"{nonzero:,}", f"{active:,}", *shares

        rows = [
            (w.path, *cells(w, w.size, w.nonzero, w.active), w.collapse or "") for w in self.weights
        ]
        totals = (self._total(name) for name in ("size", "nonzero", "active"))
        footer = ("total", *cells(self, *totals), "")
        columns = ["weight", ">weights", ">nonzero", ">active", ">sparsity", ">effective", ""]
        table = render_table("Effective sparsity", columns, rows, footer=footer, width=140)
        lines = [f"Not traced: {path}: {reason}." for path, reason in self.untraced.items()]
        return "\n".join([table, *lines])


def effective_sparsity(model, masks=None, input_shape=None):
    """Count the weights that no signal passes, beside those that are zero.

    A weight counts for something if it is not zero and lies on a path of such weights from an
    input of the model to an output. At high sparsities many weights do not: the unit that
    feeds them has lost its inputs, or the unit that they feed its outputs. The effective
    sparsity counts these as pruned.

    Signals are traced forward and backward through the layers, with kernels replaced by
    their masks, non-linearities left out and biases zero: a unit that only passes on its bias
    is dead. The trace is exact to the single weight, the borders of convolutions included.
    Layers that cannot be traced (recurrent, attention, custom ones) count as connecting
    everything and are named in the report.

    Reference: Vysogorets and Kempe, [Connectivity Matters: Neural Network Pruning Through
    the Lens of Effective Sparsity](https://arxiv.org/abs/2107.02306).

    Example:

    ```python
    report = kp.effective_sparsity(model)
    report.sparsity, report.effective_sparsity
    print(report)
    ```

    Args:
        model: Built `keras.Model`.
        masks: Dict from paths of kernels to bool arrays of their shape, True where a weight is
            left; for kernels that are not named, where it is not zero. Defaults to `None`.
        input_shape: Tuple of ints without the batch axis, or the same nesting of tuples as
            the model's inputs. Needed where the model leaves a size open. Defaults to the
            model's own input shape.

    Returns:
        A `kp.EffectiveSparsityReport`.

    Raises:
        ValueError: If the model is not built, its input shape is unknown, or a mask fits no
            kernel.
    """
    weights = find_weights(model)
    backend.sync_state(model)
    given = _checked(masks or {}, weights)
    left = {id(weight.variable): given.get(weight.path, weight.numpy() != 0) for weight in weights}
    paths = SignalPaths(model, example_input(model, input_shape), left)
    rows = (_row(weight, left[id(weight.variable)], paths) for weight in weights)
    return EffectiveSparsityReport(tuple(rows), paths.untraced)


def _row(weight, left, paths):
    key = id(weight.variable)
    nonzero, active = int(np.count_nonzero(left)), int(np.count_nonzero(paths.active[key]))
    collapse = None
    if not active:
        collapse = paths.reasons[key] if nonzero else NO_WEIGHT
    return EffectiveWeight(weight.path, weight.shape, weight.size, nonzero, active, collapse)


def _checked(masks, weights):
    shapes = {weight.path: weight.shape for weight in weights}
    arrays = {path: np.asarray(mask, bool) for path, mask in masks.items()}
    for path, mask in arrays.items():
        if shapes.get(path) != mask.shape:
            raise ValueError(
                "Argument `masks` must map paths of kernels to arrays of their shape, which are "
                f"{shapes}. Received: path={path!r}, mask of shape {mask.shape}"
            )
    return arrays
