"""Auxiliary classifiers in the middle of a network, and which layers they judge."""

import keras

from keras_prune.masks import MaskStore


class Stage:
    """A classifier, and the layers in front of it that no earlier one has.

    Args:
        name: Str or `None`. The layer that the head stands behind; `None`: the model's outputs.
        tensor: `KerasTensor` that is classified.
        head: `keras.Model` from that to logits, or `None`: the tensor is the model's output.
        loss: Callable(y, predictions) -> tensor.
    """

    def __init__(self, name, tensor, head, loss):
        self.name, self.tensor, self.head, self.loss = name, tensor, head, loss

    def discriminative_loss(self, y, values):
        """The mean loss of the classifier, given the values of its tensor."""
        predictions = values if self.head is None else self.head(values, training=False)
        return keras.ops.mean(self.loss(y, predictions))


class _Joint(keras.Model):
    """The model and a head on one of its tensors, trained together."""

    def __init__(self, body, head):
        super().__init__(name="with_head")
        self.body, self.head = body, head

    def call(self, x, training=None):
        outputs, tensor = self.body(x, training=training)
        return outputs, self.head(tensor, training=training)


def make_stages(model, names, y):
    """One stage for each head, and the last for the model's own outputs.

    Args:
        model: Compiled Functional or Sequential `keras.Model` with one output.
        names: Iterable of str. Layers behind which a head stands.
        y: Array of labels: ints, or one number for each class.

    Returns:
        List of `Stage` in the order of the model's layers.
    """
    outputs = model.outputs[0]
    places = {layer.name: index for index, layer in enumerate(model.layers)}
    stages = []
    for name in sorted(names, key=places.get):
        tensor = model.get_layer(name).output
        one_hot = y.ndim > 1 and y.shape[-1] > 1
        kind = "CategoricalCrossentropy" if one_hot else "SparseCategoricalCrossentropy"
        loss = getattr(keras.losses, kind)(from_logits=True)
        stages.append(Stage(name, tensor, _head(tensor, outputs.shape[-1]), loss))
    return [*stages, Stage(None, outputs, None, keras.losses.get(model.loss))]


def stage_of(layer, stages):
    """The first stage whose tensor depends on a layer."""
    own = {id(tensor) for tensor in keras.tree.flatten(layer.output)}
    return next(stage for stage in stages if own & _behind(stage.tensor))


def train_head(model, stage, weights, x, y, epochs, batch_size, learning_rate):
    """Train a head, and the model with it, on the sum of both losses; zeros stay.

    Args:
        model: Compiled `keras.Model`.
        stage: `Stage` with a head.
        weights: List of `PrunableWeight` of the model whose zeros are to stay.
        x: Array of inputs.
        y: Array of labels.
        epochs: Int.
        batch_size: Int.
        learning_rate: Float.
    """
    joint = _Joint(keras.Model(model.inputs[0], [model.outputs[0], stage.tensor]), stage.head)
    optimizer = keras.optimizers.SGD(learning_rate, momentum=0.9, nesterov=True, weight_decay=1e-4)
    joint.compile(optimizer, [keras.losses.get(model.loss), stage.loss])
    joint(x[:1])
    optimizer.build(joint.trainable_variables)
    trained = {id(variable) for variable in model.trainable_variables}
    store = MaskStore([w for w in weights if id(w.variable) in trained], optimizer)
    try:
        store.recover()
        joint.fit(x, (y, y), batch_size=batch_size, epochs=epochs, verbose=0)
    finally:
        store.detach()


def _head(tensor, classes):
    layers = keras.layers
    rank = len(tensor.shape) - 2
    pools = {1: layers.GlobalAveragePooling1D, 2: layers.GlobalAveragePooling2D}
    parts = [layers.BatchNormalization(), layers.ReLU(), pools[rank](), layers.Dense(classes)]
    return keras.Sequential([keras.Input(batch_shape=tensor.shape), *parts])


def _behind(tensor):
    """Ids of a tensor and of all that it is made of."""
    found, waiting = set(), [tensor]
    while waiting:
        tensor = waiting.pop()
        operation, node, _ = tensor._keras_history
        if id(tensor) not in found:
            found.add(id(tensor))
            waiting += operation._inbound_nodes[node].input_tensors
    return found
