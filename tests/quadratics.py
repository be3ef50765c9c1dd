"""Models whose loss is a known polynomial of their one kernel. Only keras and numpy."""

import keras
import numpy as np

from keras_prune.probes import Probe
from keras_prune.weights import find_weights


def linear_model(kernel):
    """Dense layer without bias that holds a kernel (inputs, outputs)."""
    kernel = np.asarray(kernel, "float32")
    layer = keras.layers.Dense(kernel.shape[1], use_bias=False)
    model = keras.Sequential([keras.Input((kernel.shape[0],)), layer])
    model.set_weights([kernel])
    return model


def scores_of(criterion, model, x, y):
    """The scores of a criterion on data, one array a kernel."""
    return criterion.scores(find_weights(model), criterion.probe(model, (x, y)))


def quadratic(weights, matrix, minimum):
    """A model with the loss (w - minimum)' matrix (w - minimum) / 2 of its kernel w.

    Returns:
        Tuple (model, x, y, loss): on the unit vectors x the outputs are the weights, and y
        is the minimum.
    """
    matrix = np.asarray(matrix, "float32")

    def loss(y, y_pred):
        off = keras.ops.reshape(y_pred - y, (-1, 1))
        return 0.5 * keras.ops.sum(off * keras.ops.matmul(matrix, off))

    model = linear_model(np.reshape(weights, (-1, 1)))
    x = np.eye(len(matrix), dtype="float32")
    return model, x, np.reshape(minimum, (-1, 1)).astype("float32"), loss


def loss_value(model, x, y):
    """The compiled loss on data, in inference mode, as float."""
    loss = Probe(model, (x, y)).objective(x, y, model(x, training=False))
    return float(keras.ops.convert_to_numpy(loss))
