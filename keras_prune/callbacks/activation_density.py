"""The callback that counts nonzero activations while `fit()` trains."""

import functools
import operator

import keras

from keras_prune.analysis.activation_counter import STEPS_AT_MOST, ActivationCounter
from keras_prune.analysis.activation_places import find_places
from keras_prune.analysis.measured_density import check_eps
from keras_prune.analysis.unit_counts import UnitCounts, total_density
from keras_prune.layer_names import layers_by_name
from keras_prune.tracing import example_input


class ActivationDensity(keras.callbacks.Callback):
    """Counts in training how many activations of each layer are not zero.

    The activation density of a layer is the number of its nonzero activations over the number
    of all, over the training data of an epoch as the layer saw them:

        AE_l = #nonzero_l / #total_l

    It is one minus the mean over the layer's units of APoZ, the average percentage of zeros
    ([Hu et al., 2016](https://arxiv.org/abs/1607.03250)). Reference: [Foldy-Porto et al.,
    2020](https://arxiv.org/abs/2002.02949).

    The activations of a layer with a kernel are the tensor behind the first non-linearity that
    follows it, with nothing but normalization, dropout or a sum in between, before any pooling;
    the outputs of the model count as dense. See `kp.cost`, which counts a finished model.

    Counting happens in the compiled step and is exact, on partial batches and with several steps
    an execution too; validation is not counted. An epoch that a killed process had begun is
    counted from where `fit` goes on with it. The model keeps its layers and weights, and no file
    that is saved during training knows of it.

    The epoch's logs, and so `History` and loggers later in the list, get
    `activation_density/<layer>` for each layer and `activation_density` for all, where a tensor
    that two layers share counts once. A layer whose name another one has goes by its path, with a
    number where that is the same too.

    Example:

    ```python
    callback = kp.ActivationDensity()
    history = model.fit(x, y, epochs=2, callbacks=[callback])
    history.history["activation_density"]
    callback.counts  # of the last epoch: layer -> positions, nonzero values of each unit
    ```

    Args:
        filters: Regex string, list of them, or callable(layer) -> bool. Only layers that
            match are counted. Defaults to all layers with a kernel.
        eps: Float >= 0. Values up to it, in absolute terms, count as zero: leaky
            non-linearities are never exactly zero. Defaults to `0.0`.
        prefix: Str. What the logs are called by. Defaults to `"activation_density"`.
        input_shape: Tuple of ints without the batch axis, or the same nesting of tuples as the
            model's inputs: what to trace the model with where it leaves a size open. Defaults to
            the model's own input shape.

    Attributes:
        counts: Dict from layer names to `UnitCounts`, of the last epoch that has ended.
        density: Float. The density of all activations in that epoch.
        skipped: Dict from layer paths to str: layers that cannot be counted, and why.
    """

    # `on_train_batch_end` is left alone on purpose: on JAX a callback that overrides it makes
    # `fit` wait for every batch.

    def __init__(self, filters=None, eps=0.0, prefix="activation_density", input_shape=None):
        super().__init__()
        check_eps(eps)
        if not isinstance(prefix, str) or not prefix:
            raise ValueError(f"Argument `prefix` must be a name. Received: prefix={prefix!r}")
        self.filters, self.eps, self.prefix = filters, eps, prefix
        self.input_shape = input_shape
        self.counts, self.density, self.skipped = {}, None, {}
        self._counter = None

    def on_train_begin(self, logs=None):
        self._counter = None
        if self.model.built:
            self._attach()

    def on_epoch_begin(self, epoch, logs=None):
        if self._counter is not None:
            self._counter.clear()
        self._steps = 0

    def on_train_batch_begin(self, batch, logs=None):
        if self._counter is None:  # TensorFlow builds some models with the first batch
            raise ValueError(
                "`ActivationDensity` needs a model that is built: call it on an example before "
                f"`fit`. Received: model={self.model.name}"
            )
        if batch - self._steps >= STEPS_AT_MOST:
            self._counter.collect()
            self._steps = batch

    def on_epoch_end(self, epoch, logs=None):
        self._counter.collect()
        places, counts = self._counter.places.found, self._counter.counts()
        if not all(positions for positions, _ in counts):
            self.on_train_end()
            raise ValueError(
                "The training step of the model calls no layer that is counted, or loses the "
                "variables that its layers have updated (on JAX, what `stateless_call` returns "
                f"besides the outputs). Received: model={self.model.name} without activations"
            )
        pairs = zip(counts, places, strict=True)
        found = [(UnitCounts(*count), place.layers) for count, place in pairs]
        self.counts = {
            # A layer that is called more than once has as many counts.
            name: functools.reduce(operator.add, (c for c, layers in found if layer in layers))
            for name, layer in self._names.items()
        }
        self.density = total_density(count for count, _ in found)
        logs = {} if logs is None else logs
        for name, count in self.counts.items():
            logs[f"{self.prefix}/{name}"] = count.density
        logs[self.prefix] = self.density

    def on_train_end(self, logs=None):
        if self._counter is not None:
            self._counter.detach()
            self._counter = None

    def _attach(self):
        if getattr(self.model, "optimizer", None) is None:
            raise ValueError(
                "`ActivationDensity` needs a compiled model with an optimizer. "
                f"Received: model={self.model.name}"
            )
        example = example_input(self.model, self.input_shape)
        places = find_places(self.model, example, self.filters)
        self.skipped = {layer.path: reason for layer, reason in places.skipped.items()}
        if not places.found:
            raise ValueError(
                "The model has no layer whose activations can be counted. "
                f"Received: {self.skipped or self.filters}"
            )
        self._names = layers_by_name(layer for place in places.found for layer in place.layers)
        counter = ActivationCounter(self.model, places, self.eps)
        try:
            counter.rehearse(example)
        except ValueError:
            counter.detach()
            raise
        self._counter = counter
