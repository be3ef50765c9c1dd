"""How many weights of a model are zero."""

import dataclasses

from keras_prune import backend
from keras_prune.float_bits import count_nonzero
from keras_prune.tables import render_table
from keras_prune.weights import find_weights


@dataclasses.dataclass(frozen=True)
class WeightSparsity:
    """Zeros of one kernel.

    Args:
        path: Str. The variable's path in the model.
        shape: Tuple of ints.
        size: Int. Number of weights.
        zeros: Int. Number of weights that are exactly zero.
    """

    path: str
    shape: tuple
    size: int
    zeros: int

    @property
    def sparsity(self):
        """Float. The fraction of the weights that are zero."""
        return self.zeros / self.size


@dataclasses.dataclass(frozen=True)
class SparsityReport:
    """Zeros of a model, kernel by kernel and in total. `print` shows a table.

    Args:
        weights: Tuple of `WeightSparsity`, in the order of the model's variables.
    """

    weights: tuple

    @property
    def size(self):
        """Int. Number of weights in all kernels."""
        return sum(weight.size for weight in self.weights)

    @property
    def zeros(self):
        """Int. Number of weights in all kernels that are exactly zero."""
        return sum(weight.zeros for weight in self.weights)

    @property
    def total(self):
        """Float. The fraction of all kernels' weights that are zero."""
        return self.zeros / self.size if self.size else 0.0

    def __getitem__(self, path):
        for weight in self.weights:
            if weight.path == path:
                return weight.sparsity
        paths = [weight.path for weight in self.weights]
        raise KeyError(
            f"The model has no kernel of that path, only {paths}. Received: path={path!r}"
        )

    def __str__(self):
        rows = [
            (
                weight.path,
                " x ".join(map(str, weight.shape)),
                f"{weight.size:,}",
                f"{weight.zeros:,}",
                f"{weight.sparsity:.2%}",
            )
            for weight in self.weights
        ]
        total = ("total", "", f"{self.size:,}", f"{self.zeros:,}", f"{self.total:.2%}")
        columns = ["weight", ">shape", ">weights", ">zeros", ">sparsity"]
        return render_table("Sparsity", columns, rows, footer=total)


def sparsity(model):
    """Count the exact zeros in a model's kernels.

    Kernels are the float variables with two axes or more that are not biases: all that
    pruning could touch, whether it supports the layer or not.

    Example:

    ```python
    print(kp.sparsity(model))
    kp.sparsity(model).total              # 0.8
    kp.sparsity(model)["dense/kernel"]    # 0.8
    ```

    Args:
        model: Built `keras.Model`.

    Returns:
        A `SparsityReport`.

    Raises:
        ValueError: If `model` is no Keras model or has no weights yet.
    """
    if hasattr(model, "variables"):
        backend.sync_state(model)
    rows = []
    for weight in find_weights(model):
        zeros = weight.size - count_nonzero(weight.variable)
        rows.append(WeightSparsity(weight.path, weight.shape, weight.size, zeros))
    return SparsityReport(tuple(rows))
