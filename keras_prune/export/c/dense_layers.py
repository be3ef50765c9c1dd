"""FULLY_CONNECTED as a call of an int8 kernel."""

from keras_prune.export.c import dense_cost, tile_cost
from keras_prune.export.c.steps import SCRATCH, Step
from keras_prune.export.c.weighted import (
    PORTABLE,
    Candidate,
    bias_of,
    ends_of,
    pack_stream,
    requantization,
    take_best,
    weights_of,
    worth_packing,
)

ROWS = f"{PORTABLE}/requantize_rows_s8.c"


def fully_connected(node, target):
    """Lower FULLY_CONNECTED: weights (rows, cols), any leading input dimensions as batch."""
    source, output = ends_of(node)
    weights = weights_of(node, rank=2, channel_axis=0)
    if getattr(node.options, "weightsFormat", 0) != 0:
        raise node.refuse("only the default weights format is supported")
    rows, cols = weights.shape
    batch, rest = divmod(source.size, cols)
    if rest or output.size != batch * rows:
        raise node.refuse(
            f"input {source.shape}, weights {weights.shape} and output {output.shape} disagree"
        )
    step = Step(node.index, node.kind, [source], output, macs=batch * rows * cols)
    matrix = weights.data
    best, stored = take_best(step, matrix, _candidates(matrix, target, batch, source.live))
    step.arguments += [str(batch), str(rows), str(cols)]
    bias = bias_of(step, node, matrix)
    requantization(step, node, source, weights, output, rows, matrix, exact=True)
    step.arguments += [source, stored, bias, output]
    if best.scratch_bytes:
        step.arguments.append(SCRATCH)
    return step


def _candidates(matrix, target, batch, live):
    rows, cols = matrix.shape
    dense = Candidate(
        "dense",
        "spk_fully_connected_s8_dense__c",
        (f"{PORTABLE}/fully_connected_s8_dense.c", ROWS),
        matrix.reshape(-1),
        dense_cost.dense(target, matrix, batch),
    )
    if not worth_packing(matrix):
        return [dense]
    stream = pack_stream(matrix)
    columns = pack_stream(matrix.T)
    by_rows = Candidate(
        "stream",
        "spk_fully_connected_s8_stream__c",
        (
            f"{PORTABLE}/fully_connected_s8_stream.c",
            f"{PORTABLE}/conv2d_s8_stream.c",
            f"{PORTABLE}/tile_s8.c",
            f"{PORTABLE}/tile_stream_s8.c",
            ROWS,
        ),
        stream,
        dense_cost.stream(target, matrix, stream.size, batch),
        2 * cols if batch == 1 else tile_cost.TILE_BYTES * cols,
    )
    by_columns = Candidate(
        "columns",
        "spk_fully_connected_s8_columns__c",
        (f"{PORTABLE}/fully_connected_s8_columns.c", ROWS),
        columns,
        dense_cost.columns(target, matrix, columns.size, batch, live),
        4 * rows,
    )
    return [dense, by_rows, by_columns]
