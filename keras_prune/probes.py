"""Streaming means, over data, of what a loss does to the kernels of a model."""

import keras
import numpy as np

from keras_prune import backend
from keras_prune.batches import batches_of, examples_of, rows_of
from keras_prune.objectives import Objective


class Probe:
    """A model, its loss and data: gradients and Hessian-vector products of the mean loss.

    Nothing of the model changes, not even the moving statistics of a `BatchNormalization`
    in training mode. Results are float32 arrays of the shapes of the kernels; one array a
    kernel is held besides the gradients of one batch.

    Args:
        model: Built `keras.Model`.
        data: Tuple of arrays or iterable of batches, see `batches_of`.
        loss: Str, `keras.losses.Loss`, callable(y, y_pred) or `None` for the compiled loss. See
            `Objective`.
        training: Bool. Whether layers run in training mode. Defaults to `False`.
        batch_size: Int. Examples a batch where `data` is a tuple of arrays. Defaults to `32`.
        temperature: Float. Divides the logits of classes. Defaults to `1.0`.

    Raises:
        ValueError: If there is no loss, or it does not fit the temperature.
    """

    def __init__(self, model, data, loss=None, training=False, batch_size=32, temperature=1.0):
        self.model = model
        self.data = data
        self.training = training
        self.batch_size = batch_size
        self.objective = Objective(model, loss, temperature)
        self._functions = {}

    def batches(self):
        """Iterate over batches (x, y, sample_weight).

        Raises:
            ValueError: If there is none.
        """
        batch = None
        for batch in batches_of(self.data, self.batch_size):
            yield batch
        if batch is None:
            raise ValueError("Argument `data` holds no example. Received: no batch")

    def examples(self):
        """Iterate over single examples, as batches of one."""
        for batch in self.batches():
            yield from examples_of(batch)

    def predict(self, x):
        """The model's outputs on a batch of inputs, as float32 array."""
        return _to_numpy(self.model(x, training=False))

    def gradients(self, weights, of=None, batches=None):
        """Mean over the examples of the gradient, or of something made of it.

        Args:
            weights: List of `PrunableWeight`.
            of: Callable(weight, gradient) -> array, applied to the gradient of each batch
                before the mean is taken; `None` for the gradient itself.
            batches: Iterable of batches (x, y, sample_weight). Defaults to `self.batches()`.

        Returns:
            List of float32 arrays of the shapes of the weights.
        """
        function, values = self._prepare(weights, backend.gradient_function)
        means = _Means(len(weights))
        for batch in self.batches() if batches is None else batches:
            arrays = map(_to_numpy, function(values, batch))
            if of is not None:
                arrays = map(of, weights, arrays)
            means.update(arrays, rows_of(batch))
        return _checked(weights, means.values)

    def hessian_products(self, weights, vectors):
        """The Hessian of the mean loss times a vector, H v.

        Args:
            weights: List of `PrunableWeight`. The Hessian is that of all of them together.
            vectors: List of arrays of the shapes of the weights.

        Returns:
            List of float32 arrays of the shapes of the weights.
        """
        function, values = self._prepare(weights, backend.hessian_product_function)
        vectors = [
            keras.ops.convert_to_tensor(vector, weight.variable.dtype)
            for weight, vector in zip(weights, vectors, strict=True)
        ]
        means = _Means(len(weights))
        for batch in self.batches():
            means.update(map(_to_numpy, function(values, vectors, batch)), rows_of(batch))
        return _checked(weights, means.values)

    def _prepare(self, weights, make):
        """A differentiating function, made once, and what the model's variables hold now."""
        kernels = [weight.variable for weight in weights]
        ids = [id(variable) for variable in kernels]
        others = [variable for variable in self.model.variables if id(variable) not in ids]
        variables = [*kernels, *others]
        key = (make.__name__, *ids)
        if key not in self._functions:
            # Losses make variables of theirs when first called; JAX must not trace that.
            self._loss(variables, variables, next(self.batches()))
            self._functions[key] = make(
                lambda values, batch: self._loss(variables, values, batch), len(kernels)
            )
        return self._functions[key], [variable.value for variable in variables]

    def _loss(self, variables, values, batch):
        x, y, sample_weight = keras.tree.map_structure(_to_tensor, batch)
        state = zip(variables, values, strict=True)
        with keras.StatelessScope(state_mapping=state, collect_losses=True):
            y_pred = self.model(x, training=self.training)
            return keras.ops.cast(self.objective(x, y, y_pred, sample_weight), "float32")


class _Means:
    """Running means of several arrays, weighted by examples."""

    def __init__(self, count):
        self.values = [0.0] * count
        self.rows = 0

    def update(self, arrays, rows):
        self.rows += rows
        for index, array in enumerate(arrays):
            difference = array - self.values[index]
            difference *= np.float32(rows / self.rows)
            self.values[index] = difference + self.values[index]


def _checked(weights, arrays):
    """The arrays, if all their entries are finite numbers."""
    for weight, array in zip(weights, arrays, strict=True):
        if not np.isfinite(array).all():
            raise ValueError(
                "The derivatives of the loss on `data` are not finite: look for NaN in the data, "
                f"the weights and the loss. Received: weight={weight.path}"
            )
    return arrays


def _to_tensor(array):
    return None if array is None else keras.ops.convert_to_tensor(array)


def _to_numpy(tensor):
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32")))
