"""DCP: keep the input channels that help to tell the classes apart."""

import keras
import numpy as np

from keras_prune import backend
from keras_prune.probes import Probe
from keras_prune.recipes.auxiliary_heads import make_stages, stage_of, train_head
from keras_prune.recipes.channel_checks import (
    check_integers,
    check_model,
    check_numbers,
    reason_to_skip,
)
from keras_prune.recipes.channels_report import ChannelsReport, ChosenChannels
from keras_prune.recipes.greedy_channels import grow_channels
from keras_prune.reconstruction.selection import restored_on_error
from keras_prune.registry import check_sparsity
from keras_prune.weights import find_weights


def discrimination_aware_prune(
    model,
    data,
    sparsity=0.5,
    heads=(),
    discrimination=1.0,
    filters=None,
    tolerance=None,
    step=1,
    epochs=1,
    head_epochs=1,
    learning_rate=0.01,
    batch_size=32,
):
    """Choose the input channels of convolutions by reconstruction and discrimination together.

    A layer begins with a kernel of zeros. The input channel k whose weights the loss pulls at
    hardest, by ||dL/dW_k||, comes back with the weights that it had, and the channels chosen so
    far are trained; and so on. The loss is L = L_M + `discrimination` * L_S, where L_M is half
    the mean square of the change of the layer's outputs before the activation, and L_S the
    cross-entropy of a classifier behind the layer: an auxiliary head (batch normalization, ReLU,
    global average pooling, dense) or, behind the last of the heads, the model's own loss.
    Discrimination-aware channel pruning is from
    [Zhuang et al., 2018](https://arxiv.org/abs/1810.11809).

    Before the layers in front of a head are pruned, it is trained with the whole model, on the
    sum of both losses. The layers are pruned from the inputs to the outputs, each behind those
    pruned before. The weights of the channels that are not kept are zero: `kp.shrink` cuts out
    the filters that nobody reads any more. Training what is left comes last, and is the caller's.

    It takes, for each channel kept, two passes over the data and `epochs` with gradients, and
    holds the outputs of one layer for all of the data in memory.

    Example:

    ```python
    model.compile("adam", "sparse_categorical_crossentropy")
    report = kp.discrimination_aware_prune(model, (x_train, y_train), 0.5, heads=["conv3"])
    small = kp.shrink(model)
    ```

    Args:
        model: Compiled Functional or Sequential `keras.Model` with one input and one output that
            tells classes apart. Its weights change in place.
        data: Tuple of arrays (x, y). The labels y are ints, or one number for each class.
        sparsity: Float in [0, 1). The fraction of a layer's input channels to prune.
            Defaults to `0.5`.
        heads: List of str. Names of layers behind which an auxiliary head stands.
            Defaults to none.
        discrimination: Float >= 0. The weight of L_S. Defaults to `1.0`.
        filters: Regex string, list of them, or callable(layer) -> bool. Only layers that match
            are pruned. In a residual block take those that do not read the sum. Defaults to all.
        tolerance: Float >= 0. A layer keeps no more channels once a step changes its loss by at
            most this part of the loss without any. Defaults to `None`: `sparsity` alone counts.
        step: Int of at least 1. Channels that come back at a time. Defaults to `1`.
        epochs: Int >= 0. Passes of stochastic gradient descent after every step, with Nesterov
            momentum of 0.9 and a weight decay of 1e-4. Defaults to `1`.
        head_epochs: Int >= 0. Epochs that each head is trained for. Defaults to `1`.
        learning_rate: Float. Of both trainings. Defaults to `0.01`.
        batch_size: Int. Examples a batch. Defaults to `32`.

    Returns:
        A `kp.ChannelsReport`.

    Raises:
        ValueError: If an argument is wrong or no layer can be pruned. The model is then as it
            was.
    """
    sparsity = check_sparsity("sparsity", sparsity)
    check_numbers(
        discrimination=discrimination,
        tolerance=0.0 if tolerance is None else tolerance,
        learning_rate=learning_rate,
    )
    check_integers(step=step, epochs=epochs, head_epochs=head_epochs, batch_size=batch_size)
    x, y = check_model(model, data, heads)
    weights = find_weights(model, filters)
    reasons = [reason_to_skip(model, weight) for weight in weights]
    if all(reasons):
        named = {w.layer.name: reason for w, reason in zip(weights, reasons, strict=True)}
        raise ValueError(f"The model has no layer that can be pruned. Received: {named}")
    backend.sync_state(model)
    stages = make_stages(model, heads, y)
    found = {}
    with restored_on_error(model.variables):
        for stage in stages:
            own = [
                weight
                for weight, reason in zip(weights, reasons, strict=True)
                if reason is None and stage_of(weight.layer, stages) is stage
            ]
            if own and stage.head is not None and head_epochs:
                train_head(model, stage, weights, x, y, head_epochs, batch_size, learning_rate)
            before = [np.array(array) for array in model.get_weights()]  # torch shares its memory
            for weight in sorted(own, key=lambda weight: model.layers.index(weight.layer)):
                search = _Search(model, weight, stage, before, (x, y), discrimination, batch_size)
                found[id(weight)] = search.run(sparsity, tolerance, step, epochs, learning_rate)
    lines = [
        found.get(id(weight)) or ChosenChannels(weight.layer.name, weight.shape[-2], skip=reason)
        for weight, reason in zip(weights, reasons, strict=True)
    ]
    return ChannelsReport(tuple(lines))


