"""How much the outputs of a model depend on each weight."""

import keras
import numpy as np

from keras_prune import backend
from keras_prune.batches import examples_of
from keras_prune.objectives import Objective
from keras_prune.regularizers.logits import before_softmax


class OutputSensitivity:
    """S(y, w) = sum over classes k of alpha_k |dy_k / dw|, on batches of data.

    From [Tartaglione et al., 2018](https://arxiv.org/abs/1810.11764), equations 3 to 7. The
    outputs y are the logits: the inputs of the softmax that the model ends with, where its
    graph shows one. Where the compiled loss takes probabilities and there is no softmax to be
    seen (subclassed models), they are the logarithms of the outputs. Other outputs are taken as
    they are. Layers run in inference mode.

    Args:
        model: Built `keras.Model` with one output, classes in its last axis.
        weights: List of `PrunableWeight`.
        specific: Bool. True: alpha is 1 for the class of the example. False: 1 / classes for
            all of them, which takes a backward pass for each.
        per_example: Bool. False: |mean over the batch of dy_k / dw|. True: the mean over its
            examples of |dy_k / dw|, at a backward pass for each.
    """

    def __init__(self, model, weights, specific=False, per_example=False):
        self.model = model
        self.specific = specific
        self.per_example = per_example
        has_loss = model.compiled and model.loss is not None
        self.log = has_loss and Objective(model).outputs == "probabilities"
        kernels = [weight.variable for weight in weights]
        ids = set(map(id, kernels))
        self.variables = [*kernels, *(v for v in model.variables if id(v) not in ids)]
        self.count = len(kernels)
        self._gradient = backend.gradient_function(self._total, self.count)

    def measure(self, batch):
        """The sensitivity of the weights on one batch.

        Args:
            batch: Tuple (x, y, sample_weight) of arrays. The sample weights are not looked at.

        Returns:
            List of float32 arrays >= 0 of the shapes of the weights; infinite where a
            derivative is not a number, so that nothing comes of it.
        """
        parts = examples_of(batch) if self.per_example else [batch]
        found = [self._on(x, y) for x, y, _ in parts]
        means = [np.mean(arrays, axis=0) for arrays in zip(*found, strict=True)]
        return [np.nan_to_num(mean, nan=np.inf, posinf=np.inf) for mean in means]

    def _on(self, x, y):
        x = keras.tree.map_structure(keras.ops.convert_to_tensor, x)
        outputs = self._outputs(x)
        if keras.tree.is_nested(outputs):
            raise ValueError(
                "The sensitivity of outputs is that of one output with classes in its last axis. "
                f"Received: {len(keras.tree.flatten(outputs))} outputs"
            )
        total, chosen = [0.0] * self.count, self._factors(tuple(outputs.shape), y)
        values = [variable.value for variable in self.variables]
        for factors in chosen:
            gradients = self._gradient(values, (x, keras.ops.convert_to_tensor(factors)))
            arrays = [abs(backend.to_numpy(gradient)) for gradient in gradients]
            total = [t + a / len(chosen) for t, a in zip(total, arrays, strict=True)]
        return total

    def _total(self, values, batch):
        x, factors = batch
        with keras.StatelessScope(state_mapping=zip(self.variables, values, strict=True)):
            outputs = self._outputs(x)
        return keras.ops.sum(keras.ops.cast(outputs, "float32") * factors)

    def _outputs(self, x):
        with before_softmax(self.model) as found:
            y = self.model(x, training=False)
        if self.log and not found:
            return keras.ops.log(keras.ops.cast(y, "float32") + keras.config.epsilon())
        return y

    def _factors(self, shape, y):
        """What each backward pass multiplies the outputs with: arrays of their shape."""
        classes, rows = shape[-1], int(np.prod(shape[:-1]))
        one_hot = np.eye(classes, dtype="float32")
        if self.specific:
            return [one_hot[_labels(y, shape)] / np.float32(rows)]
        return [np.broadcast_to(row / np.float32(rows), shape).copy() for row in one_hot]


def _labels(y, shape):
    """Int array, one class for each row of outputs, from labels or one-hot vectors."""
    y = np.asarray(y)
    if y.shape == shape and shape[-1] > 1:
        return y.argmax(axis=-1)
    if y.size == np.prod(shape[:-1], dtype=int) and np.issubdtype(y.dtype, np.integer):
        return y.reshape(shape[:-1])
    raise ValueError(
        'kind="specific" needs the class of every example, as int or one-hot vector. '
        f"Received: y of shape {y.shape} and dtype {y.dtype}, outputs of shape {shape}"
    )
