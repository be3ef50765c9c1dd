"""Recurrent layers: a unit's state is read by all gates of all units."""

import keras
import numpy as np

from keras_prune.dependencies.readers import Reader
from keras_prune.dependencies.rules.dense import one_window
from keras_prune.dependencies.rules.rule import evaluate, is_elementwise, rule
from keras_prune.dependencies.units import Signal

# Gates in the columns of the kernel, and which of them is the candidate for the new state.
_GATES = {keras.layers.LSTM: (4, 2), keras.layers.GRU: (3, 2), keras.layers.SimpleRNN: (1, 0)}


@rule(*_GATES)
def recurrent(call):
    """Makes units, all gates of which go together, and reads its own."""
    layer, body, signal = call.layer, call.body, call.signal
    cell = layer.cell
    if len(call.signals) > 1 or layer.stateful:
        return call.closed("has a state that comes from elsewhere")
    if signal.axis != 1:
        return call.closed("reads along another axis than that of the units")
    gates, candidate = _GATES[type(layer)]
    made = body.make(layer, layer.units)
    columns = np.tile(made, gates)
    body.cut(layer, cell.kernel, 0, signal.ids)
    body.cut(layer, cell.kernel, 1, columns)
    body.cut(layer, cell.recurrent_kernel, 0, made)
    body.cut(layer, cell.recurrent_kernel, 1, columns)
    if cell.use_bias:
        body.cut(layer, cell.bias, len(cell.bias.shape) - 1, columns)
    body.part(layer).sizes["units"] = lambda keep: int(keep(made).sum())
    constant = _resting(call, cell, candidate)
    state = Signal.varying(signal.shape, 1, made).replace(constant=constant)
    for kernel, source in ((cell.kernel, signal), (cell.recurrent_kernel, state)):
        values, nothing = body.numpy(kernel), np.zeros(len(source.ids), bool)
        known = source.settled()
        body.read(
            Reader(
                layer,
                kernel,
                one_window,
                values,
                source.ids,
                known,
                nothing,
                columns,
                foldable=False,
            )
        )
    return [
        Signal(shape, len(shape) - 1, made, constant, np.zeros(len(made), bool))
        for shape in call.shapes
    ]


def _resting(call, cell, candidate):
    """0 for units whose state never leaves zero, since their candidate is always zero."""
    body = call.body
    own = slice(candidate * cell.units, (candidate + 1) * cell.units)
    dead = ~(body.numpy(cell.kernel)[:, own] != 0.0).any(axis=0)
    dead &= ~(body.numpy(cell.recurrent_kernel)[:, own] != 0.0).any(axis=0)
    biased = np.zeros(cell.units, bool)
    if cell.use_bias:
        bias = body.numpy(cell.bias).reshape(-1, cell.bias.shape[-1])
        biased = (bias[:, own] != 0.0).any(axis=0)
    quiet = is_elementwise(cell.activation) and evaluate(cell.activation, np.zeros(1))[0] == 0.0
    body.remark(
        body.part(call.layer).made[dead & biased],
        f"the state of {call.name} still moves with its bias",
    )
    return np.where(dead & ~biased & quiet, 0.0, np.nan)