class _Search:
    """The search for the channels of one layer.

    Args:
        model: `keras.Model`.
        weight: `PrunableWeight` of the layer.
        stage: `Stage` whose classifier judges it.
        before: The model's weights before any layer of the stage was pruned.
        data: Tuple of arrays (x, y).
        discrimination: Float, the weight of the classifier's loss.
        batch_size: Int.
    """

    def __init__(self, model, weight, stage, before, data, discrimination, batch_size):
        self.weight, self.stage, self.discrimination = weight, stage, discrimination
        self.body = keras.Model(model.inputs[0], [weight.layer.input, stage.tensor])
        self.batches = _with_targets(self.body, model, weight.layer, before, data, batch_size)
        self.probe = Probe(self.body, self.batches, self._loss)

    def run(self, sparsity, tolerance, step, epochs, learning_rate):
        """Choose the channels and leave the layer with them; returns a `ChosenChannels`."""
        kernel, layer = self.weight.numpy(), self.weight.layer
        channels = kernel.shape[-2]
        count = max(1, channels - round(sparsity * channels))

        def refine(values, inside):
            return self._refined(values, inside, epochs, learning_rate)

        best = grow_channels(
            kernel, count, self._gradient, refine, self._mean_loss, step, tolerance
        )
        self.weight.variable.assign(best[0])
        chosen, losses = map(tuple, best[1:])
        return ChosenChannels(layer.name, channels, self.stage.name, chosen, losses)

    def _loss(self, y, predictions):
        (target, labels), (inputs, values) = y, predictions
        made = _linear(self.weight.layer, inputs)
        loss = keras.ops.mean(keras.ops.square(made - keras.ops.cast(target, made.dtype))) / 2
        if self.discrimination:
            loss = loss + self.discrimination * self.stage.discriminative_loss(labels, values)
        return loss

    def _gradient(self, kernel):
        self.weight.variable.assign(kernel)
        return self.probe.gradients([self.weight])[0]

    def _mean_loss(self, kernel):
        self.weight.variable.assign(kernel)
        total = 0.0
        for x, y in self.batches:
            y = keras.tree.map_structure(keras.ops.convert_to_tensor, y)
            loss = self._loss(y, self.body(x, training=False))
            total += len(x) * float(keras.ops.convert_to_numpy(loss))
        return total / sum(len(x) for x, _ in self.batches)

    def _refined(self, kernel, inside, epochs, learning_rate):
        variable = self.weight.variable
        variable.assign(kernel)
        optimizer = keras.optimizers.SGD(
            learning_rate, momentum=0.9, nesterov=True, weight_decay=1e-4
        )
        optimizer.build([variable])
        for batch in self.batches * epochs:
            slope = self.probe.gradients([self.weight], batches=[(*batch, None)])[0]
            slope = keras.ops.convert_to_tensor(np.where(inside, slope, 0.0), variable.dtype)
            optimizer.apply([slope], [variable])
        return self.weight.numpy()


def _linear(layer, inputs):
    """The outputs of a convolution without its bias and before its activation."""
    return layer.convolution_op(inputs, layer.kernel)


def _with_targets(body, model, layer, before, data, batch_size):
    """Batches (x, (outputs that the layer had, y)); the model stays as it is."""
    x, y = data
    now = [np.array(array) for array in model.get_weights()]
    model.set_weights(before)
    parts = [slice(start, start + batch_size) for start in range(0, len(x), batch_size)]
    targets = [
        keras.ops.convert_to_numpy(_linear(layer, body(x[part], training=False)[0]))
        for part in parts
    ]
    model.set_weights(now)
    return [(x[part], (target, y[part])) for part, target in zip(parts, targets, strict=True)]
