"""Recurrent layers in the form that the TensorFlow Lite converter takes: one operator, or no loop.

The converter knows an LSTM by a function with the attribute `api_implements`, as `tf.keras` 2 wrote
it; Keras 3 writes a loop, which the converter crashes on where it must quantize.
"""

import contextlib
import functools
import uuid

import keras
import numpy as np

from keras_prune.export.flatbuffer import operator_name

_OVERRIDDEN = ("unroll", "stateful")
_KIND = "UNIDIRECTIONAL_SEQUENCE_LSTM"
_CELL_STATE = 19
_STATE_NOTE = (
    "the state of its LSTM outlives a call: reset it before each new sequence, with "
    "`reset_all_variables` in LiteRT and `model_init` in C"
)


@contextlib.contextmanager
def convertible(model):
    """While it is open, recurrent layers trace to what the converter can convert.

    An LSTM with the default activations, without mask, from a zero state and with no use of its
    last state becomes one UNIDIRECTIONAL_SEQUENCE_LSTM. Its state outlives a call: that of a
    stateful layer, and also that of any other, until the interpreter is told to reset it. All
    other recurrent layers are unrolled.

    Args:
        model: `keras.Model` of the TensorFlow backend.
    """
    found = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.RNN)]
    kept = [{name: getattr(layer, name) for name in _OVERRIDDEN} for layer in found]
    try:
        for layer in found:
            layer.unroll = True
            if _is_plain_lstm(layer):
                layer.stateful = False
                layer.inner_loop = functools.partial(_fused_loop, layer)
        yield
    finally:
        for layer, values in zip(found, kept, strict=True):
            layer.__dict__.pop("inner_loop", None)
            for name, value in values.items():
                setattr(layer, name, value)


def finish_lstms(model):
    """Make the LSTM operators of a converted file work, and tell what a user must know of them.

    The converter gives a cell state that stays below one half the scale 2**-16. LiteRT's kernel
    knows no tanh for it, and computes nonsense without a word; 2**-15 is the finest that it takes,
    and no other tensor depends on it.

    Args:
        model: `ModelT`. It is changed.

    Returns:
        List of str.
    """
    finest, found = np.float32(2.0**-15), False
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            if operator_name(model, operator) != _KIND or len(operator.inputs) <= _CELL_STATE:
                continue
            found = True
            quantization = subgraph.tensors[operator.inputs[_CELL_STATE]].quantization
            if quantization is not None and quantization.scale is not None:
                quantization.scale = np.maximum(quantization.scale, finest)
    return [_STATE_NOTE] if found else []


def _is_plain_lstm(layer):
    return (
        type(layer) is keras.layers.LSTM
        and layer.cell.activation is keras.activations.tanh
        and layer.cell.recurrent_activation is keras.activations.sigmoid
        and layer.compute_dtype == "float32"
        and not layer.return_state
    )


def _fused_loop(layer, sequences, initial_state, mask, training=False):
    import tensorflow as tf

    states = [tf.get_static_value(state) for state in initial_state]
    if mask is not None or any(state is None or state.any() for state in states):
        return type(layer).inner_loop(layer, sequences, initial_state, mask, training)
    attributes = {
        "api_implements": f"lstm_{uuid.uuid4()}",
        "api_preferred_device": "CPU",
        "go_backwards": layer.go_backwards,
        "time_major": False,
    }
    run = functools.partial(_lstm, go_backwards=layer.go_backwards)
    run = tf.function(run, autograph=False, experimental_attributes=attributes)
    cell = layer.cell
    bias = cell.bias if cell.use_bias else tf.zeros((4 * layer.units,))
    # The converter wants tensors; variables make it crash.
    weights = map(tf.convert_to_tensor, (cell.kernel, cell.recurrent_kernel, bias))
    last, outputs, *states, _ = run(sequences, *initial_state, *weights)
    return last, outputs, states


def _lstm(inputs, hidden, cell, kernel, recurrent_kernel, bias, go_backwards):
    # The converter puts its operator in the place of this and looks only at the number, order and
    # shapes of arguments and results; the fifth result told tf.keras of the device.
    import tensorflow as tf

    outputs = []
    for x in tf.unstack(inputs[:, ::-1] if go_backwards else inputs, axis=1):
        sums = tf.matmul(x, kernel) + tf.matmul(hidden, recurrent_kernel) + bias
        into, forget, candidate, out = tf.split(sums, 4, axis=1)
        cell = tf.sigmoid(forget) * cell + tf.sigmoid(into) * tf.tanh(candidate)
        hidden = tf.sigmoid(out) * tf.tanh(cell)
        outputs.append(hidden)
    return hidden, tf.stack(outputs, axis=1), hidden, cell, tf.constant(0.0)
