"""The neural tangent kernel of a model as it is."""

import functools

import keras
import numpy as np
from keras import ops

from keras_prune import backend
from keras_prune.analysis.tangent_report import TangentKernelReport
from keras_prune.batches import examples_of, rows_of
from keras_prune.weights import find_weights


def ntk(model, x, masked=True, batch_size=32):
    """Compute the neural tangent kernel of a model on some examples.

    The kernel is J J^T with the Jacobian J = d f(x) / d theta of all outputs of all examples
    by all trainable variables. To first order it tells how gradient descent moves the
    outputs. f are the model's outputs as they are: let the model end with the logits.

    Layers run in inference mode, so that an example does not depend on its neighbours. The
    Jacobian of one example takes one backward pass an output. It is never held whole: in
    memory are the Jacobians of two batches, 2 x batch_size x outputs x parameters float32
    values, and the kernel, (examples x outputs)^2 float64 values. Where the examples make
    b > 1 batches, each Jacobian is computed about b / 2 times.

    Reference: Jacot et al., [Neural Tangent Kernel](https://arxiv.org/abs/1806.07572); of
    pruned networks: Liu and Zenke, [Finding trainable sparse networks through Neural Tangent
    Transfer](https://arxiv.org/abs/2006.08228).

    Example:

    ```python
    report = kp.ntk(model, x[:32])
    report.trace, report.condition_number
    report.max_learning_rate
    print(report)
    ```

    Args:
        model: Built `keras.Model`.
        x: Array (examples, ...) or the model's structure of them.
        masked: Bool. Whether pruned weights are no parameters: entries of a kernel that are
            exactly zero are held, unless the kernel is zero throughout, which is how some
            are initialized. Defaults to `True`.
        batch_size: Int. Examples whose Jacobian is held at once. Defaults to `32`.

    Returns:
        A `kp.TangentKernelReport`.

    Raises:
        ValueError: If the model is not built or has nothing to train, there is no example, or
            the derivatives are not finite.
    """
    kernels = find_weights(model)
    backend.sync_state(model)
    variables = model.trainable_variables
    _check(model, variables, x, batch_size)
    keep = {id(weight.variable): _kept(weight) for weight in kernels} if masked else {}
    jacobian = _Jacobian(model, variables, [keep.get(id(v)) for v in variables])
    batches = [
        keras.tree.map_structure(lambda a, i=i: a[i : i + batch_size], x)
        for i in range(0, rows_of(x), batch_size)
    ]
    outputs, blocks, traces = [], {}, np.zeros(len(variables))
    for row, batch in enumerate(batches):
        made, first = jacobian(batch)
        outputs.append(made)
        traces += [float((j.astype(np.float64) ** 2).sum()) for j in first]
        blocks[row, row] = _gram(first, first)
        for column in range(row + 1, len(batches)):
            blocks[row, column] = _gram(first, jacobian(batches[column])[1])
            blocks[column, row] = blocks[row, column].T
    size = range(len(batches))
    kernel = np.block([[blocks[row, column] for column in size] for row in size])
    paths = [variable.path for variable in variables]
    return TangentKernelReport(
        np.concatenate(outputs), kernel, dict(zip(paths, traces.tolist(), strict=True))
    )


class _Jacobian:
    """The outputs of a model on a batch, and their Jacobian by its variables.

    The function that differentiates is made once. It sees one example at a time.
    """

    def __init__(self, model, variables, keep):
        self.model, self.variables, self.keep = model, variables, keep
        self.function = backend.jacobian_function(self._outputs, len(variables))
        self.values = [variable.value for variable in variables]

    def __call__(self, batch):
        outputs, rows = [], [[] for _ in self.variables]
        for example in examples_of(batch):
            example = keras.tree.map_structure(ops.convert_to_tensor, example)
            outputs.append(backend.to_numpy(self._outputs(self.values, example)))
            for own, tensor in zip(rows, self.function(self.values, example), strict=True):
                own.append(backend.to_numpy(tensor).reshape(len(outputs[-1]), -1))
        arrays = [np.concatenate(own) for own in rows]  # (examples * outputs, size)
        for variable, array, keep in zip(self.variables, arrays, self.keep, strict=True):
            if not np.isfinite(array).all():
                raise ValueError(
                    "The derivatives of the model's outputs are not finite: look for NaN in the "
                    f"examples and the weights. Received: variable={variable.path}"
                )
            if keep is not None:
                array *= keep
        return np.stack(outputs), arrays

    def _outputs(self, values, example):
        state = zip(self.variables, values, strict=True)
        with keras.StatelessScope(state_mapping=state):
            made = self.model(example, training=False)
        flat = [ops.reshape(ops.cast(t, "float32"), (-1,)) for t in keras.tree.flatten(made)]
        return flat[0] if len(flat) == 1 else ops.concatenate(flat)


def _kept(weight):
    """Float array (size,): 0 at the pruned entries of a kernel; or `None`."""
    nonzero = weight.numpy().ravel() != 0
    return nonzero.astype("float32") if nonzero.any() and not nonzero.all() else None


def _gram(rows, columns):
    """J J'^T, variable after variable, in float64."""

    def product(row, column):
        row = row.astype(np.float64)
        # With itself numpy computes half of the product and mirrors it.
        return row @ (row if rows is columns else column.astype(np.float64)).T

    return functools.reduce(np.add, map(product, rows, columns))


def _check(model, variables, x, batch_size):
    if not variables:
        raise ValueError(
            "The model has nothing to train, so that no variable moves its outputs. "
            f"Received: model={model.name} without trainable variables"
        )
    if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size < 1:
        raise ValueError(
            f"Argument `batch_size` must be an int >= 1. Received: batch_size={batch_size}"
        )
    arrays = keras.tree.flatten(x)
    if not arrays or not all(len(getattr(array, "shape", ())) for array in arrays):
        raise ValueError(
            "Argument `x` must be an array (examples, ...) or the model's structure of them. "
            f"Received: x of type {type(x).__name__}"
        )
    if len({len(array) for array in arrays}) > 1 or not len(arrays[0]):
        raise ValueError(
            "The arrays of `x` must hold the same number of examples, at least one. "
            f"Received: {[len(array) for array in arrays]} examples"
        )
